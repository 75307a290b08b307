package script

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// KillAfter is how long a program that was told to end (SIGTERM) is given before SIGKILL; keepalived's value.
const KillAfter = 2 * time.Second

// outputPatience is how long the end of the output is waited for once the program is gone.
const outputPatience = 100 * time.Millisecond

// run starts the program, waits for its end and reaps it. late, where it is given, is told when the time limit passes.
func (p *Pool) run(ctx context.Context, c Command, late func(Result)) Result {
	fail := func(err error) Result { return Result{Exit: -1, Err: err} }
	cmd, err := p.command(c)
	if err != nil {
		return fail(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return fail(fmt.Errorf("pipe for the output of %s: %w", c.Argv0(), err))
	}
	err = p.start(cmd, w)
	if errors.Is(err, unix.ENOEXEC) { // a script without #!: /bin/sh reads it, as execvp(3) and keepalived do
		cmd = &exec.Cmd{Path: "/bin/sh", Args: append([]string{"/bin/sh", cmd.Path}, cmd.Args[1:]...),
			Env: cmd.Env, Dir: cmd.Dir, SysProcAttr: cmd.SysProcAttr}
		err = p.start(cmd, w)
	}
	start := time.Now()
	w.Close()
	if err != nil {
		r.Close()
		return fail(startError(c, err))
	}
	out := p.collect(r)
	res := p.wait(ctx, c, cmd, func() {
		if late != nil {
			r := Result{Exit: -1, TimedOut: true, Took: time.Since(start)}
			r.Output, r.Truncated = out.text(0)
			late(r)
		}
	})
	res.Took = time.Since(start)
	res.Output, res.Truncated = out.text(outputPatience)
	return res
}

// start has the forker start the program.
func (p *Pool) start(cmd *exec.Cmd, w *os.File) error {
	cmd.Stdout, cmd.Stderr = w, w
	f := fork{cmd: cmd, done: make(chan error, 1)}
	p.forks <- f // the forker lives until every Run has returned
	return <-f.done
}

// collect reads the program's output and remembers the pipe until its end, so that Close can end it.
func (p *Pool) collect(r *os.File) *output {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.readers.Add(1)
	o := collect(r, func(o *output) {
		defer p.readers.Done()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.reading, o)
	})
	p.reading[o] = struct{}{}
	return o
}

// wait waits until the program has ended, killing its group when the time limit passes or ctx ends. The group is killed while the
// dead leader is still unreaped: until then its number cannot belong to anybody else. late is called when the limit passes.
func (p *Pool) wait(ctx context.Context, c Command, cmd *exec.Cmd, late func()) Result {
	pid := cmd.Process.Pid
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
		}
	}()
	var limit, kill <-chan time.Time
	if c.Timeout > 0 {
		t := time.NewTimer(c.Timeout)
		defer t.Stop()
		limit = t.C
	}
	var res Result
	done, killed := ctx.Done(), false
	end := func() {
		done, limit, killed = nil, nil, true
		_ = unix.Kill(-pid, unix.SIGTERM)
		_ = unix.Kill(-pid, unix.SIGCONT)
		t := time.NewTimer(KillAfter)
		kill = t.C
	}
	for running := true; running; {
		select {
		case <-exited:
			running = false
		case <-limit:
			res.TimedOut = true
			end()
			late()
		case <-done:
			res.Err = context.Cause(ctx)
			end()
		case <-kill:
			_ = unix.Kill(-pid, unix.SIGKILL)
		}
	}
	if killed {
		_ = unix.Kill(-pid, unix.SIGKILL)
	}
	err := cmd.Wait()
	res.Exit = -1
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok {
		switch {
		case status.Exited():
			res.Exit = status.ExitStatus()
		case status.Signaled() && !killed:
			res.Signal = status.Signal()
		}
	} else if err != nil && res.Err == nil {
		res.Err = fmt.Errorf("wait for %s: %w", c.Argv0(), err)
	}
	return res
}

// command makes the exec.Cmd: own process group, a death signal, a cleaned environment, no standard input.
func (p *Pool) command(c Command) (*exec.Cmd, error) {
	if c.User == "" && c.Group == "" && os.Geteuid() == 0 {
		c.User, c.Group = DefaultUser("", "")
	}
	cred, err := c.credential()
	if err != nil {
		return nil, err
	}
	argv := c.Argv
	if c.Shell != "" {
		argv = []string{"/bin/sh", "-c", c.Shell}
	}
	env := append(append([]string(nil), p.Env...), c.Env...)
	path, err := lookPath(argv[0], env)
	if err != nil {
		return nil, err
	}
	if c.Secure && (cred == nil && os.Geteuid() == 0 || cred != nil && cred.Uid == 0) {
		what := path
		if first, _, _ := strings.Cut(c.Shell, " "); filepath.IsAbs(first) {
			what = first
		}
		if err := Insecure(what); err != nil {
			return nil, err
		}
	}
	return &exec.Cmd{Path: path, Args: argv, Env: env, Dir: "/",
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM, Credential: cred}}, nil
}

// Argv0 is the program's name for messages.
func (c Command) Argv0() string {
	if c.Shell != "" {
		return c.Shell
	}
	if len(c.Argv) == 0 {
		return ""
	}
	return c.Argv[0]
}

// lookPath finds a program like execvp(3), in the PATH of env.
func lookPath(name string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, e := range env {
		path, ok := strings.CutPrefix(e, "PATH=")
		if !ok {
			continue
		}
		for _, dir := range filepath.SplitList(path) {
			file := filepath.Join(dir, name)
			if st, err := os.Stat(file); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 && filepath.IsAbs(file) {
				return file, nil
			}
		}
	}
	return "", fmt.Errorf("program %q: %w: it is in no directory of PATH; give its full path", name, fs.ErrNotExist)
}

// startError turns the kernel's refusal into what the operator should do.
func startError(c Command, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("run %s: %w: the file, or the interpreter in its first line, does not exist", c.Argv0(), err)
	case errors.Is(err, fs.ErrPermission):
		who := ""
		if c.User != "" {
			who = " as user " + c.User
		}
		return fmt.Errorf("run %s%s: %w: make the file executable and its directories accessible for that user", c.Argv0(), who, err)
	}
	return fmt.Errorf("run %s: %w", c.Argv0(), err)
}

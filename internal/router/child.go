package router

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"github.com/holdfast-ha/holdfast/internal/seam"
)

// starter starts balancers: this executable once more. It was opened when the router started, so that both are the same even after the file was
// replaced.
type starter struct {
	exe      *os.File
	args     []string
	oomScore string // what the router itself was started with; its own is far lower
	sched    *scheduling
}

func newStarter(args []string, oomScore string) (*starter, error) {
	exe, err := os.Open("/proc/self/exe")
	if err != nil {
		return nil, fmt.Errorf("open the own executable: %w", err)
	}
	return &starter{exe, args, oomScore, newScheduling()}, nil
}

// path names the executable for any process; /proc/self/fd would mean another descriptor in the child.
func (s *starter) path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), s.exe.Fd()) }

func (s *starter) start() (Child, error) {
	conn, remote, err := seam.Pair()
	if err != nil {
		return Child{}, err
	}
	defer remote.Close()
	cmd := &exec.Cmd{
		Path: s.path(), Args: append([]string{"holdfast"}, s.args...), Env: childEnv(os.Environ()),
		Stdout: os.Stdout, Stderr: os.Stderr, ExtraFiles: []*os.File{remote},
		// A session of its own: Ctrl-C on the terminal is for the router, which stops in order, and so is the weight of the router's session.
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if err := cmd.Start(); err != nil {
		conn.Close()
		return Child{}, fmt.Errorf("start the balancer: %w", err)
	}
	if s.oomScore != "" {
		_ = os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", cmd.Process.Pid), []byte(s.oomScore), 0) // not being able to is no reason to fail
	}
	s.sched.spare(cmd.Process.Pid)
	exited := make(chan Exit, 1)
	go func() {
		err := cmd.Wait()
		e := Exit{Code: cmd.ProcessState.ExitCode(), Reason: cmd.ProcessState.String()}
		var ee *exec.ExitError
		if err != nil && !errors.As(err, &ee) {
			e.Reason = err.Error()
		}
		exited <- e
	}()
	return Child{PID: cmd.Process.Pid, Conn: conn, Exited: exited, Kill: func() { _ = cmd.Process.Kill() }}, nil
}

// childEnv leaves out what is between the service manager and the main process.
func childEnv(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains([]string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", envLock, envPanics}, name)
	})
}

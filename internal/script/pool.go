package script

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
)

// Pool runs programs, a bounded number at a time. It is safe for concurrent use.
type Pool struct {
	// Env is the environment programs get, already cleaned. Set it, if at all, before the first run.
	Env []string

	ctx   context.Context // ends when the pool closes, with ErrClosed
	stop  context.CancelCauseFunc
	slots chan struct{}
	lanes lanes
	forks chan fork
	runs  sync.WaitGroup // programs and calls under way
	forkr sync.WaitGroup
	// readers are the goroutines that read output.
	readers sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	reading map[*output]struct{} // pipes that background children may still hold
	dying   map[string]chan struct{}
}

// fork is one request to start a program. All starts happen on one thread that lives as long as the pool: the kernel sends
// PDEATHSIG when the thread that forked ends, not the process (prctl(2), PR_SET_PDEATHSIG).
type fork struct {
	cmd  *exec.Cmd
	done chan error
}

// NewPool makes a pool that runs at most limit programs at once (at least 1).
func NewPool(limit int) *Pool {
	ctx, stop := context.WithCancelCause(context.Background())
	p := &Pool{Env: Environment(os.Environ()), ctx: ctx, stop: stop,
		slots: make(chan struct{}, max(1, limit)), forks: make(chan fork), reading: map[*output]struct{}{}, dying: map[string]chan struct{}{}}
	p.forkr.Add(1)
	go p.forker()
	return p
}

// forker owns the thread children are tied to. It never unlocks: the thread ends with it, when no child is left.
func (p *Pool) forker() {
	defer p.forkr.Done()
	runtime.LockOSThread()
	for f := range p.forks {
		f.done <- f.cmd.Start()
	}
}

// Run runs c and returns when it has ended. Runs with the same key never overlap and keep the order of the calls; an empty key
// is nobody's. When ctx ends, a waiting call returns at once and a running program is killed with its process group (SIGTERM,
// after [KillAfter] SIGKILL); Run returns only when it is gone.
func (p *Pool) Run(ctx context.Context, key string, c Command) Result {
	return p.runUntil(ctx, key, c, nil)
}

// RunPrompt is Run without a key for a caller to whom the time limit is the answer: where the limit passes it returns at once, and the program
// is killed while nobody waits. It keeps its place in the pool until it is gone, and the next RunPrompt of an equal command waits for that.
func (p *Pool) RunPrompt(ctx context.Context, c Command) Result {
	same := strings.Join([]string{c.String(), c.User, c.Group}, "\x00")
	for gone := p.dyingOf(same); gone != nil; gone = p.dyingOf(same) {
		select {
		case <-gone:
		case <-ctx.Done():
			return Result{Exit: -1, Err: context.Cause(ctx)}
		}
	}
	answer := make(chan Result, 2)
	go func() {
		var gone chan struct{}
		answer <- p.runUntil(ctx, "", c, func(r Result) {
			gone = make(chan struct{})
			p.mu.Lock()
			p.dying[same] = gone
			p.mu.Unlock()
			answer <- r
		})
		if gone == nil {
			return
		}
		p.mu.Lock()
		if p.dying[same] == gone {
			delete(p.dying, same)
		}
		p.mu.Unlock()
		close(gone)
	}()
	return <-answer
}

func (p *Pool) dyingOf(same string) chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dying[same]
}

// runUntil is Run; late, where it is given, is told when the time limit passes.
func (p *Pool) runUntil(ctx context.Context, key string, c Command, late func(Result)) Result {
	if err := c.validate(); err != nil {
		return Result{Exit: -1, Err: err}
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return Result{Exit: -1, Err: ErrClosed}
	}
	p.runs.Add(1)
	p.mu.Unlock()
	defer p.runs.Done()

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(p.ctx, func() { cancel(ErrClosed) })()

	if key != "" {
		if err := p.lanes.enter(ctx, key); err != nil {
			return Result{Exit: -1, Err: err}
		}
		defer p.lanes.leave(key)
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		err := context.Cause(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("run %s: %w: %d run already", c.Argv0(), ErrBusy, cap(p.slots))
		}
		return Result{Exit: -1, Err: err}
	}
	return p.run(ctx, c, late)
}

// Close refuses new runs, kills the running ones with their process groups and returns when all are reaped. A second call waits
// for the first.
func (p *Pool) Close() {
	p.mu.Lock()
	first := !p.closed
	p.closed = true
	p.mu.Unlock()
	p.stop(ErrClosed)
	p.runs.Wait()
	if first {
		close(p.forks)
		p.mu.Lock()
		for o := range p.reading {
			o.pipe.Close()
		}
		p.mu.Unlock()
	}
	p.forkr.Wait()
	p.readers.Wait()
}

// unwanted are the environment variables programs never get: those that change the loader or the shell (keepalived removes IFS,
// LD_PRELOAD and LD_LIBRARY_PATH) and those by which systemd talks to the daemon.
var unwanted = []string{"IFS=", "LD_", "BASH_ENV=", "ENV=", "BASH_FUNC_", "NOTIFY_SOCKET=", "WATCHDOG_PID=", "WATCHDOG_USEC=", "LISTEN_PID=",
	"LISTEN_FDS=", "LISTEN_FDNAMES=", "INVOCATION_ID=", "JOURNAL_STREAM=", "GODEBUG=", "GOTRACEBACK=", "GOMAXPROCS=", "GOGC=", "GOMEMLIMIT=", "HOLDFAST_"}

// Environment is env without what a script must not inherit, and with a PATH if there is none.
func Environment(env []string) []string {
	clean := make([]string, 0, len(env)+1)
	path := false
next:
	for _, e := range env {
		for _, u := range unwanted {
			if strings.HasPrefix(e, u) {
				continue next
			}
		}
		path = path || strings.HasPrefix(e, "PATH=")
		clean = append(clean, e)
	}
	if !path {
		clean = append(clean, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	}
	return clean
}

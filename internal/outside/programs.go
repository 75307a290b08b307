package outside

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/checkers/probe"
	"github.com/holdfast-ha/holdfast/internal/script"
)

// How many programs of each kind run at once. Each kind has a pool of its own: check programs that all hang must not keep a tracked
// script or a notification from running.
const (
	checksAtOnce = 512 // as many as 1,000 checks need that take a second or two every few seconds
	tracksAtOnce = 32
	notifyAtOnce = 32
	readersAtAll = 8
)

// Programs run what the operator names in the configuration.
type Programs struct {
	checks, tracks, notify, readers *script.Pool
}

// NewPrograms makes the pools. Close ends them. Descriptors that the process was started with, from a shell for instance, are closed
// in every program from now on; those opened later are already so.
func NewPrograms() *Programs {
	_ = unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC) // before Linux 5.11 there is no such thing, and they stay open
	return &Programs{checks: script.NewPool(checksAtOnce), tracks: script.NewPool(tracksAtOnce),
		notify: script.NewPool(notifyAtOnce), readers: script.NewPool(readersAtAll)}
}

// Close kills every program and returns when all are gone.
func (p *Programs) Close() {
	var all sync.WaitGroup
	for _, pool := range []*script.Pool{p.checks, p.tracks, p.notify, p.readers} {
		all.Go(pool.Close)
	}
	all.Wait()
}

// Checks runs the programs of MISC_CHECK.
func (p *Programs) Checks() probe.Runner { return checkRunner{p.checks} }

// checkRunner is a pool as the checks use it.
type checkRunner struct{ pool *script.Pool }

func (r checkRunner) Run(ctx context.Context, c probe.Command) (exit int, output []byte, err error) {
	res := r.pool.RunPrompt(ctx, script.Command{Argv: c.Argv, Shell: c.Shell, User: c.User, Group: c.Group,
		SupplementaryGroups: c.SupplementaryGroups, Secure: c.Secure, Timeout: c.Timeout})
	switch {
	case errors.Is(res.Err, script.ErrBusy):
		err = fmt.Errorf("%w (%w)", res.Err, unix.EAGAIN)
	case res.Err != nil:
		err = res.Err
	case res.TimedOut:
		err = fmt.Errorf("%s: %w", res.Reason(), context.DeadlineExceeded)
	case res.Signal != 0:
		res.Exit = -int(res.Signal)
	}
	return res.Exit, []byte(res.Output), err
}

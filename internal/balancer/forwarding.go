package balancer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/internal/reconcile"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

// forwarding makes sure of the private service of a check through the forwarding path before each of its attempts.
type forwarding struct {
	checkers.Prober
	kernel *reconcile.Reconciler
}

// holdWithin is how long an attempt waits for the owner of IPVS. While that writes a large table the services that are there stay, and the
// attempt goes ahead.
const holdWithin = 500 * time.Millisecond

// Probe implements checkers.Prober.
func (f forwarding) Probe(ctx context.Context, what *checkers.Probe) checkers.Result {
	if what.Via.Server.IsValid() && what.Mark != 0 {
		wait, cancel := context.WithTimeout(ctx, holdWithin)
		err := f.kernel.Hold(wait, ipvssync.MarkKey(ipvssync.FamilyOf(what.Target.Addr()), what.Mark))
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return checkers.Fail(checkers.Local, fmt.Sprintf("prepare the way to %s: %v", what.Via.Server, err))
		}
	}
	return f.Prober.Probe(ctx, what)
}

// Start implements checkers.Starter, where the prober does.
func (f forwarding) Start(what *checkers.Probe, now time.Time, end checkers.Ender) bool {
	p, ok := f.Prober.(checkers.Starter)
	return ok && !what.Via.Server.IsValid() && p.Start(what, now, end)
}

// Started implements checkers.Starter.
func (f forwarding) Started() {
	if p, ok := f.Prober.(checkers.Starter); ok {
		p.Started()
	}
}

// InFlight says how many attempts may run at once, 0 when the prober does not say.
func (f forwarding) InFlight() int {
	if p, ok := f.Prober.(interface{ InFlight() int }); ok {
		return p.InFlight()
	}
	return 0
}

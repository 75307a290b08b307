package balancer

import (
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

// tellPool turns what happened to a pool into events.
func (d *daemon) tellPool(pool string, changes []ipvssync.Change) {
	if d.quiet {
		return
	}
	for _, c := range changes {
		addr := ""
		if c.Addr.IsValid() {
			addr = c.Addr.String()
		}
		switch c.Kind {
		case ipvssync.ServerUp:
			d.bus.Publish(event.PoolServerUp.With(pool, c.Server, addr, c.To))
		case ipvssync.ServerDown:
			d.bus.Publish(event.PoolServerDown.With(pool, c.Server, addr, c.From))
		case ipvssync.ServerAdded:
			d.bus.Publish(event.PoolServerAdded.With(pool, c.Server, addr, c.To))
		case ipvssync.ServerRemoved:
			d.bus.Publish(event.PoolServerRemoved.With(pool, c.Server, addr))
		case ipvssync.WeightChanged:
			d.bus.Publish(event.PoolWeight.With(pool, c.Server, addr, c.From, c.To))
		case ipvssync.QuorumGained:
			d.bus.Publish(event.PoolQuorumGained.With(pool, c.From, c.To))
		case ipvssync.QuorumLost:
			d.bus.Publish(event.PoolQuorumLost.With(pool, c.From, c.To))
		case ipvssync.SorryOn:
			d.bus.Publish(event.PoolSorryOn.With(pool, addr))
		case ipvssync.SorryOff:
			d.bus.Publish(event.PoolSorryOff.With(pool, addr))
		case ipvssync.DrainStarted:
			d.bus.Publish(event.PoolDrainStarted.With(pool, c.Server, addr))
		case ipvssync.DrainEnded:
			d.bus.Publish(event.PoolDrainEnded.With(pool, c.Server, addr))
		case ipvssync.Drained:
			d.noteDrained(pool, c.Server)
			d.bus.Publish(event.PoolDrained.With(pool, c.Server, addr, c.From))
		case ipvssync.PanicOn:
			d.bus.Publish(event.PoolPanicOn.With(pool, c.From, c.To))
		case ipvssync.PanicOff:
			d.bus.Publish(event.PoolPanicOff.With(pool, c.From, c.To))
		}
		d.onPoolChange(pool, c)
	}
}

// tellCheck turns a verdict into an event.
func (d *daemon) tellCheck(c checkers.Change) {
	id, target := c.ID, c.Target
	inState := time.Duration(0)
	if !c.Since.IsZero() {
		inState = c.At.Sub(c.Since).Round(time.Millisecond)
	}
	switch c.What {
	case checkers.Began:
		d.bus.Publish(event.CheckBegan.With(id.Virtual, id.Real, c.Kind, target, c.Up))
	case checkers.Fell:
		d.bus.Publish(event.CheckDown.With(id.Virtual, id.Real, c.Kind, target, c.Reason, c.Detail, c.Attempts, inState))
	case checkers.Rose:
		d.bus.Publish(event.CheckUp.With(id.Virtual, id.Real, c.Kind, target, inState, c.Latency.Total.Round(time.Microsecond)))
	case checkers.Reweighed:
		d.bus.Publish(event.CheckWeight.With(id.Virtual, id.Real, c.Kind, target, weightMode(c.Weight.Mode), c.Weight.Value))
	}
	d.onVerdict(c)
}

func weightMode(m checkers.WeightMode) string {
	switch m {
	case checkers.Absolute:
		return "absolute"
	case checkers.Percent:
		return "percent"
	case checkers.Added:
		return "added"
	}
	return "none"
}

// onNotice tells what changed no state.
func (d *daemon) onNotice(n checkers.Notice) {
	id, target := n.ID, n.Target
	switch n.Kind {
	case checkers.FailedAttempt:
		d.bus.Publish(event.CheckFailed.With(id.Virtual, id.Real, n.Check, target, n.Reason, n.Detail, n.Attempt, n.Of))
	case checkers.ProbePanic:
		d.bus.Publish(event.CheckPanic.With(n.Check, target, n.Detail))
	case checkers.LocalFault:
		d.bus.Publish(event.CheckLocalFault.With(n.Reason, n.Detail, n.Count))
	case checkers.LocalFaultOver:
		d.bus.Publish(event.CheckLocalFaultOver.With(n.Count))
	case checkers.Warned:
		d.bus.Publish(event.CheckWarning.With(id.Virtual, id.Real, n.Check, target, n.Detail))
	case checkers.Flapping:
		d.bus.Publish(event.CheckFlapping.With(id.Virtual, id.Real, n.Check, target, n.Detail))
	case checkers.Overloaded:
		d.bus.Publish(event.CheckLate.With(n.Count, n.Detail))
	}
}

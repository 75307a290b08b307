package tell

import (
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/internal/event"
)

// Check publishes a verdict that changed.
func Check(bus *event.Bus, c checkers.Change) {
	id, target := c.ID, c.Target
	inState := time.Duration(0)
	if !c.Since.IsZero() {
		inState = c.At.Sub(c.Since).Round(time.Millisecond)
	}
	switch c.What {
	case checkers.Began:
		bus.Publish(event.CheckBegan.With(id.Virtual, id.Real, c.Kind, target, c.Up))
	case checkers.Fell:
		bus.Publish(event.CheckDown.With(id.Virtual, id.Real, c.Kind, target, c.Reason, c.Detail, c.Attempts, inState))
	case checkers.Rose:
		bus.Publish(event.CheckUp.With(id.Virtual, id.Real, c.Kind, target, inState, c.Latency.Total.Round(time.Microsecond)))
	case checkers.Reweighed:
		bus.Publish(event.CheckWeight.With(id.Virtual, id.Real, c.Kind, target, weightMode(c.Weight), c.Weight.Value))
	}
}

func weightMode(w checkers.Weight) string {
	if w.Drain {
		return "drain"
	}
	switch w.Mode {
	case checkers.Absolute:
		return "absolute"
	case checkers.Percent:
		return "percent"
	case checkers.Added:
		return "added"
	}
	return "none"
}

// Notice publishes what the checks notice without a change of state.
func Notice(bus *event.Bus, n checkers.Notice) {
	id, target := n.ID, n.Target
	switch n.Kind {
	case checkers.FailedAttempt:
		bus.Publish(event.CheckFailed.With(id.Virtual, id.Real, n.Check, target, n.Reason, n.Detail, n.Attempt, n.Of))
	case checkers.ProbePanic:
		bus.Publish(event.CheckPanic.With(n.Check, target, n.Detail))
	case checkers.LocalFault:
		bus.Publish(event.CheckLocalFault.With(n.Reason, n.Detail, n.Count))
	case checkers.LocalFaultOver:
		bus.Publish(event.CheckLocalFaultOver.With(n.Count))
	case checkers.Warned:
		bus.Publish(event.CheckWarning.With(id.Virtual, id.Real, n.Check, target, n.Detail))
	case checkers.Flapping:
		bus.Publish(event.CheckFlapping.With(id.Virtual, id.Real, n.Check, target, n.Detail))
	case checkers.Overloaded:
		bus.Publish(event.CheckLate.With(n.Count, n.Detail))
	}
}

package reading

import (
	"fmt"

	"github.com/holdfast-ha/holdfast/internal/event"
)

const (
	maxTold      = 100   // operations of one reload that are logged
	maxAnnounced = 1_000 // operations in the answer to one who waits for it
)

// TellPlan logs what a reload is about to do: the list of holdfast plan.
func (r *Reading) TellPlan(bus *event.Bus) {
	for i, c := range r.Plan {
		if i == maxTold {
			bus.Publish(event.ConfigChange.With("", fmt.Sprintf("%d more operations", len(r.Plan)-maxTold), ""))
			return
		}
		bus.Publish(event.ConfigChange.With(string(c.Op), c.Object(), c.Consequence()))
	}
}

// Operations are the lines that holdfast plan prints for it, not too many.
func (r *Reading) Operations() []string {
	var out []string
	for i, c := range r.Plan {
		if i == maxAnnounced {
			return append(out, fmt.Sprintf("  and %d more", len(r.Plan)-maxAnnounced))
		}
		out = append(out, c.Lines()...)
	}
	return out
}

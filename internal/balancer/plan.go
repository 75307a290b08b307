package balancer

import (
	"fmt"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/event"
)

const (
	maxTold      = 100   // operations of one reload that are logged
	maxAnnounced = 1_000 // operations in the answer to one who waits for it
)

// tellPlan logs what a reload is about to do: the list of holdfast plan.
func (d *daemon) tellPlan(plan []config.Change) {
	for i, c := range plan {
		if i == maxTold {
			d.bus.Publish(event.ConfigChange.With("", fmt.Sprintf("%d more operations", len(plan)-maxTold), ""))
			return
		}
		d.bus.Publish(event.ConfigChange.With(string(c.Op), c.Object(), c.Consequence()))
	}
}

// operations are the lines that holdfast plan prints for them.
func operations(plan []config.Change) []string {
	var out []string
	for i, c := range plan {
		if i == maxAnnounced {
			return append(out, fmt.Sprintf("  and %d more", len(plan)-maxAnnounced))
		}
		out = append(out, c.Lines()...)
	}
	return out
}

package reading

import (
	"strings"
	"testing"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/event"
)

// Errors of a file whose @ lines are all for other directors come from what they leave out.
func TestARejectionSaysThatNoConditionIsMet(t *testing.T) {
	var hints []string
	bus := &event.Bus{}
	bus.Add(func(e event.Event) { hints = append(hints, e.Field("hint")) })
	r := Reading{Diags: config.Diagnostics{
		{Severity: config.Note, Code: "condition-unmet", Message: "every line with @a is left out", Hint: "say so with -i NAME"},
		{Severity: config.Error, Message: "not defined"},
	}}
	r.TellRejected(bus, "f")
	r.Diags = r.Diags[1:]
	r.TellRejected(bus, "f")
	if len(hints) != 2 || !strings.Contains(hints[0], "every line with @a is left out: say so with -i NAME") || hints[1] != "" {
		t.Errorf("%q", hints)
	}
}

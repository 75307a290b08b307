package reading

import (
	"strconv"
	"strings"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/event"
)

// maxDiagnostics bounds how many warnings of one file are logged; 'holdfast check' shows all.
const maxDiagnostics = 50

// Tell logs what is to be said about a configuration that runs; file is its name.
func (r *Reading) Tell(bus *event.Bus, file string) {
	warned := 0
	for _, g := range r.Diags {
		switch g.Severity {
		case config.Error:
			bus.Publish(event.ConfigBlocked.With(g.Item, position(g), g.Message, g.Hint))
		case config.Warning:
			if warned++; warned <= maxDiagnostics {
				bus.Publish(event.ConfigWarning.With(position(g), g.Message, g.Hint))
			}
		}
	}
	if warned > maxDiagnostics {
		bus.Publish(event.ConfigWarning.With("", strconv.Itoa(warned-maxDiagnostics)+" more warnings", "run: holdfast check "+file))
	}
}

// TellRejected logs why a configuration with errors does not come into force, and answers that in one line.
func (r *Reading) TellRejected(bus *event.Bus, file string) string {
	first, why := r.Diags.FirstError(), r.Diags.Err()
	hint, n := first.Hint, r.Diags.Count(config.Error)
	if n > 1 {
		all := "holdfast check " + file
		why += " ('" + all + "' lists them)"
		hint = strings.TrimPrefix(hint+"; all "+strconv.Itoa(n)+" errors: "+all, "; ")
	}
	for _, g := range r.Diags {
		if g.Code == "condition-unmet" { // what is missing for that reason looks like quite other mistakes
			hint = strings.TrimPrefix(hint+"; "+g.Message+": "+g.Hint, "; ")
		}
	}
	bus.Publish(event.ConfigRejected.With(file, position(*first), first.Message, hint, n))
	return why
}

// Warnings are those of the files, each in one line.
func (r *Reading) Warnings() (out []string) {
	for _, g := range r.Diags {
		if g.Severity == config.Warning {
			out = append(out, g.String())
		}
	}
	return out
}

func position(g config.Diagnostic) string {
	return config.Pos{File: g.File, Line: g.Line, Col: g.Col}.String()
}

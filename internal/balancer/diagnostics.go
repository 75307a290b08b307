package balancer

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/internal/event"
)

// maxDiagnostics bounds how many warnings of one file are logged; 'holdfast check' shows all.
const maxDiagnostics = 50

// reject leaves everything as it is. Without a configuration that ran before there is nothing to leave, and the process ends.
func (d *daemon) reject(diags config.Diagnostics) {
	first := diags.FirstError()
	d.rejected, d.rejectAt = diags.Err(), time.Now()
	hint, n := first.Hint, diags.Count(config.Error)
	if n > 1 {
		all := "holdfast check " + d.o.ConfigFile
		d.rejected += " ('" + all + "' lists them)"
		hint = strings.TrimPrefix(hint+"; all "+strconv.Itoa(n)+" errors: "+all, "; ")
	}
	d.bus.Publish(event.ConfigRejected.With(d.o.ConfigFile, position(*first), first.Message, hint, n))
	if !d.started {
		d.fallBack()
		return
	}
	d.endChange(control.Reloaded{}, errors.New(d.rejected))
}

// tellDiagnostics logs what is to be said about a configuration that runs.
func (d *daemon) tellDiagnostics(diags config.Diagnostics) {
	warned := 0
	for _, g := range diags {
		switch g.Severity {
		case config.Error:
			d.bus.Publish(event.ConfigBlocked.With(g.Item, position(g), g.Message, g.Hint))
		case config.Warning:
			if warned++; warned <= maxDiagnostics {
				d.bus.Publish(event.ConfigWarning.With(position(g), g.Message, g.Hint))
			}
		}
	}
	if warned > maxDiagnostics {
		d.bus.Publish(event.ConfigWarning.With("", strconv.Itoa(warned-maxDiagnostics)+" more warnings", "run: holdfast check "+d.o.ConfigFile))
	}
}

func position(g config.Diagnostic) string {
	return config.Pos{File: g.File, Line: g.Line, Col: g.Col}.String()
}

func warnings(diags config.Diagnostics) (out []string) {
	for _, g := range diags {
		if g.Severity == config.Warning {
			out = append(out, g.String())
		}
	}
	return out
}

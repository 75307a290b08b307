package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/holdfast-ha/holdfast/internal/control"
)

func printInstances(w io.Writer, s control.Status) {
	if len(s.Instances) == 0 {
		return
	}
	fmt.Fprintln(w, "\nINSTANCE\tSTATE\tSINCE\tPRIORITY\tINTERFACE\tVRID\tMASTER\tADDRESSES\tREASON")
	for _, i := range s.Instances {
		priority := fmt.Sprint(i.Priority)
		if i.Priority != i.BasePriority {
			priority += fmt.Sprintf(" (base %d)", i.BasePriority)
		}
		master := i.Master
		if i.State == "MASTER" {
			master = "this director"
		}
		reason := i.Reason
		if len(i.Faults) > 0 {
			reason = strings.Join(i.Faults, "; ")
		}
		for _, d := range i.Denied {
			reason = strings.TrimSpace(fmt.Sprintf("%s [NOT SET: %s on %s: %s]", reason, d.Address, d.Interface, d.Reason))
		}
		if n := len(i.Counters.Refused); n > 0 {
			reason = strings.TrimSpace(reason + " [refused adverts: " + counts(i.Counters.Refused) + "]")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", i.Name, i.State, ago(i.Since), priority, i.Interface, i.VRID, dash(master),
			dash(strings.Join(i.Addresses, " ")), dash(reason))
	}
}

func printServers(w io.Writer, s control.Status) {
	for _, v := range s.VirtualServers {
		state := ""
		switch {
		case v.Suspended:
			state = ", suspended"
		case v.Sorry:
			state = ", SORRY SERVER SERVES"
		case !v.Quorum:
			state = ", QUORUM LOST"
		case v.Panic:
			state = ", PANIC: failed servers serve"
		}
		fmt.Fprintf(w, "\nVIRTUAL SERVER %s (%s%s)\n", v.ID, v.Scheduler, state)
		fmt.Fprintln(w, "  REAL SERVER\tSTATE\tWEIGHT\tFORWARD\tACTIVE\tINACTIVE\tCONN/S\tCHECKS")
		for _, r := range v.Servers {
			active, inactive, rate := "-", "-", "-"
			if t := r.Traffic; t != nil {
				active, inactive, rate = fmt.Sprint(t.Active), fmt.Sprint(t.Inactive), fmt.Sprint(t.ConnectionRate)
			}
			fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, serverState(r), serverWeight(r), r.Forward, active, inactive, rate, dash(serverChecks(r)))
		}
	}
}

func serverState(r control.RealServer) string {
	state := "DOWN"
	switch {
	case r.Drained:
		state = "drained"
	case r.Leaving:
		state = "leaving"
	case r.Draining:
		state = "draining"
	case r.Up:
		state = "up"
	}
	if r.DrainedBy != "" {
		state += " by " + r.DrainedBy
	}
	if r.DrainWhy != "" {
		state += " (" + r.DrainWhy + ")"
	}
	if !r.DrainSince.IsZero() {
		state += " for " + ago(r.DrainSince)
	}
	if r.Draining && !r.Drained && r.InTable {
		state += ", " + left(r)
	}
	if !r.InTable {
		state += ", not in the table"
	}
	return state
}

// left is what a draining server still has.
func left(r control.RealServer) string {
	n := r.Connections
	if r.Traffic != nil {
		n = int(r.Traffic.Active + r.Traffic.Inactive)
	}
	text := fmt.Sprintf("%d connections left", n)
	if n == 1 {
		text = "1 connection left"
	}
	if !r.DrainUntil.IsZero() {
		text += fmt.Sprintf(", %s at most", max(time.Until(r.DrainUntil), 0).Round(time.Second))
	}
	return text
}

func serverWeight(r control.RealServer) string {
	if r.Weight == r.Configured {
		return fmt.Sprint(r.Weight)
	}
	return fmt.Sprintf("%d (configured %d)", r.Weight, r.Configured)
}

func serverChecks(r control.RealServer) string {
	var words []string
	for _, c := range r.Checks {
		word := c.Kind + " ok"
		switch {
		case c.Suspend:
			word = c.Kind + " suspended"
		case !c.Ran:
			word = c.Kind + " not run yet"
		case !c.Up:
			word = c.Kind + " DOWN: " + strings.TrimSpace(c.Reason+" "+c.Detail)
		case c.Reason != "":
			word = c.Kind + " ok, last attempt: " + c.Reason
		}
		words = append(words, word)
	}
	return strings.Join(words, "; ")
}

func printTracked(w io.Writer, s control.Status) {
	if len(s.Tracked) == 0 {
		return
	}
	fmt.Fprintln(w, "\nTRACKED\tSTATE\tSINCE\tREASON")
	for _, t := range s.Tracked {
		state := "not known yet"
		switch {
		case t.Known && strings.HasPrefix(t.ID, "file/"):
			state = fmt.Sprint(t.Value)
		case t.Known && t.OK:
			state = "ok"
		case t.Known:
			state = "FAILED"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", t.ID, state, ago(t.Since), dash(t.Reason))
	}
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// ago is how long something is the case, short enough for a table.
func ago(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	d := time.Since(t)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

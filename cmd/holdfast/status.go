package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-ha/holdfast/internal/control"
)

func init() { register(statusCommand) }

func statusCommand() *cobra.Command {
	var c client
	var output string
	var watch bool
	cmd := &cobra.Command{
		Use: "status", Short: "Show instances, virtual servers, checks and the last events", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != "text" && output != "json" {
				return fmt.Errorf("-o %s: use text or json", output)
			}
			for {
				var s control.Status
				if err := c.do(control.Request{Op: control.OpStatus}, askWithin, &s); err != nil {
					return err
				}
				out := cmd.OutOrStdout()
				if watch {
					fmt.Fprint(out, "\x1b[H\x1b[2J")
				}
				if err := printStatus(out, s, output); err != nil || !watch {
					return err
				}
				time.Sleep(time.Second)
			}
		},
	}
	c.flags(cmd)
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "show it anew every second")
	return cmd
}

func printStatus(out io.Writer, s control.Status, output string) error {
	if output == "json" {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(s)
	}
	fmt.Fprintf(out, "holdfast %s, router pid %d, configuration %d of %s", s.Version, s.Router.PID, s.Config.Generation, s.Config.File)
	if !s.Config.Loaded.IsZero() {
		fmt.Fprintf(out, " since %s", s.Config.Loaded.Local().Format("2006-01-02 15:04:05"))
	}
	fmt.Fprintln(out)
	for _, line := range troubles(s) {
		fmt.Fprintln(out, "!", line)
	}
	if s.Kernel != nil && s.Kernel.Sync != nil {
		fmt.Fprintln(out, "connections are synchronised:", syncLine(*s.Kernel.Sync))
	}
	if c := s.Checks; c != nil {
		fmt.Fprintln(out, checksLine(c))
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	printInstances(w, s)
	printServers(w, s)
	printTracked(w, s)
	if err := w.Flush(); err != nil {
		return err
	}
	if len(s.Events) > 0 {
		fmt.Fprintln(out, "\nLAST EVENTS")
		for _, e := range s.Events[max(0, len(s.Events)-10):] {
			if err := printEvent(out, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// checksLine is the checks as a whole.
func checksLine(c *control.Checks) string {
	line := fmt.Sprintf("checks: %d, %d up, served by %d probes; %d run, %d wait", c.Configured, c.Up, c.Probes, c.InFlight, c.Waiting)
	if n := c.Lateness.Count; n > 0 {
		within := func(share float64) string {
			for _, b := range c.Lateness.Buckets {
				if float64(b.Count) >= share*float64(n) {
					return time.Duration(b.LeSeconds * float64(time.Second)).String()
				}
			}
			return "more than 5s"
		}
		line += fmt.Sprintf("; attempts start at most %s late in 50%%, %s in 99%%", within(0.5), within(0.99))
	}
	return line
}

// syncLine tells the daemons of the kernel and what they did.
func syncLine(s control.Sync) string {
	var words []string
	for _, d := range s.Daemons {
		words = append(words, fmt.Sprintf("%s %s id %d", d.Role, d.Interface, d.ID))
	}
	line := strings.Join(words, ", ")
	if !s.Counted {
		return line
	}
	least := ""
	if s.More {
		least = "at least "
	}
	line += fmt.Sprintf("; connections: %s%d learned from a peer, %s%d own", least, s.Learned, least, s.Own)
	if s.Dropped > 0 {
		line += fmt.Sprintf("; %d MESSAGES LOST: raise net.ipv4.vs.sync_sock_size", s.Dropped)
	}
	return line
}

// troubles are what an operator should see first.
func troubles(s control.Status) (out []string) {
	if s.Router.Away {
		out = append(out, "the router does not answer; what follows is what it said last")
	}
	if s.Config.Rejected != "" {
		out = append(out, fmt.Sprintf("the last reload was refused at %s, the configuration before runs: %s", s.Config.RejectedAt.Local().Format("15:04:05"), s.Config.Rejected))
	}
	for _, p := range s.Config.Problems {
		out = append(out, "waits: "+p)
	}
	if !s.Ready {
		out = append(out, "not ready: "+s.NotReady)
	}
	if s.IPVS != "" && s.IPVS != s.NotReady {
		out = append(out, "IPVS: "+s.IPVS)
	}
	if k := s.Kernel; k != nil {
		for _, p := range k.Problems {
			out = append(out, "the kernel refuses: "+p)
		}
		for _, c := range k.Contended {
			out = append(out, "another program keeps changing "+c)
		}
		for _, name := range slices.Sorted(maps.Keys(k.Overrides)) {
			out = append(out, fmt.Sprintf("weight set by hand: %s %d ('holdfast reconcile' ends that)", name, k.Overrides[name]))
		}
	}
	if s.Checks != nil && s.Checks.LocalFault {
		out = append(out, "every check fails on this director's own side: look at its network, not at the servers")
	}
	if len(s.Router.UnknownAdverts) > 0 {
		out = append(out, "advertisements for nobody here: "+counts(s.Router.UnknownAdverts))
	}
	for _, f := range s.Router.Foreign {
		out = append(out, fmt.Sprintf("foreign virtual router on %s: VRID %d, IPv%d, version %d, %s with priority %d, %d adverts", f.Interface, f.VRID, f.Family, f.Version, f.Master, f.Priority, f.Count))
	}
	if s.LogLinesLost > 0 {
		out = append(out, fmt.Sprintf("%d log lines were lost", s.LogLinesLost))
	}
	return out
}

func counts(m map[string]uint64) string {
	var words []string
	for reason, n := range m {
		words = append(words, fmt.Sprintf("%s %d", reason, n))
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}

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

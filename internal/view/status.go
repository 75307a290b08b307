package view

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/holdfast-ha/holdfast/internal/control"
)

// Status writes a status for people: a summary of all, what is wrong, then the chosen objects one by one, and the last events.
func Status(out io.Writer, s, chosen control.Status) error {
	fmt.Fprintf(out, "holdfast %s, router pid %d, configuration %d of %s", s.Version, s.Router.PID, s.Config.Generation, s.Config.File)
	if !s.Config.Loaded.IsZero() {
		fmt.Fprintf(out, " since %s", s.Config.Loaded.Local().Format("2006-01-02 15:04:05"))
	}
	fmt.Fprintln(out)
	for _, line := range summary(s) {
		fmt.Fprintln(out, line)
	}
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
	printInstances(w, chosen)
	printServers(w, chosen)
	printTracked(w, chosen)
	if err := w.Flush(); err != nil {
		return err
	}
	if len(s.Instances)+len(s.VirtualServers) > 0 && len(chosen.Instances)+len(chosen.VirtualServers)+len(chosen.Tracked) == 0 {
		fmt.Fprintln(out, "\nno instance, virtual server, real server or tracked thing is chosen")
	}
	if len(chosen.Events) > 0 {
		fmt.Fprintln(out, "\nLAST EVENTS")
		for _, e := range chosen.Events[max(0, len(chosen.Events)-10):] {
			if err := Event(out, e); err != nil {
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
	for _, i := range s.Instances {
		if i.SplitBrain != "" {
			out = append(out, "SPLIT BRAIN, "+i.Name+": "+i.SplitBrain)
		}
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
		out = append(out, strings.TrimSuffix(fmt.Sprintf("%d log lines were lost: %s", s.LogLinesLost, s.LogError), ": "))
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

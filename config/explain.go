package config

import (
	"fmt"
	"strings"
	"time"
)

// maxCombinations bounds the tracked things whose combinations are listed: 2 to this power lines.
const maxCombinations = 5

// Explain says in plain words what a configuration will do: takeover times, priorities under failures against a peer of priority
// peer (0: not known), and for each virtual server how long a dead server stays and what happens without any.
func Explain(m *Model, peer int) string {
	var b strings.Builder
	for i := range m.Instances {
		explainInstance(&b, m, &m.Instances[i], peer)
	}
	for i := range m.Groups {
		g := &m.Groups[i]
		fmt.Fprintf(&b, "Sync group %s: %s change state together. One member in FAULT puts all of them in FAULT.\n\n", visible(g.Name), visible(strings.Join(g.Members, ", ")))
	}
	for i := range m.VirtualServers {
		explainServer(&b, m, &m.VirtualServers[i])
	}
	if b.Len() == 0 {
		return "The configuration has no vrrp_instance and no virtual_server.\n"
	}
	return b.String()
}

// Skew is the part of the master-down time that depends on the priority (RFC 3768 6.1, RFC 9568 6.1).
func (i *VRRPInstance) Skew(priority int) time.Duration {
	if i.Version == 2 {
		return time.Duration(256-priority) * time.Second / 256
	}
	return time.Duration(256-priority) * i.AdvertInt / 256
}

func secs(d time.Duration) string {
	return strings.TrimSuffix(timeText(d.Round(time.Millisecond), time.Second), ".") + " s"
}

func explainInstance(b *strings.Builder, m *Model, i *VRRPInstance, peer int) {
	family := "IPv4"
	if i.IPv6 {
		family = "IPv6"
	}
	fmt.Fprintf(b, "Instance %s: virtual router %d on %s, %s, VRRP version %d, priority %d\n", visible(i.Name), i.VRID, visible(i.Interface), family, i.Version, i.Priority)
	if i.Blocked != "" {
		fmt.Fprintf(b, "  DOES NOT RUN: %s\n\n", i.Blocked)
		return
	}
	fmt.Fprintf(b, "  Addresses: %d advertised, %d more that move along\n", len(i.VIPs), len(i.ExcludedVIPs))
	if i.Unicast {
		fmt.Fprintf(b, "  Adverts: every %s to %d peers\n", secs(i.AdvertInt), len(i.UnicastPeers))
	} else {
		fmt.Fprintf(b, "  Adverts: every %s to %s\n", secs(i.AdvertInt), i.McastDst)
	}
	skew := i.Skew(i.Priority)
	down := time.Duration(i.DownTimerAdverts)*i.AdvertInt + skew
	if i.Priority == 255 {
		b.WriteString("  Start: owner of the addresses, MASTER at once\n")
	} else {
		fmt.Fprintf(b, "  Start: BACKUP; alone on the network MASTER after %s\n", secs(down+m.Global.StartupDelay))
	}
	if d := m.Global.DelayAfterBoot; d > 0 {
		fmt.Fprintf(b, "  After a boot: says nothing and hears nothing until the machine has been up for %s (vrrp_delay_after_boot)\n", secs(d))
	}
	fmt.Fprintf(b, "  The master dies or its link goes: this director takes over within %s to %s (%d adverts missed, skew %s)\n", secs(down-i.AdvertInt), secs(down), i.DownTimerAdverts, secs(skew))
	fmt.Fprintf(b, "  The master stops in order: this director takes over after %s, and the addresses stay served until then\n", secs(skew))
	switch {
	case i.NoPreempt:
		b.WriteString("  Preemption: none. A returning director of higher priority waits until this one fails\n")
	case i.PreemptDelay > 0:
		fmt.Fprintf(b, "  Preemption: a master of lower priority is left for %s, then taken over from within %s\n", secs(i.PreemptDelay), secs(down))
	default:
		fmt.Fprintf(b, "  Preemption: a master of lower priority is taken over from within %s\n", secs(down))
	}
	explainOurFailure(b, i, peer)
	explainScripts(b, m, i)
	explainPriorities(b, m, i, peer)
	b.WriteByte('\n')
}

// weighted is a tracked thing that changes the priority.
type weightedTrack struct {
	name   string
	weight int
}

func explainPriorities(b *strings.Builder, m *Model, i *VRRPInstance, peer int) {
	var list []weightedTrack
	var fatal, values []string
	collect := func(kind string, tracks []Track) {
		for _, t := range tracks {
			name := kind + " " + visible(t.Name)
			if t.Reverse {
				name += " reversed"
			}
			switch {
			case t.Weight == 0:
				fatal = append(fatal, name)
			case kind == "file":
				values = append(values, fmt.Sprintf("%s (value x %d)", name, t.Weight))
			default:
				list = append(list, weightedTrack{name, t.Weight})
			}
		}
	}
	collect("interface", i.TrackInterfaces)
	collect("script", i.TrackScripts)
	collect("process", i.TrackProcesses)
	collect("file", i.TrackFiles)
	collect("bfd", i.TrackBFDs)
	collect("quorum of virtual server", i.TrackVirtualServers)
	if !i.DontTrackPrimary && i.Interface != "" {
		fatal = append(fatal, "interface "+visible(i.Interface))
	}
	for k := range m.Groups {
		for _, name := range m.Groups[k].Members {
			if name == i.Name && len(m.Groups[k].TrackScripts)+len(m.Groups[k].TrackInterfaces)+len(m.Groups[k].TrackProcesses) > 0 {
				fatal = append(fatal, "what sync group "+visible(m.Groups[k].Name)+" tracks")
			}
		}
	}
	if len(fatal) > 0 {
		fmt.Fprintf(b, "  FAULT, and the other director takes over, when this fails: %s\n", strings.Join(fatal, ", "))
	}
	if len(values) > 0 {
		fmt.Fprintf(b, "  Added to the priority: %s\n", strings.Join(values, ", "))
	}
	if len(list) == 0 {
		return
	}
	verdict := func(p int) string {
		switch {
		case peer == 0:
			return ""
		case i.NoPreempt:
			return "  (nopreempt: changes nothing while both live)"
		case p > peer:
			return fmt.Sprintf("  above the peer's %d: stays or becomes MASTER", peer)
		case p == peer:
			return fmt.Sprintf("  equal to the peer's %d: the higher address wins", peer)
		}
		return fmt.Sprintf("  below the peer's %d: the peer is MASTER", peer)
	}
	effective := func(failed func(k int) bool) int {
		if i.Priority == 255 {
			return 255
		}
		p := i.Priority
		for k, t := range list {
			switch {
			case t.weight > 0 && !failed(k), t.weight < 0 && failed(k):
				p += t.weight
			}
		}
		return min(max(p, 1), 254)
	}
	show := func(label string, p int) { fmt.Fprintf(b, "    %3d  %s%s\n", p, label, verdict(p)) }
	moves := ""
	if !i.NoPreempt {
		moves = fmt.Sprintf(" (who is higher takes over within %s)", secs(i.PreemptDelay+time.Duration(i.DownTimerAdverts)*i.AdvertInt+i.Skew(1)))
	}
	fmt.Fprintf(b, "  Effective priority%s:\n", moves)
	none := effective(func(int) bool { return false })
	show("all well", none)
	moved := false
	if len(list) <= maxCombinations {
		for bits := 1; bits < 1<<len(list); bits++ {
			var names []string
			for k, t := range list {
				if bits>>k&1 == 1 {
					names = append(names, t.name)
				}
			}
			p := effective(func(k int) bool { return bits>>k&1 == 1 })
			moved = moved || none > peer != (p > peer)
			show("failed: "+strings.Join(names, ", "), p)
		}
	} else {
		for one, t := range list {
			p := effective(func(k int) bool { return k == one })
			moved = moved || none > peer != (p > peer)
			show("failed: "+t.name, p)
		}
		p := effective(func(int) bool { return true })
		moved = moved || none > peer != (p > peer)
		show("failed: all of them", p)
		explainDecisive(b, list, peer, effective)
	}
	if peer != 0 && !moved && none > peer {
		fmt.Fprintf(b, "    NOTE: no failure of these moves the addresses to a peer of priority %d\n", peer)
	}
}

func explainServer(b *strings.Builder, m *Model, v *VirtualServer) {
	fmt.Fprintf(b, "Virtual server %s: %s, %s, %d real servers\n", visible(v.ServiceName()), v.Method.Forward, v.Scheduler, len(v.RealServers))
	if v.Blocked != "" {
		fmt.Fprintf(b, "  DOES NOT RUN: %s\n\n", v.Blocked)
		return
	}
	if v.PersistenceTimeout > 0 {
		fmt.Fprintf(b, "  A client stays with its server for %s after its last connection\n", secs(v.PersistenceTimeout))
	}
	said := map[string]bool{}
	unchecked := 0
	for k := range v.RealServers {
		r := &v.RealServers[k]
		if len(r.Checks) == 0 {
			unchecked++
		}
		for c := range r.Checks {
			s := removal(&r.Checks[c])
			if !said[s] {
				said[s] = true
				b.WriteString("  " + s + "\n")
			}
		}
	}
	if unchecked > 0 {
		fmt.Fprintf(b, "  %d real servers have no check: they always count as up\n", unchecked)
	}
	if v.Alpha {
		b.WriteString("  At start real servers get no traffic until their checks pass\n")
	} else {
		b.WriteString("  At start real servers get traffic before their first check\n")
	}
	if v.InhibitOnFailure {
		b.WriteString("  A failed server stays in the table with weight 0: its clients are not moved\n")
	} else {
		b.WriteString("  A failed server is removed from the table\n")
	}
	explainQuorum(b, v)
	explainEmpty(b, m, v)
	b.WriteByte('\n')
}

// removal says how long a dead server stays in the table.
func removal(c *Check) string {
	switch c.Kind {
	case FileCheck, BFDCheck:
		return fmt.Sprintf("%s: a change counts at once", c.Kind)
	}
	timeout := c.ConnectTimeout
	if c.Kind == MiscCheck {
		timeout = c.Timeout
	}
	tries := time.Duration(c.Retry)
	quick := tries * c.DelayBeforeRetry
	slow := quick + (tries+1)*timeout
	refuses, silent := "a server that refuses", "one that is silent"
	if c.Kind == MiscCheck {
		refuses, silent = "a program that fails at once", "one that hangs"
	}
	return fmt.Sprintf("%s every %s: %s is out after %s to %s, %s after %s to %s (%d retries); back within %s",
		c.Kind, secs(c.DelayLoop), refuses, secs(quick), secs(quick+c.DelayLoop), silent, secs(slow), secs(slow+c.DelayLoop), c.Retry, secs(c.DelayLoop))
}

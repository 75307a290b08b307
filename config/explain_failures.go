package config

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"
)

const (
	maxMinimal = 12 // tracked things whose smallest decisive combinations are searched: 2 to this power cases
	maxSets    = 20 // of them that are listed
)

// explainOurFailure says what the peer does when this director goes.
func explainOurFailure(b *strings.Builder, i *VRRPInstance, peer int) {
	if peer <= 0 {
		return
	}
	skew := i.Skew(peer)
	down := time.Duration(i.DownTimerAdverts)*i.AdvertInt + skew
	fmt.Fprintf(b, "  This director is killed or cut off as MASTER: the peer of priority %d takes over within %s to %s\n", peer, secs(down-i.AdvertInt), secs(down))
	fmt.Fprintf(b, "  This director stops, or goes to FAULT and can still send: the peer takes over after %s\n", secs(skew))
	switch own := i.allWell(); {
	case own < peer:
		fmt.Fprintf(b, "  Both well: the peer is MASTER, %d against %d%s\n", peer, own, unlessPreempt(i))
	case own == peer:
		fmt.Fprintf(b, "  Both well: equal priorities %d, whoever was first stays MASTER; the higher address wins a split\n", own)
	default:
		fmt.Fprintf(b, "  Both well: this director is MASTER, %d against %d%s\n", own, peer, unlessPreempt(i))
	}
}

// allWell is the priority while nothing that is tracked has failed.
func (i *VRRPInstance) allWell() int {
	if i.Priority == 255 {
		return 255
	}
	p := i.Priority
	for _, tracks := range [][]Track{i.TrackInterfaces, i.TrackScripts, i.TrackProcesses, i.TrackBFDs, i.TrackVirtualServers} {
		for _, t := range tracks {
			p += max(t.Weight, 0)
		}
	}
	return min(max(p, 1), 254)
}

func unlessPreempt(i *VRRPInstance) string {
	if i.NoPreempt {
		return ", unless the other one was first (nopreempt)"
	}
	return ""
}

// explainScripts says how long a failure of each tracked script takes to count.
func explainScripts(b *strings.Builder, m *Model, i *VRRPInstance) {
	for _, t := range i.TrackScripts {
		s := m.Script(t.Name)
		if s == nil {
			continue
		}
		after := func(times int) string {
			n := time.Duration(max(times, 1))
			return secs((n-1)*s.Interval) + " to " + secs(n*s.Interval)
		}
		fmt.Fprintf(b, "  Script %s every %s: a failure counts after %s, one that hangs %s later, a success after %s\n",
			visible(s.Name), secs(s.Interval), after(s.Fall), secs(s.Timeout), after(s.Rise))
	}
}

// decisive finds the smallest combinations of failures with which the peer is ahead.
func decisive(list []weightedTrack, peer int, effective func(failed func(k int) bool) int) (sets []uint, more bool) {
	for size := 1; size <= len(list); size++ {
		for set := uint(1); set < 1<<len(list); set++ {
			if bits.OnesCount(set) != size || covers(sets, set) || effective(func(k int) bool { return set>>k&1 == 1 }) >= peer {
				continue
			}
			if len(sets) == maxSets {
				return sets, true
			}
			sets = append(sets, set)
		}
	}
	return sets, false
}

// covers says that a smaller combination within set is decisive already.
func covers(sets []uint, set uint) bool {
	for _, s := range sets {
		if s&set == s {
			return true
		}
	}
	return false
}

// explainDecisive lists them where there are too many tracked things for a line for each combination.
func explainDecisive(b *strings.Builder, list []weightedTrack, peer int, effective func(failed func(k int) bool) int) {
	if peer == 0 || len(list) > maxMinimal || effective(func(int) bool { return false }) < peer {
		return
	}
	sets, more := decisive(list, peer, effective)
	if len(sets) == 0 {
		return
	}
	fmt.Fprintf(b, "    Fewest failures with which the peer of priority %d is ahead:\n", peer)
	for _, set := range sets {
		var names []string
		for k, t := range list {
			if set>>k&1 == 1 {
				names = append(names, t.name)
			}
		}
		fmt.Fprintf(b, "      %s\n", strings.Join(names, ", "))
	}
	if more {
		b.WriteString("      ... and more\n")
	}
}

// explainQuorum says how many servers may go.
func explainQuorum(b *strings.Builder, v *VirtualServer) {
	total, weights := 0, make([]int, 0, len(v.RealServers))
	for k := range v.RealServers {
		total += v.RealServers[k].Weight
		weights = append(weights, v.RealServers[k].Weight)
	}
	lost := max(v.Quorum-v.Hysteresis, 1)
	fmt.Fprintf(b, "  Quorum: won at a total weight of %d, lost below %d (all together weigh %d)\n", v.Quorum+v.Hysteresis, lost, total)
	if total < lost {
		b.WriteString("    NOTE: it is never won\n")
		return
	}
	slices.SortFunc(weights, func(a, b int) int { return b - a })
	left, few := total, 0
	for left >= lost && few < len(weights) {
		left -= weights[few]
		few++
	}
	left, many := total, 0
	for k := len(weights) - 1; k >= 0 && left >= lost; k-- {
		left -= weights[k]
		many++
	}
	if few == many {
		fmt.Fprintf(b, "    It is lost with the failure of %s of %d\n", servers(few), len(weights))
	} else {
		fmt.Fprintf(b, "    It is lost with the failure of %d (the heaviest) to %d of %d real servers\n", few, many, len(weights))
	}
	if v.QuorumDown.Line != "" || v.QuorumUp.Line != "" {
		b.WriteString("    quorum_down and quorum_up run when it changes\n")
	}
}

func servers(n int) string {
	if n == 1 {
		return "1 real server"
	}
	return fmt.Sprintf("%d real servers", n)
}

// explainEmpty says what clients meet when nothing is left.
func explainEmpty(b *strings.Builder, m *Model, v *VirtualServer) {
	if v.Sorry != nil {
		fmt.Fprintf(b, "  Without quorum %s:%d serves alone\n", v.Sorry.Addr, v.Sorry.Port)
	} else {
		b.WriteString("  Without quorum what is left goes on serving; with no server left new connections fail\n")
	}
	if v.PanicThreshold > 0 {
		fmt.Fprintf(b, "  With fewer than %d percent of the servers up, failed ones serve too\n", v.PanicThreshold)
	}
	for i := range m.Instances {
		for _, t := range m.Instances[i].TrackVirtualServers {
			if t.Name != v.TrackName() {
				continue
			}
			if t.Weight == 0 {
				fmt.Fprintf(b, "  Without quorum instance %s is in FAULT: the peer gets its addresses\n", visible(m.Instances[i].Name))
			} else {
				fmt.Fprintf(b, "  Without quorum the priority of instance %s changes by its weight of %+d\n", visible(m.Instances[i].Name), t.Weight)
			}
		}
	}
	if v.MasterOf != "" {
		fmt.Fprintf(b, "  In the kernel only while instance %s is MASTER here\n", visible(v.MasterOf))
	}
	if v.SlowStart > 0 {
		fmt.Fprintf(b, "  The weight of a server that came back rises over %s\n", secs(v.SlowStart))
	}
	if v.DrainTimeout > 0 {
		fmt.Fprintf(b, "  A server that leaves the file keeps its connections for at most %s\n", secs(v.DrainTimeout))
	}
}

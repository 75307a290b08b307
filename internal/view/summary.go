package view

import (
	"fmt"
	"strings"

	"github.com/holdfast-ha/holdfast/internal/control"
)

// summary is how things are, in a line for each kind of object.
func summary(s control.Status) (lines []string) {
	if len(s.Instances)+len(s.VirtualServers) == 0 {
		return []string{"no instances and no virtual servers are configured"}
	}
	if n := len(s.Instances); n > 0 {
		count := map[string]int{}
		for _, i := range s.Instances {
			count[i.State]++
		}
		lines = append(lines, fmt.Sprintf("%s: %s", number(n, "instance"), tally(count, "MASTER", "BACKUP", "FAULT", "INIT")))
	}
	if n := len(s.VirtualServers); n > 0 {
		virtual, servers, all := map[string]int{}, map[string]int{}, 0
		for _, v := range s.VirtualServers {
			virtual[virtualState(v)]++
			all += len(v.Servers)
			for _, r := range v.Servers {
				servers[serverKind(r)]++
			}
		}
		lines = append(lines, fmt.Sprintf("%s: %s; %s: %s", number(n, "virtual server"), tally(virtual, "ok", "without quorum", "on the sorry server", "in panic", "suspended"),
			number(all, "real server"), tally(servers, "up", "down", "draining", "drained", "leaving")))
	}
	failed := 0
	for _, t := range s.Tracked {
		if t.Known && !t.OK && !strings.HasPrefix(t.ID, "file/") {
			failed++
		}
	}
	if failed > 0 {
		lines = append(lines, fmt.Sprintf("%d of %d tracked things failed", failed, len(s.Tracked)))
	}
	return lines
}

// virtualState is how a virtual server serves.
func virtualState(v control.VirtualServer) string {
	switch {
	case v.Suspended:
		return "suspended"
	case v.Sorry:
		return "on the sorry server"
	case !v.Quorum:
		return "without quorum"
	case v.Panic:
		return "in panic"
	}
	return "ok"
}

// serverKind is what becomes of a real server.
func serverKind(r control.RealServer) string {
	switch {
	case r.Drained:
		return "drained"
	case r.Leaving:
		return "leaving"
	case r.Draining:
		return "draining"
	case r.Up:
		return "up"
	}
	return "down"
}

func number(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// tally lists the counts that are not 0, in this order.
func tally(count map[string]int, order ...string) string {
	var words []string
	for _, what := range order {
		if n := count[what]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, what))
		}
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

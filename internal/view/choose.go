package view

import (
	"slices"
	"strings"

	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/internal/event"
)

// Choose is s with those objects only whose names or addresses contain one of these words, without regard to case (all without words), and with
// problems only those that are not as they should be. A virtual server that is chosen by its own name keeps all its real servers.
func Choose(s control.Status, words []string, problems bool) control.Status {
	if len(words) == 0 && !problems {
		return s
	}
	has := func(texts ...string) bool {
		return len(words) == 0 || slices.ContainsFunc(texts, func(text string) bool {
			return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(strings.ToLower(text), strings.ToLower(w)) })
		})
	}
	instances, servers := []control.Instance{}, []control.VirtualServer{}
	for _, i := range s.Instances {
		if has(append([]string{i.Name, i.Interface, i.Group}, i.Addresses...)...) && !(problems && healthy(i)) {
			instances = append(instances, i)
		}
	}
	for _, v := range s.VirtualServers {
		own := has(append([]string{v.ID}, v.Services...)...)
		real := []control.RealServer{}
		for _, r := range v.Servers {
			if (own || has(r.ID)) && !(problems && serving(r)) {
				real = append(real, r)
			}
		}
		if len(real) > 0 || own && !(problems && virtualState(v) == "ok") {
			v.Servers = real
			servers = append(servers, v)
		}
	}
	var tracked []control.Tracked
	for _, t := range s.Tracked {
		if has(t.ID) && !(problems && t.Known && (t.OK || strings.HasPrefix(t.ID, "file/"))) {
			tracked = append(tracked, t)
		}
	}
	s.Instances, s.VirtualServers, s.Tracked = instances, servers, tracked
	if len(words) > 0 {
		s.Events = slices.DeleteFunc(slices.Clone(s.Events), func(e event.Event) bool {
			return !slices.ContainsFunc(e.Values, func(v any) bool { return has(event.Text(v)) })
		})
	}
	return s
}

// healthy says that an instance is what it was configured to be.
func healthy(i control.Instance) bool {
	return (i.State == "MASTER" || i.State == "BACKUP") && len(i.Faults)+len(i.Denied) == 0 && i.SplitBrain == "" && i.Priority == i.BasePriority
}

// serving says that a real server gets clients as configured, and no check doubts it.
func serving(r control.RealServer) bool {
	return r.Up && r.InTable && !r.Draining && !r.Leaving && r.Weight == r.Configured &&
		!slices.ContainsFunc(r.Checks, func(c control.Check) bool { return !c.Suspend && (!c.Up || !c.Ran) })
}

package vrrp

import (
	"fmt"
	"slices"
	"strings"
)

// tracks are the trackers that count for a machine: its own, as far as its sync group lets it keep them, and the group's.
// Without sync_group_tracking_weight keepalived drops weighted scripts and processes of members and turns the default weight of a file
// and the weight of an interface into 0 (keepalived.md 3.6).
func (m *machine) tracks() ([]TrackInterface, []TrackRef) {
	u := m.unit
	if u.name == "" {
		return m.cfg.TrackInterfaces, m.cfg.Tracks
	}
	ifs, refs := slices.Clone(m.cfg.TrackInterfaces), slices.Clone(m.cfg.Tracks)
	if !u.cfg.TrackingWeight {
		for i := range ifs {
			ifs[i].Weight = 0
		}
		refs = slices.DeleteFunc(refs, func(r TrackRef) bool { return r.Weight != 0 && !r.file() })
		for i := range refs {
			if refs[i].Weight == 1 {
				refs[i].Weight = 0
			}
		}
	}
	return append(ifs, u.cfg.TrackInterfaces...), append(refs, u.cfg.Tracks...)
}

func (r TrackRef) file() bool   { return strings.HasPrefix(r.ID, "file/") }
func (r TrackRef) script() bool { return strings.HasPrefix(r.ID, "script/") }

// ok is the sense of a tracker without a number.
func (r TrackRef) ok(t Track) bool {
	if r.file() {
		return (t.Value == 0) != r.Reverse
	}
	return t.OK != r.Reverse
}

// weigh is what a tracker that is OK or not adds to the priority: a positive weight while OK, a negative one while not.
func weigh(weight int, ok bool) int {
	if weight > 0 == ok {
		return weight
	}
	return 0
}

// product is the contribution of a file, before it is clamped.
func (r TrackRef) product(t Track) int {
	p := t.Value * r.Weight
	if r.Reverse {
		p = -p
	}
	return p
}

// priorityOf is the effective priority: the base and the sum of the weights, 1 to 254; 255 never changes but between two owners (owner.go).
func (ms *Machines) priorityOf(m *machine) uint8 {
	if m.cfg.Priority == 255 {
		if m.demoted {
			return 254
		}
		return 255
	}
	ifs, refs := m.tracks()
	p := int(m.cfg.Priority)
	for _, t := range ifs {
		if t.Weight != 0 {
			p += weigh(t.Weight, ms.up(t.Name) != t.Reverse)
		}
	}
	for _, r := range refs {
		t := ms.tracks[r.ID]
		switch {
		case r.Weight == 0:
		case !t.Known:
			if m.adopted != 0 {
				return m.adopted
			}
		case r.file():
			p += min(max(r.product(t), -253), 253)
		default:
			p += weigh(r.Weight, r.ok(t))
		}
	}
	m.adopted = 0
	return uint8(min(max(p, 1), 254))
}

// sum says in words what the effective priority is made of: the base, what is added or taken, and what is missing because something fails.
func (ms *Machines) sum(m *machine) string {
	parts := []string{fmt.Sprintf("base %d", m.cfg.Priority)}
	add := func(weight int, counts bool, what string) {
		switch n := weigh(weight, counts); {
		case n != 0:
			parts = append(parts, fmt.Sprintf("%+d %s", n, what))
		case weight > 0:
			parts = append(parts, fmt.Sprintf("no %+d, %s", weight, what))
		}
	}
	ifs, refs := m.tracks()
	for _, t := range ifs {
		word := "down"
		if ms.up(t.Name) {
			word = "up"
		}
		add(t.Weight, (word == "up") != t.Reverse, fmt.Sprintf("interface %s is %s", t.Name, word))
	}
	for _, r := range refs {
		t := ms.tracks[r.ID]
		kind, name, _ := strings.Cut(r.ID, "/")
		switch {
		case r.Weight == 0 || !t.Known:
		case r.file():
			if n := min(max(r.product(t), -253), 253); n != 0 {
				parts = append(parts, fmt.Sprintf("%+d file %s is %d", n, name, t.Value))
			}
		case t.OK:
			add(r.Weight, r.ok(t), kind+" "+name+" is ok")
		default:
			add(r.Weight, r.ok(t), kind+" "+name+" fails")
		}
	}
	return strings.Join(parts, ", ")
}

func (ms *Machines) up(name string) bool {
	l := ms.links[name]
	return l.Exists && l.Up
}

func (ms *Machines) linkFault(name string) string {
	l, seen := ms.links[name]
	switch {
	case !seen || !l.Exists:
		return fmt.Sprintf("interface %s does not exist", name)
	case !l.Up:
		return fmt.Sprintf("interface %s is down", name)
	}
	return ""
}

// faultsOf lists everything that keeps an instance from being BACKUP or MASTER.
func (ms *Machines) faultsOf(m *machine) []string {
	var out []string
	add := func(s string) {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	c := &m.cfg
	if c.Blocked != "" {
		add("configuration: " + c.Blocked)
	}
	f := ms.linkFault(c.Interface)
	switch {
	case f != "" && (!c.DontTrackPrimary || !ms.links[c.Interface].Exists):
		add(f)
	case !ms.source(m).IsValid() && c.Family == IPv6:
		add(fmt.Sprintf("interface %s has no link-local IPv6 address to send from", c.Interface))
	case !ms.source(m).IsValid():
		add(fmt.Sprintf("interface %s has no IPv4 address to send from", c.Interface))
	}
	if c.UnicastFaultNoPeer && len(c.Peers) == 0 {
		add("no unicast peer is configured")
	}
	for _, a := range c.Addresses {
		if a.Interface != "" && a.Interface != c.Interface && !a.NoTrack {
			add(ms.linkFault(a.Interface))
		}
	}
	for i := range c.Routes {
		for _, name := range c.Routes[i].interfaces() {
			if name != c.Interface {
				add(ms.linkFault(name))
			}
		}
	}
	ifs, refs := m.tracks()
	for _, t := range ifs {
		switch up := ms.up(t.Name); {
		case t.Weight != 0 || up != t.Reverse:
		case t.Reverse:
			add(fmt.Sprintf("tracked interface %s is up", t.Name))
		default:
			add("tracked " + ms.linkFault(t.Name))
		}
	}
	for _, r := range refs {
		t := ms.tracks[r.ID]
		switch {
		case !t.Known:
		case r.Weight == 0 && !r.ok(t), r.file() && r.Weight != 0 && r.product(t) <= -254:
			kind, name, _ := strings.Cut(r.ID, "/")
			if r.file() {
				add(fmt.Sprintf("tracked %s %s is %d", kind, name, t.Value))
			} else {
				add(fmt.Sprintf("tracked %s %s fails", kind, name))
			}
		}
	}
	if c.Serves && ms.awayOver {
		reason := "this director cannot balance"
		if ms.ready.Reason != "" {
			reason += ": " + ms.ready.Reason
		}
		add(reason)
	}
	for _, k := range sortedKeys(m.troubles) {
		add(m.troubles[k])
	}
	add(m.barredBecause())
	return out
}

func sortedKeys(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

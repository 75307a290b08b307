package vrrp

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Snapshot is the status of every instance, ordered by name.
func (ms *Machines) Snapshot() []Status {
	out := make([]Status, 0, len(ms.byID))
	for _, u := range ms.units {
		for _, m := range u.members {
			out = append(out, ms.status(u, m))
		}
	}
	slices.SortFunc(out, func(a, b Status) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return compareID(a.ID, b.ID)
	})
	return out
}

// Each tells the state of every instance, with the name of its sync group, in no particular order. It allocates nothing.
func (ms *Machines) Each(tell func(id ID, group string, s State)) {
	for _, u := range ms.units {
		for _, m := range u.members {
			tell(m.id, u.name, u.state)
		}
	}
}

func (ms *Machines) status(u *unit, m *machine) Status {
	s := Status{
		ID: m.id, Name: m.cfg.Name, State: u.state, Since: u.since, Reason: u.reason,
		Priority: m.priority, Base: m.cfg.Priority, MasterPriority: m.masterPriority,
		Faults: slices.Clone(u.faults), Group: u.name, Addresses: slices.Clone(m.cfg.Addresses), Denied: slices.Clone(m.denied),
		Takeover: TakeoverTime(m.cfg), Yielded: m.yielded, HandingOver: u.giving != nil,
		Counters: m.counters,
	}
	s.Counters.Refused = maps.Clone(m.counters.Refused)
	if u.state == Master {
		s.Rival = m.rival()
		s.MasterAddr = ""
		if src := ms.source(m); src.IsValid() {
			s.MasterAddr = src.String()
		}
		s.MasterPriority = m.priority
	} else if m.masterAddr.IsValid() {
		s.MasterAddr = m.masterAddr.String()
	}
	return s
}

// rival is the other MASTER that was told of last.
func (m *machine) rival() Rival {
	heard := 4 * max(m.cfg.Interval, time.Second)
	switch {
	case m.rivalTold && m.rivalAddr.IsValid():
		return Rival{Addr: m.rivalAddr.String(), Priority: m.rivalPriority, Since: m.rivalSince, Until: m.rivalAt.Add(heard)}
	case m.deaf.told:
		return Rival{Addr: m.deaf.from.String(), Refused: string(m.deaf.why), Priority: m.deaf.priority, Since: m.deaf.since, Until: m.deaf.at.Add(heard)}
	}
	return Rival{}
}

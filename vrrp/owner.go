package vrrp

import (
	"net/netip"
	"time"
)

// Two routers of priority 255 are an error in their configurations: only one can own the addresses. The one with the lower address yields. If it does
// not, because it does not hear or ignores adverts (owner_ignore_adverts), the other one would fight it for ever: after two adverts of its own
// and 1.2 of the longer interval it counts as 254 and yields itself, until a router of lower priority, or another one, is heard, or nobody.

// ownerYields lowers an owner whose rival owner goes on.
func (ms *Machines) ownerYields(now time.Time, m *machine, a Advert, from netip.Addr) bool {
	if m.priority != 255 || a.Priority != 255 || now.Sub(m.rivalSince) < 2*m.cfg.Interval+max(m.cfg.Interval, a.Interval)*6/5 {
		return false
	}
	m.demoted, m.demotedFor = true, from
	m.priority = 254
	ms.noticeOf(m, from, "split_brain", "%s has priority 255 as well and does not yield though its address is lower: this router counts as 254 and yields. Only one router can own the addresses: lower the priority of the other", from)
	ms.backup(now, m.unit, m, from.String()+" owns the addresses as well and does not yield")
	m.accept(now, a, from)
	return true
}

// ownerAgain ends that when somebody else is MASTER.
func (ms *Machines) ownerAgain(now time.Time, m *machine, a Advert, from netip.Addr) {
	if m.demoted && a.Priority != 0 && (from != m.demotedFor || a.Priority < 255) {
		m.demoted = false
		ms.reprioritise(now, m)
	}
}

// restore ends it when nobody is MASTER any more.
func (m *machine) restore() {
	if m.demoted {
		m.demoted, m.priority = false, 255
	}
}

package vrrp

import (
	"net/netip"
	"time"
)

const (
	// refusalQuiet: a refusal that comes again after so long is told as a new one.
	refusalQuiet = 10 * time.Minute
	// maxRefusals bounds the senders that refusals are counted for.
	maxRefusals = 64
)

type refusalKey struct {
	from   netip.Addr
	reason Reason
}

type refusalSeen struct {
	count uint64
	at    time.Time
}

// deaf is another MASTER whose advertisements are refused here, heard while MASTER.
type deaf struct {
	from  netip.Addr
	count int
	since time.Time
	at    time.Time
	told  bool
	// why and priority are those of the last one.
	why      Reason
	priority uint8
}

// refuse counts a dropped advertisement.
func (ms *Machines) refuse(now time.Time, m *machine, r Refusal) {
	m.counters.Refused[string(r.Reason)]++
	m.meanwhile[r.Reason]++
	key := refusalKey{r.From, r.Reason}
	s := m.refused[key]
	if s == nil || now.Sub(s.at) > refusalQuiet {
		if s == nil && len(m.refused) >= maxRefusals {
			clear(m.refused) // somebody makes up addresses; the total tells how much
		}
		s = &refusalSeen{}
		m.refused[key] = s
	}
	s.count++
	s.at = now
	ms.emit(Refused{ID: m.id, Refusal: r, Count: s.count})
	ms.refusedRival(now, m, r)
}

// forgive forgets the refusals of a sender that is accepted: what is refused of it next is news. A sender of which one part is accepted and another refused, as
// one that speaks two forms after a reload, is no news every time.
func (m *machine) forgive(now time.Time, from netip.Addr) {
	for k, s := range m.refused {
		if k.from == from && now.Sub(s.at) > 5*max(m.cfg.Interval, time.Second) {
			delete(m.refused, k)
		}
	}
	if m.deaf.from == from {
		m.deaf = deaf{}
	}
}

// refusedRival tells that there are two owners because this router does not accept what the other one says: nobody will yield.
func (ms *Machines) refusedRival(now time.Time, m *machine, r Refusal) {
	switch r.Reason {
	case ReasonOwn, ReasonReplay, ReasonAuthStale, ReasonTruncated, ReasonLength, ReasonType, ReasonVRID, ReasonProtocol:
		return // an echo, or nothing that tells whether its sender is MASTER now
	}
	if m.unit.state != Master || m.unit.giving != nil || r.Priority == 0 {
		return
	}
	d := &m.deaf
	if d.from != r.From || now.Sub(d.at) > 4*max(m.cfg.Interval, time.Second) {
		*d = deaf{from: r.From, since: now}
	}
	d.at, d.why, d.priority = now, r.Reason, r.Priority
	d.count++
	if d.count >= rivalSplit && !d.told {
		d.told = true
		ms.noticeOf(m, r.From, "split_brain", "%s (priority %d) has sent %d advertisements in %s as MASTER while this router is, and they are refused here: %s: %s",
			r.From, r.Priority, d.count, short(now.Sub(d.since)), r.Reason, r.Detail)
	}
}

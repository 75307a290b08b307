package vrrp

import (
	"net/netip"
	"slices"
	"time"
)

// maxSenders bounds the senders whose sequences an instance remembers. All of them held the key.
const maxSenders = 64

// Sequences are the auth_hmac sequences and the AH counter of one instance: what has to outlive the process so that a captured advertisement cannot
// be replayed to the next one, and so that what the next one says is not taken for a replay.
type Sequences struct {
	ID ID
	// Sent is the last one sent, 0 for none.
	Sent uint64
	// AH is the last counter sent, 0 for none.
	AH uint32
	// Heard are the last ones accepted.
	Heard []Heard
}

// Heard is the last sequence of one sender.
type Heard struct {
	From     netip.Addr
	Sequence uint64
}

func (Sequences) event() {}

// Sequences lists what is to be remembered of every instance that has signed or verified anything, ordered by identity.
func (ms *Machines) Sequences() []Sequences {
	var out []Sequences
	for id, s := range ms.recalled {
		if ms.byID[id] == nil {
			out = append(out, s)
		}
	}
	for _, m := range ms.byID {
		if s := m.sequences(); s.Sent != 0 || s.AH != 0 || len(s.Heard) > 0 {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b Sequences) int { return compareID(a.ID, b.ID) })
	return out
}

func (m *machine) sequences() Sequences {
	s := Sequences{ID: m.id, Sent: m.signSent}
	if m.cfg.Version == 2 && m.cfg.Auth.Type == "AH" {
		s.AH = m.ahSent
	}
	for from, seq := range m.signHeard {
		s.Heard = append(s.Heard, Heard{from, seq})
	}
	slices.SortFunc(s.Heard, func(a, b Heard) int { return a.From.Compare(b.From) })
	return s
}

// recall takes what a former process remembered. The instance need not be there yet.
func (ms *Machines) recall(s Sequences) {
	ms.recalled[s.ID] = s
	if m := ms.byID[s.ID]; m != nil {
		m.recall(s)
	}
}

// ahMargin is what the AH counter goes ahead by: more than can have been sent since it was stored. A counter that does not rise is refused by peers for
// a master-down interval, and a crash would be a failover.
const ahMargin = 1000

func (m *machine) recall(s Sequences) {
	if s.AH != 0 {
		m.ahSent = max(m.ahSent, s.AH+ahMargin)
	}
	if m.signSent == 0 || after(s.Sent, m.signSent) && s.Sent != 0 {
		m.signSent = s.Sent
	}
	for _, h := range s.Heard {
		if seq, seen := m.signHeard[h.From]; !seen || after(h.Sequence, seq) {
			m.signHeard[h.From] = h.Sequence
		}
	}
}

// signed checks the trailer of a packet, or that it may be without one.
func (m *machine) signed(c *Instance, now time.Time, p Packet, a *Advert) *Refusal {
	h := c.HMAC
	if len(a.trailer) != trailerLen {
		if h != nil && h.Mode == HMACEnforce {
			return refuse(p, ReasonAuthMissing, "no auth_hmac trailer, and mode enforce wants one")
		}
		return nil
	}
	if h == nil {
		return refuse(p, ReasonAuthType, "it carries an auth_hmac trailer (key %d), this router has no auth_hmac", a.trailer[1])
	}
	if len(c.Peers) > 0 && !c.peer(p.Src) {
		return refuse(p, ReasonPeer, "signed, but not in unicast_peer")
	}
	msg := p.Payload[:len(p.Payload)-trailerLen]
	if a.AH {
		msg = msg[ahLen:]
	}
	seq, ahead, r := h.verify(now, p, msg, a.trailer)
	if r != nil {
		return r
	}
	last, seen := m.signHeard[p.Src]
	// A sequence outside the window orders only what the window refuses anyway. Without this a sender whose clock was set back would not be heard.
	if seen && !h.Monotonic {
		if d := secondsAhead(last, now); d > h.Window || d < -h.Window {
			seen = false
		}
	}
	if seen && !after(seq, last) {
		return refuse(p, ReasonReplay, "sequence %#x, the last one was %#x", seq, last)
	}
	a.signed, a.signature, a.ahead = true, seq, ahead
	return nil
}

func (i *Instance) peer(a netip.Addr) bool {
	return slices.ContainsFunc(i.Peers, func(x Peer) bool { return x.Addr.WithZone("") == a })
}

// heardSigned remembers the sequence of an advertisement that was accepted.
func (m *machine) heardSigned(from netip.Addr, seq uint64) {
	if _, known := m.signHeard[from]; !known && len(m.signHeard) >= maxSenders {
		// The oldest goes.
		var victim netip.Addr
		for addr, s := range m.signHeard {
			if !victim.IsValid() || after(m.signHeard[victim], s) {
				victim = addr
			}
		}
		delete(m.signHeard, victim)
	}
	m.signHeard[from] = seq
}

// signatureEvidence tells what an operator has to know before it becomes an outage: who does not sign while that is still accepted, and
// whose clock is about to leave the window. Once per sender until it is mended.
func (ms *Machines) signatureEvidence(m *machine, a Advert, from netip.Addr) {
	h := m.cfg.HMAC
	if h == nil {
		return
	}
	switch {
	case !a.signed && m.unsignedTold != from:
		m.unsignedTold = from
		ms.noticeOf(m, from, "unsigned", "%s sends without a trailer: mode enforce would refuse it", from)
	case a.signed && m.unsignedTold == from:
		m.unsignedTold = noAddr
	}
	if !a.signed || h.Monotonic {
		return
	}
	switch far := a.ahead.Abs() > h.Window/2; {
	case far && m.skewTold != from:
		m.skewTold = from
		ms.noticeOf(m, from, "clock_skew", "%s: %s, time_window is %s", from, clockWords(a.ahead), h.Window)
	case !far && m.skewTold == from:
		m.skewTold = noAddr
	}
}

package vrrp

import (
	"net/netip"
	"slices"
	"time"
)

// Receive takes what a socket delivered: it parses, finds the instance by (interface, family, VRID), and refuses or steps.
func (ms *Machines) Receive(now time.Time, p Packet) []Action {
	ms.out, ms.now = nil, now
	if ms.released {
		return nil
	}
	p.Src, p.Dst = p.Src.WithZone(""), p.Dst.WithZone("")
	vrid, ok := vridOf(p)
	m, r := ms.lookup(p, vrid)
	if !ok || m == nil {
		ms.stranger(now, p)
		return nil
	}
	var a Advert
	if r == nil {
		a, r = m.admit(now, p, ms.source(m))
		if r != nil {
			r.Priority = a.Priority
		}
	}
	if r != nil {
		if p.MAC != "" {
			r.Detail += " (from " + p.MAC + ")"
		}
		ms.refuse(now, m, *r)
	} else {
		m.forgive(now, p.Src)
		ms.signatureEvidence(m, a, p.Src)
		ms.received(now, m, a, p.Src)
	}
	ms.finish()
	return ms.out
}

// maxForeign bounds what is remembered of other virtual routers.
const maxForeign = 1024

func (ms *Machines) stranger(now time.Time, p Packet) {
	a, r := Parse(p, ChecksumEither)
	if r != nil {
		ms.unknown[string(r.Reason)]++
		return
	}
	ms.unknown[string(ReasonVRID)]++
	id := ID{Interface: p.Interface, Family: p.Family, VRID: a.VRID}
	f, seen := ms.foreign[id]
	if !seen && len(ms.foreign) >= maxForeign {
		return
	}
	ms.foreign[id] = Foreign{ID: id, From: p.Src, Version: a.Version, Priority: a.Priority, Last: now, Count: f.Count + 1}
}

// admit checks a packet against the configuration, and, within the transition window, against the former one.
func (m *machine) admit(now time.Time, p Packet, own netip.Addr) (Advert, *Refusal) {
	a, r := m.admitAs(&m.cfg, now, p, own)
	if r != nil && m.former != nil {
		if b, r2 := m.admitAs(m.former, now, p, own); r2 == nil {
			a, r = b, nil
		}
	}
	if r == nil {
		m.admitted(now, p, a)
	}
	return a, r
}

// admitted moves the replay marks on, only now that nothing has been found wrong.
func (m *machine) admitted(now time.Time, p Packet, a Advert) {
	if a.AH {
		if len(m.ahHeard) > 64 {
			clear(m.ahHeard)
		}
		m.ahHeard[p.Src] = ahSeen{seq: a.Sequence, at: now}
		m.ahSent = max(m.ahSent, a.Sequence)
	}
	if a.signed {
		m.heardSigned(p.Src, a.signature)
	}
}

func (m *machine) admitAs(c *Instance, now time.Time, p Packet, own netip.Addr) (Advert, *Refusal) {
	mode := ChecksumStandard
	if c.ChecksumAsV2 {
		mode = ChecksumEither
	}
	a, r := Parse(p, mode)
	if r != nil && r.Reason == ReasonChecksum && c.OldUnicastChecksum && c.Family == IPv4 && !p.Dst.IsMulticast() {
		as := p
		as.Dst, as.TTL = c.group(), 255 // the TTL of a unicast packet is looked at elsewhere
		if old, r2 := Parse(as, mode); r2 == nil {
			a, r = old, nil
		}
	}
	if r != nil {
		return a, r
	}
	if a.Version != c.Version {
		return a, refuse(p, ReasonVersion, "version %d, this router runs %d", a.Version, c.Version)
	}
	if own.IsValid() && p.Src == own {
		return a, refuse(p, ReasonOwn, "sent from this router's own address, priority %d: a loop, or the address is used twice", a.Priority)
	}
	if r := transport(c, p); r != nil {
		return a, r
	}
	if r := m.signed(c, now, p, &a); r != nil {
		return a, r
	}
	if c.Version == 2 {
		if r := m.authentic(c, now, p, a); r != nil {
			return a, r
		}
		if a.Interval != c.Interval {
			return a, refuse(p, ReasonInterval, "interval %s, this router has %s", a.Interval, c.Interval)
		}
	}
	if c.OwnerIgnoreAdverts && c.Priority == 255 {
		return a, refuse(p, ReasonOwner, "priority %d, but this router owns the addresses", a.Priority)
	}
	return a, nil
}

// transport checks that the packet came the way the instance's packets come.
func transport(c *Instance, p Packet) *Refusal {
	unicast := len(c.Peers) > 0
	switch {
	case unicast && p.Dst.IsMulticast():
		return refuse(p, ReasonTransport, "sent to %s, this router speaks unicast", p.Dst)
	case !unicast && !p.Dst.IsMulticast():
		return refuse(p, ReasonTransport, "sent to %s, this router speaks multicast", p.Dst)
	case !unicast:
		return nil
	}
	at := slices.IndexFunc(c.Peers, func(x Peer) bool { return x.Addr.WithZone("") == p.Src })
	bounds := slices.ContainsFunc(c.Peers, func(x Peer) bool { return x.MinTTL > 0 || x.MaxTTL > 0 })
	if at < 0 {
		if c.CheckUnicastSource || bounds {
			return refuse(p, ReasonPeer, "not in unicast_peer")
		}
		return nil
	}
	if x := c.Peers[at]; p.TTL < x.MinTTL || x.MaxTTL > 0 && p.TTL > x.MaxTTL {
		return refuse(p, ReasonTTL, "TTL %d, wanted %d to %d", p.TTL, x.MinTTL, x.MaxTTL)
	}
	return nil
}

// authentic checks v2 authentication.
func (m *machine) authentic(c *Instance, now time.Time, p Packet, a Advert) *Refusal {
	want := c.Auth.wire()
	if a.AuthType != want || a.AH != (want == authAH) {
		return refuse(p, ReasonAuthType, "authentication %s, this router uses %s", authName(a.AuthType, a.AH), authName(want, want == authAH))
	}
	switch want {
	case authPass:
		if c.Family == IPv6 {
			return nil // No authentication data in IPv6.
		}
		var key [authLen]byte
		copy(key[:], c.Auth.Key)
		if a.AuthData != key {
			return refuse(p, ReasonAuthFailure, "another auth_pass")
		}
	case authAH:
		if !verifyAH(c.Auth.Key, p) {
			return refuse(p, ReasonAuthFailure, "the digest does not fit auth_pass")
		}
		// After a silence of a master-down interval its sender may have started anew.
		if last, seen := m.ahHeard[p.Src]; seen && a.Sequence <= last.seq && now.Sub(last.at) < m.masterDown() {
			return refuse(p, ReasonReplay, "counter %d, the last one was %d", a.Sequence, last.seq)
		}
	}
	return nil
}

func authName(t uint8, ah bool) string {
	switch {
	case ah || t == authAH:
		return "AH"
	case t == authPass:
		return "PASS"
	case t == authNone:
		return "none"
	}
	return "of an unknown type"
}

// Spoken are all forms in which instances talk now: the one in force and, within the transition window, the former one. The sockets follow it.
func (ms *Machines) Spoken() []Instance {
	var out []Instance
	for _, u := range ms.units {
		for _, m := range u.members {
			out = append(out, m.cfg)
			if m.former != nil {
				out = append(out, *m.former)
			}
		}
	}
	return out
}

// Packet builds what a Send action puts on the wire from src: one packet to the group, or one to each unicast peer. Within the transition window
// the former form goes out besides, so that peers that are not yet reloaded keep accepting this MASTER.
func (ms *Machines) Packet(s Send, src netip.Addr) []Outgoing {
	m := ms.byID[s.ID]
	if m == nil {
		m = ms.gone[s.ID]
	}
	if m == nil || !src.IsValid() {
		return nil
	}
	out := m.outgoing(&m.cfg, s, src, ms.now)
	if m.former != nil && saysOtherwise(m.former, &m.cfg) {
		out = append(out, m.outgoing(m.former, s, src, ms.now)...)
	}
	return out
}

func (m *machine) outgoing(c *Instance, s Send, src netip.Addr, now time.Time) []Outgoing {
	src = src.WithZone("")
	ttl := uint8(255)
	dsts := make([]netip.Addr, 0, max(len(c.Peers), 1))
	for _, p := range c.Peers {
		dsts = append(dsts, p.Addr)
		if c.TTL != 0 {
			ttl = c.TTL
		}
	}
	if len(dsts) == 0 {
		dsts = append(dsts, c.group())
	}
	if c.Version == 2 && c.Auth.Type == "AH" {
		m.ahSent++
	}
	msg := message(c, c.advertised(), s.Priority)
	n := len(msg)
	if c.HMAC.signs() {
		// Signed once: every peer gets the same sequence and digest, which cover neither the destination nor the checksum.
		m.signSent = c.HMAC.next(m.signSent, now)
		msg = c.HMAC.sign(c.Family, src, m.signSent, msg)
	}
	out := make([]Outgoing, 0, len(dsts))
	for _, dst := range dsts {
		payload := msg
		if len(dsts) > 1 {
			payload = slices.Clone(msg)
		}
		c.fillChecksum(payload, n, src, dst.WithZone(""))
		o := Outgoing{Dst: dst, Proto: ProtoVRRP, TTL: ttl, Payload: payload}
		if c.Version == 2 && c.Auth.Type == "AH" && c.Family == IPv4 {
			o.Proto = ProtoAH
			if o.IPID = uint16(m.ahSent); o.IPID == 0 {
				o.IPID = 1
			}
			o.Payload = wrapAH(c.Auth.Key, src, dst, ttl, o.IPID, m.ahSent, o.Payload)
		}
		out = append(out, o)
	}
	return out
}

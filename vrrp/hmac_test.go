package vrrp

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
	"time"
)

var (
	keyOne = func() []byte {
		k := make([]byte, 32)
		for i := range k {
			k[i] = byte(i)
		}
		return k
	}()
	keySeven = []byte("an-ascii-key-of-exactly-36-bytes-0123")
)

func signing(mode HMACMode, active uint8) *HMAC {
	return &HMAC{Keys: []HMACKey{{1, keyOne}, {7, keySeven}}, Active: active, Mode: mode, Window: 5 * time.Second}
}

// TestKeepalivedHMACBytes: packets captured from keepalived 2.4.3 (tcpdump), IP header included. They are accepted, and are what this router
// would send with the same sequence.
func TestKeepalivedHMACBytes(t *testing.T) {
	prefix := netip.MustParsePrefix
	for name, c := range map[string]struct {
		ip   string
		want Instance
	}{
		"v3": {
			"45c0004000010000ff70d0700a090001e00000123133ff020064cfed0a0900640a090065010100006b01c3e0ce8d00008af849e713717ccf3f97218b02eb5265",
			Instance{Family: IPv4, Version: 3, VRID: 51, HMAC: signing(HMACEnforce, 1), Addresses: []Address{{Prefix: prefix("10.9.0.100/24")}, {Prefix: prefix("10.9.0.101/24")}}},
		},
		"v3 over IPv6": {
			"6c0967d6004470fffe80000000000000000000000000000aff0200000000000000000000000000123135ff020064c517fe80000000000000000000000000010020010db8000000000000000000000100010100006b01c3e0d44c0000ede7fc83c081f099f540a4ae2bb07866",
			Instance{Family: IPv6, Version: 3, VRID: 53, HMAC: signing(HMACEnforce, 1), Addresses: []Address{{Prefix: prefix("fe80::100/64")}, {Prefix: prefix("2001:db8::100/64")}}},
		},
		"v3 unicast": {
			"45c0003c00010000ff70a67c0a0900010a0900023136ff010064b0620a090067010100006b01c3e0da24000098e9d31d0e30ccf4c8d9dba5f44d438c",
			Instance{Family: IPv4, Version: 3, VRID: 54, HMAC: signing(HMACEnforce, 1), Addresses: []Address{{Prefix: prefix("10.9.0.103/24")}}, Peers: []Peer{{Addr: netip.MustParseAddr("10.9.0.1")}}},
		},
		"v2": {
			"45c0004400010000ff70d06c0a090001e00000122134ff010001d5590a0900660000000000000000010700006b01c3e0dced000097a6370fd4d6ac15bba5c9336a993d2f",
			Instance{Family: IPv4, Version: 2, VRID: 52, HMAC: signing(HMACPermissive, 7), Addresses: []Address{{Prefix: prefix("10.9.0.102/24")}}},
		},
		"v2 over IPv6": {
			"6c0967d6003470fffe80000000000000000000000000000aff0200000000000000000000000000122137ff0100010396fe800000000000000000000000000101010700006b01c3e0df8b00003ae57ee71fc4dd14a0fb0c37cb4f9fcc",
			Instance{Family: IPv6, Version: 2, VRID: 55, HMAC: signing(HMACEnforce, 7), Addresses: []Address{{Prefix: prefix("fe80::101/64")}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := hex.DecodeString(c.ip)
			if err != nil {
				t.Fatal(err)
			}
			i := c.want
			i.Name, i.Interface, i.Priority, i.Interval, i.DownTimerAdverts = "VI", "eth0", 100, time.Second, 3
			p := Packet{Interface: "eth0", Family: i.Family}
			if i.Family == IPv4 {
				p.Src, p.Dst = netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:]))
				p.TTL, p.Proto, p.Payload = b[8], b[9], b[20:]
			} else {
				p.Src, p.Dst = netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:]))
				p.TTL, p.Proto, p.Payload = b[7], b[6], b[40:]
			}
			r, _ := boot(t, i)
			r.now = time.Unix(0x6b01c3e0, 950e6)
			if got := show(r.ms.Receive(r.now, p)); got != "" {
				t.Fatalf("received: %s", got)
			}
			if s := r.ms.Snapshot()[0]; s.MasterPriority != 255 || s.Counters.AddressMismatch != 0 {
				t.Fatalf("%+v", s)
			}
			if got := show(r.ms.Receive(r.now, p)); got != "refused replay" {
				t.Fatalf("a replay: %s", got)
			}
			for at := range p.Payload { // every bit is covered, but those of the checksum are only covered by themselves
				q := p
				q.Payload = bytes.Clone(p.Payload)
				q.Payload[at] ^= 0x10
				r, _ := boot(t, i)
				r.now = time.Unix(0x6b01c3e0, 950e6)
				if got := show(r.ms.Receive(r.now, q)); at != 1 && !strings.HasPrefix(got, "refused ") || at == 1 && got != "" {
					t.Fatalf("with byte %d changed: %q", at, got)
				}
			}
			// And the same bytes are what we would send.
			m := r.ms.byID[i.ID()]
			trailer := p.Payload[len(p.Payload)-trailerLen:]
			seq := uint64(0)
			for _, x := range trailer[4:12] {
				seq = seq<<8 | uint64(x)
			}
			m.signSent = seq - 1
			r.ms.now = time.Unix(0x6b01c3e0, 0) // the clock is behind what was sent: one more than the last
			m.cfg.Peers = nil
			if !p.Dst.IsMulticast() {
				m.cfg.Peers = []Peer{{Addr: p.Dst}}
			}
			out := r.ms.Packet(Send{ID: i.ID(), Priority: 255}, p.Src)
			if len(out) != 1 || !bytes.Equal(out[0].Payload, p.Payload) || out[0].Dst != p.Dst || out[0].Proto != ProtoVRRP {
				t.Fatalf("sent %x\nwant %x", out[0].Payload, p.Payload)
			}
		})
	}
}

// from has a router with this configuration say one advertisement at the given time.
func said(t *testing.T, i Instance, src netip.Addr, at time.Time, prio uint8) Packet {
	t.Helper()
	r, _ := boot(t, i)
	r.ms.now = at
	out := r.ms.Packet(Send{ID: i.ID(), Priority: prio}, src)
	p := Packet{Interface: i.Interface, Family: i.Family, Src: src, Dst: out[0].Dst, TTL: out[0].TTL, Proto: out[0].Proto, Payload: out[0].Payload}
	if len(i.Peers) > 0 {
		p.Dst = addrB
	}
	return p
}

func TestHMACAcceptRules(t *testing.T) {
	base := sample(3, IPv4)
	with := func(h *HMAC) Instance { i := base; i.HMAC = h; return i }
	monotonic := signing(HMACEnforce, 1)
	monotonic.Monotonic = true
	otherKey := signing(HMACEnforce, 1)
	otherKey.Keys = []HMACKey{{1, keySeven}}
	thirdKey := signing(HMACEnforce, 3)
	thirdKey.Keys = []HMACKey{{3, keySeven}}
	unicast := with(signing(HMACEnforce, 1))
	unicast.Peers = []Peer{{Addr: addrA.Next().Next().Next()}}
	unicastPeer := with(signing(HMACEnforce, 1))
	unicastPeer.Peers = []Peer{{Addr: addrB}}
	nextVRID := with(signing(HMACEnforce, 1))
	nextVRID.VRID++
	for _, c := range []struct {
		name       string
		mine       Instance
		theirs     Instance
		clockAhead time.Duration
		mangle     func(*Packet)
		want       string
	}{
		{"enforce hears a signed advert", with(signing(HMACEnforce, 1)), with(signing(HMACPermissive, 1)), 0, nil, ""},
		{"any configured key", with(signing(HMACEnforce, 1)), with(signing(HMACEnforce, 7)), 0, nil, ""},
		{"enforce hears an unsigned one", with(signing(HMACEnforce, 1)), base, 0, nil, "refused auth_missing"},
		{"enforce hears a receive-only peer", with(signing(HMACEnforce, 1)), with(signing(HMACReceiveOnly, 1)), 0, nil, "refused auth_missing"},
		{"permissive hears an unsigned one", with(signing(HMACPermissive, 1)), base, 0, nil, "notice unsigned"},
		{"receive-only hears an unsigned one", with(signing(HMACReceiveOnly, 1)), base, 0, nil, "notice unsigned"},
		{"receive-only hears a signed one", with(signing(HMACReceiveOnly, 1)), with(signing(HMACEnforce, 1)), 0, nil, ""},
		{"receive-only hears a wrong key", with(signing(HMACReceiveOnly, 1)), with(otherKey), 0, nil, "refused auth_failure"},
		{"none hears a signed one", base, with(signing(HMACEnforce, 1)), 0, nil, "refused auth_type"},
		{"wrong key under the number", with(signing(HMACEnforce, 1)), with(otherKey), 0, nil, "refused auth_failure"},
		{"unknown key", with(signing(HMACEnforce, 1)), with(thirdKey), 0, nil, "refused auth_unknown_key"},
		{"clock at the edge", with(signing(HMACEnforce, 1)), with(signing(HMACEnforce, 1)), 5 * time.Second, nil, "notice clock_skew"},
		{"clock ahead", with(signing(HMACEnforce, 1)), with(signing(HMACEnforce, 1)), 6 * time.Second, nil, "refused auth_stale"},
		{"clock behind", with(signing(HMACEnforce, 1)), with(signing(HMACEnforce, 1)), -6 * time.Second, nil, "refused auth_stale"},
		{"clock a little off", with(signing(HMACEnforce, 1)), with(signing(HMACEnforce, 1)), 2 * time.Second, nil, ""},
		{"monotonic does not look at the clock", with(monotonic), with(signing(HMACEnforce, 1)), -time.Hour, nil, ""},
		{"of another virtual router", with(signing(HMACEnforce, 1)), nextVRID, 0, func(p *Packet) { p.Payload[1]--; refill(p) }, "refused auth_failure"},
		{"from another address", with(signing(HMACEnforce, 1)), with(signing(HMACEnforce, 1)), 0, func(p *Packet) { p.Src = addrA.Prev(); refill(p) }, "refused auth_failure"},
		{"another type of trailer", with(signing(HMACEnforce, 1)), with(signing(HMACEnforce, 1)), 0, func(p *Packet) { p.Payload[len(p.Payload)-trailerLen] = 2 }, "refused auth_malformed"},
		{"reserved bits", with(signing(HMACEnforce, 1)), with(signing(HMACEnforce, 1)), 0, func(p *Packet) { p.Payload[len(p.Payload)-trailerLen+3] = 1 }, "refused auth_malformed"},
		{"cut short", with(signing(HMACEnforce, 1)), with(signing(HMACEnforce, 1)), 0, func(p *Packet) { p.Payload = p.Payload[:len(p.Payload)-1] }, "refused auth_missing"},
		{"unicast from a stranger with the key", unicast, unicastPeer, 0, nil, "refused unknown_peer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := boot(t, c.mine)
			p := said(t, c.theirs, addrA, r.now.Add(c.clockAhead), 200)
			if c.mangle != nil {
				c.mangle(&p)
			}
			r.shows(r.ms.Receive(r.now, p), c.want)
			heard := r.ms.Snapshot()[0].MasterPriority == 200
			if refused := strings.HasPrefix(c.want, "refused"); heard == refused {
				t.Fatalf("heard %t", heard)
			}
		})
	}
}

// refill makes the checksum of a changed IPv4 packet right.
func refill(p *Packet) {
	(&Instance{Family: IPv4, Version: 3}).fillChecksum(p.Payload, len(p.Payload)-trailerLen, p.Src, p.Dst)
}

func TestHMACReplayMarksMoveOnlyForWhatIsAccepted(t *testing.T) {
	i := sample(2, IPv4)
	i.HMAC = signing(HMACEnforce, 1)
	r, _ := boot(t, i)
	slow := i
	slow.Interval = 3 * time.Second
	// Right signature, wrong interval, and of the future: it must not keep out what follows.
	r.shows(r.ms.Receive(r.now, said(t, slow, addrA, r.now.Add(3*time.Second), 200)), "refused interval")
	first := said(t, i, addrA, r.now, 200)
	r.shows(r.ms.Receive(r.now, first), "")
	r.shows(r.ms.Receive(r.now, first), "refused replay")
	// Another sender has a mark of its own.
	r.shows(r.ms.Receive(r.now, said(t, i, addrA.Prev().Prev(), r.now, 200)), "")
	// Sent earlier, received later.
	second := said(t, i, addrA, r.now.Add(-time.Millisecond), 200)
	r.shows(r.ms.Receive(r.now, second), "refused replay")
}

func TestHMACWithinTheTransitionWindowAndChangedInterval(t *testing.T) {
	i := sample(2, IPv4)
	i.HMAC = signing(HMACEnforce, 1)
	r, _ := boot(t, i)
	former := said(t, i, addrA, r.now, 200)
	i.Interval = 2 * time.Second
	r.ms.Apply(r.now, Config{Instances: []Instance{i}, TransitionWindow: time.Minute})
	r.shows(r.ms.Receive(r.now, former), "")
}

func TestHMACSequences(t *testing.T) {
	h := signing(HMACEnforce, 1)
	mono := signing(HMACEnforce, 1)
	mono.Monotonic = true
	now := time.Unix(1000, 500e6)
	clock := uint64(1000)<<32 | 0x8000<<16
	for _, c := range []struct {
		name string
		h    *HMAC
		last uint64
		want uint64
	}{
		{"the clock", h, 0, clock},
		{"twice in a tick of the clock", h, clock, clock + 1},
		{"the counter carries into the fraction", h, clock | 0xffff, clock + 0x10000},
		{"the clock went back a little", h, clock + 4<<32, clock + 4<<32 + 1},
		{"the clock went back further than the window", h, clock + 6<<32, clock},
		{"but monotonic rises for ever", mono, clock + 6<<32, clock + 6<<32 + 1},
	} {
		if got := c.h.next(c.last, now); got != c.want {
			t.Errorf("%s: %#x, want %#x", c.name, got, c.want)
		}
	}
	if !after(1, ^uint64(0)) || after(^uint64(0), 1) {
		t.Error("2106")
	}
	if d := secondsAhead(uint64(3)<<32, time.Unix(1<<32-2, 0)); d != 5*time.Second {
		t.Error(d)
	}
}

// TestHMACSenderWhoseClockWasSetBack is heard again once its mark has left the window.
func TestHMACSenderWhoseClockWasSetBack(t *testing.T) {
	i := sample(3, IPv4)
	i.HMAC = signing(HMACEnforce, 1)
	r, _ := boot(t, i)
	r.shows(r.ms.Receive(r.now, said(t, i, addrA, r.now.Add(5*time.Second), 200)), "notice clock_skew")
	r.shows(r.ms.Receive(r.now, said(t, i, addrA, r.now, 200)), "refused replay")
	r.after(11 * time.Second)
	r.shows(r.ms.Receive(r.now, said(t, i, addrA, r.now.Add(-3*time.Second), 200)), "")
	if r.ms.Snapshot()[0].Counters.AdvertsReceived != 2 {
		t.Error("not heard")
	}
	i.HMAC.Monotonic = true
	r, _ = boot(t, i)
	r.ms.Receive(r.now, said(t, i, addrA, r.now.Add(5*time.Second), 200))
	r.after(11 * time.Second)
	r.shows(r.ms.Receive(r.now, said(t, i, addrA, t0, 200)), "refused replay")
}

func TestHMACSequencesOutliveTheProcess(t *testing.T) {
	i := sample(3, IPv4)
	i.HMAC = signing(HMACEnforce, 1)
	i.HMAC.Monotonic = true
	r, _ := boot(t, i)
	captured := said(t, i, addrA, r.now, 200)
	r.shows(r.ms.Receive(r.now, captured), "")
	r.ms.Packet(Send{ID: i.ID(), Priority: 100}, addrB)
	left := r.ms.Sequences()
	if len(left) != 1 || len(left[0].Heard) != 1 || left[0].Sent == 0 {
		t.Fatalf("%+v", left)
	}
	next := &rig{t: t, ms: New(), now: t0.Add(-time.Hour)} // even the clock is wrong
	next.step(up("eth0"))
	next.step(left[0])
	next.ms.Apply(next.now, Config{Instances: []Instance{i}})
	next.step(Tick{})
	next.shows(next.ms.Receive(next.now, captured), "refused replay")
	next.ms.Packet(Send{ID: i.ID(), Priority: 100}, addrB)
	if sent := next.ms.Sequences()[0].Sent; sent != left[0].Sent+1 {
		t.Errorf("%#x after %#x", sent, left[0].Sent)
	}
	// An instance that a reload takes away and brings back remembers too.
	next.ms.Apply(next.now, Config{})
	if len(next.ms.Sequences()) != 1 {
		t.Error("forgotten")
	}
	next.ms.Apply(next.now, Config{Instances: []Instance{i}})
	next.step(Tick{})
	next.shows(next.ms.Receive(next.now, captured), "refused replay")
}

func TestHMACRemembersABoundedNumberOfSenders(t *testing.T) {
	m := newMachine(sample(3, IPv4))
	a := netip.MustParseAddr("10.0.0.0")
	for n := range uint64(1000) {
		a = a.Next()
		m.heardSigned(a, n+1)
	}
	if len(m.signHeard) != maxSenders || m.signHeard[a] != 1000 {
		t.Error(len(m.signHeard))
	}
}

func TestUnsignedAndSkewAreToldOncePerSender(t *testing.T) {
	i := sample(3, IPv4)
	plain := i
	i.HMAC = signing(HMACPermissive, 1)
	r, _ := boot(t, i)
	r.shows(r.ms.Receive(r.now, said(t, plain, addrA, r.now, 200)), "notice unsigned")
	r.shows(r.ms.Receive(r.now, said(t, plain, addrA, r.now, 200)), "")
	r.shows(r.ms.Receive(r.now, said(t, i, addrA, r.now.Add(4*time.Second), 200)), "notice clock_skew")
	r.shows(r.ms.Receive(r.now, said(t, i, addrA, r.now.Add(4*time.Second+1e8), 200)), "")
	r.after(4 * time.Second)
	r.shows(r.ms.Receive(r.now, said(t, i, addrA, r.now.Add(time.Second), 200)), "")
	r.shows(r.ms.Receive(r.now, said(t, plain, addrA, r.now, 200)), "notice unsigned")
}

// TestHMACReloads: what a reload changes decides whether the former form is sent besides and for how long it is accepted.
func TestHMACReloads(t *testing.T) {
	plain := sample(3, IPv4)
	with := func(h *HMAC) Instance { i := plain; i.HMAC = h; return i }
	only := func(id uint8, k []byte) *HMAC {
		return &HMAC{Keys: []HMACKey{{id, k}}, Active: id, Mode: HMACEnforce, Window: 5 * time.Second}
	}
	for _, c := range []struct {
		name     string
		was, now Instance
		window   bool
		packets  int
	}{
		{"none to receive-only", plain, with(signing(HMACReceiveOnly, 1)), false, 1},
		{"receive-only to permissive", with(signing(HMACReceiveOnly, 1)), with(signing(HMACPermissive, 1)), true, 2},
		{"permissive to enforce", with(signing(HMACPermissive, 1)), with(signing(HMACEnforce, 1)), true, 1},
		{"none to enforce", plain, with(signing(HMACEnforce, 1)), true, 2},
		{"enforce to none", with(signing(HMACEnforce, 1)), plain, true, 2},
		{"one more key", with(only(1, keyOne)), with(signing(HMACEnforce, 1)), false, 1},
		{"the active key", with(signing(HMACEnforce, 1)), with(signing(HMACEnforce, 7)), true, 2},
		{"the retired key goes", with(signing(HMACEnforce, 7)), with(only(7, keySeven)), true, 1},
		{"another key at once", with(only(1, keyOne)), with(only(1, keySeven)), true, 2},
		{"time_window", with(signing(HMACEnforce, 1)), func() Instance { i := with(signing(HMACEnforce, 1)); i.HMAC.Window = time.Minute; return i }(), false, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := bootConfig(t, Config{Instances: []Instance{c.was}, TransitionWindow: time.Minute})
			r.run(TakeoverTime(c.was))
			acts := r.ms.Apply(r.now, Config{Instances: []Instance{c.now}, TransitionWindow: time.Minute})
			if got := strings.Contains(show(acts), "notice window"); got != c.window {
				t.Errorf("window %t: %s", got, show(acts))
			}
			out := r.ms.Packet(Send{ID: c.now.ID(), Priority: 100}, addrB)
			if len(out) != c.packets {
				t.Fatalf("%d packets", len(out))
			}
			// A peer that has not been reloaded, and one that has, accept one each.
			for k, peer := range []Instance{c.was, c.now} {
				p, _ := boot(t, peer)
				p.step(Link{Name: "eth0", Exists: true, Up: true, Source4: addrA})
				p.now = r.now
				heard := 0
				for _, o := range out {
					if !strings.Contains(show(p.ms.Receive(p.now, Packet{Interface: "eth0", Family: IPv4, Src: addrB, Dst: o.Dst, TTL: 255, Proto: o.Proto, Payload: o.Payload})), "refused") {
						heard++
					}
				}
				if heard == 0 {
					t.Errorf("a peer with %+v accepts nothing", peer.HMAC)
				}
				// And what such a peer says is accepted here.
				if got := show(r.ms.Receive(r.now, said(t, peer, addrA, r.now.Add(time.Duration(k+1)*time.Millisecond), 0))); strings.Contains(got, "refused") {
					t.Errorf("a peer with %+v: %s", peer.HMAC, got)
				}
			}
		})
	}
}

func FuzzHMAC(f *testing.F) {
	for _, family := range []Family{IPv4, IPv6} {
		i := sample(3, family)
		src, dst := ends(family)
		msg := message(&i, i.advertised(), 100)
		n := len(msg)
		msg = signing(HMACEnforce, 1).sign(family, src, clockSequence(t0), msg)
		i.fillChecksum(msg, n, src, dst)
		f.Add(msg, family == IPv6, uint8(112))
	}
	f.Fuzz(func(t *testing.T, b []byte, v6 bool, proto uint8) {
		family := IPv4
		if v6 {
			family = IPv6
		}
		i := sample(3, family)
		i.HMAC = signing(HMACEnforce, 1)
		src, dst := ends(family)
		m := newMachine(i)
		a, r := m.admit(t0, Packet{Interface: "eth0", Family: family, Src: src, Dst: dst, TTL: 255, Proto: proto, Payload: b}, netip.Addr{})
		if r == nil && !a.signed {
			t.Fatal("accepted without a signature")
		}
		if r != nil && len(m.signHeard) > 0 {
			t.Fatal("a refused packet moved a mark")
		}
	})
}

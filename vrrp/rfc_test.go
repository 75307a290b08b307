package vrrp

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestRFC has one row per normative sentence of RFC 9568 sections 6 and 7.1 for version 3; TestRFC3768 has those of version 2. Active is MASTER here.
// The numbers in brackets are those of the RFC's own listing.
func TestRFC(t *testing.T) {
	v3, v2 := sample(3, IPv4), sample(2, IPv4)
	owner := sample(3, IPv4)
	owner.Priority = 255
	v6 := sample(3, IPv6)
	backup := func(t *testing.T, i Instance) *rig { r, _ := boot(t, i); return r }
	higher, lower := addrB.Next(), addrA
	for _, row := range []struct {
		section, says string
		check         func(t *testing.T)
	}{
		{"6.1", "Skew_Time = ((256 - Priority) * Active_Adver_Interval) / 256", func(t *testing.T) {
			if got := skew(3, 100, 2*time.Second); got != 156*2*time.Second/256 {
				t.Error(got)
			}
		}},
		{"3768 6.1", "Skew_Time = (256 - Priority) / 256 seconds", func(t *testing.T) {
			if got := skew(2, 100, 2*time.Second); got != 156*time.Second/256 {
				t.Error(got)
			}
		}},
		{"6.1", "Active_Down_Interval = (3 * Active_Adver_Interval) + Skew_Time", func(t *testing.T) {
			if got := TakeoverTime(v3); got != 3*time.Second+skew(3, 100, time.Second) {
				t.Error(got)
			}
		}},
		{"6.4.1", "(110) if the Priority = 255, send an ADVERTISEMENT, broadcast a gratuitous ARP, transition to Active", func(t *testing.T) {
			r, a := boot(t, owner)
			r.shows(a, "send 255, hold 2, announce 2x5, INIT>MASTER")
		}},
		{"6.4.1", "(125) IPv6 owner: an unsolicited Neighbor Advertisement for each address; (135) set Adver_Timer to Advertisement_Interval", func(t *testing.T) {
			i := v6
			i.Priority = 255
			r, a := boot(t, i)
			r.shows(a, "send 255, hold 1, announce 1x5, INIT>MASTER")
			if at, _ := r.ms.Deadline(); !at.Equal(r.now.Add(i.Interval)) {
				t.Error(at)
			}
		}},
		{"6.4.1", "(150) set Active_Adver_Interval to Advertisement_Interval, Active_Down_Timer, transition to Backup", func(t *testing.T) {
			r, a := boot(t, v3)
			r.shows(a, "INIT>BACKUP")
			if at, _ := r.ms.Deadline(); !at.Equal(r.now.Add(TakeoverTime(v3))) {
				t.Error(at)
			}
		}},
		{"6.4.2", "(310) Backup must not respond to ARP, must not accept packets to the addresses: it does not hold them", func(t *testing.T) {
			r, a := boot(t, v3)
			for _, x := range append(a, r.hear(v3.ID(), 200, lower)...) {
				if h, ok := x.(Hold); ok && len(h.Addresses) > 0 {
					t.Error(x)
				}
			}
		}},
		{"6.4.2", "(315, 330) IPv6 Backup must not answer neighbor solicitations, must not accept packets to the addresses: it does not hold them", func(t *testing.T) {
			r, a := boot(t, v6)
			for _, x := range append(a, r.hear(v6.ID(), 200, netip.MustParseAddr("fe80::1"))...) {
				if h, ok := x.(Hold); ok && len(h.Addresses) > 0 {
					t.Error(x)
				}
			}
		}},
		{"6.4.2", "(345) Shutdown: cancel Active_Down_Timer, transition to Initialize", func(t *testing.T) {
			r := backup(t, v3)
			r.shows(r.step(Release{}), "BACKUP>INIT, released")
			if _, waits := r.ms.Deadline(); waits {
				t.Error("a timer is left")
			}
		}},
		{"6.4.2", "(365) Active_Down_Timer fires: send an ADVERTISEMENT, gratuitous ARP for each address, set Adver_Timer, transition to Active", func(t *testing.T) {
			r := backup(t, v3)
			r.shows(r.run(TakeoverTime(v3)), "send 100, hold 2, announce 2x5, BACKUP>MASTER")
			if at, _ := r.ms.Deadline(); !at.Equal(r.now.Add(time.Second)) {
				t.Error(at)
			}
		}},
		{"6.4.2", "(390) IPv6: unsolicited Neighbor Advertisement for each address", func(t *testing.T) {
			r := backup(t, v6)
			r.shows(r.run(TakeoverTime(v6)), "send 100, hold 1, announce 1x5, BACKUP>MASTER")
		}},
		{"6.4.2", "(425) Priority in the ADVERTISEMENT is zero: set Active_Down_Timer to Skew_Time", func(t *testing.T) {
			r := backup(t, v3)
			r.hear(v3.ID(), 0, lower)
			if at, _ := r.ms.Deadline(); !at.Equal(r.now.Add(skew(3, 100, time.Second))) {
				t.Error(at)
			}
		}},
		{"6.4.2", "(440) Preempt_Mode False, or Priority >= local: adopt Active_Adver_Interval, reset Active_Down_Timer", func(t *testing.T) {
			nopreempt := v3
			nopreempt.NoPreempt = true
			for _, c := range []struct {
				i    Instance
				prio uint8
			}{{nopreempt, 50}, {v3, 100}, {v3, 150}} {
				r := backup(t, c.i)
				r.after(time.Second)
				r.step(Received{ID: c.i.ID(), From: lower, Advert: Advert{Version: 3, VRID: 51, Priority: c.prio, Interval: 2 * time.Second, Addresses: c.i.advertised()}})
				if at, _ := r.ms.Deadline(); !at.Equal(r.now.Add(6*time.Second + skew(3, 100, 2*time.Second))) {
					t.Error(c.prio, at.Sub(r.now))
				}
			}
		}},
		{"6.4.2", "(455) Preempt_Mode True and Priority < local: discard the ADVERTISEMENT", func(t *testing.T) {
			r := backup(t, v3)
			before, _ := r.ms.Deadline()
			r.after(time.Second).hear(v3.ID(), 99, lower)
			if at, _ := r.ms.Deadline(); !at.Equal(before) {
				t.Error(at)
			}
		}},
		{"6.4.3", "(605-640) Active must respond to ARP and neighbor solicitations and forward: it holds all the addresses", func(t *testing.T) {
			for _, i := range []Instance{v3, v6} {
				r, _ := boot(t, i)
				for _, x := range r.run(TakeoverTime(i)) {
					if h, ok := x.(Hold); ok && len(h.Addresses) != len(i.Addresses) {
						t.Error(h)
					}
				}
			}
		}},
		{"6.4.3", "(645) Active must accept packets to the addresses if it owns them or if Accept_Mode is True, else must not", func(t *testing.T) {
			for _, c := range []struct {
				priority uint8
				noAccept bool
				want     bool
			}{{100, false, false}, {100, true, true}, {255, true, false}} {
				i := v3
				i.Priority, i.NoAccept = c.priority, c.noAccept
				r, acts := boot(t, i)
				for _, x := range append(acts, r.run(TakeoverTime(i))...) {
					if h, ok := x.(Hold); ok && h.NoAccept != c.want {
						t.Errorf("%+v: %+v", c, h)
					}
				}
			}
		}},
		{"6.4.3", "(650) Shutdown: transition to Initialize (after a successor has been heard, or at once)", func(t *testing.T) {
			r := master(t, v3)
			r.step(Release{})
			r.shows(r.hear(v3.ID(), 50, lower), "hold 0, MASTER>INIT, released")
			r = master(t, v3)
			r.shows(r.step(ReleaseNow{}), "send 0, hold 0, MASTER>INIT, released")
		}},
		{"6.4.3", "(610) Shutdown: cancel Adver_Timer, send an ADVERTISEMENT with Priority = 0", func(t *testing.T) {
			r := master(t, v3)
			r.shows(r.step(Release{}), "send 0")
			for _, a := range r.run(1500 * time.Millisecond) {
				if s, ok := a.(Send); ok && s.Priority != 0 {
					t.Error(s)
				}
			}
		}},
		{"6.4.3", "(655) Adver_Timer fires: send an ADVERTISEMENT, reset Adver_Timer", func(t *testing.T) {
			r := master(t, v3)
			r.shows(r.run(3*time.Second), "send 100, send 100, send 100")
		}},
		{"6.4.3", "(680) Priority zero: send an ADVERTISEMENT, reset Adver_Timer", func(t *testing.T) {
			r := master(t, v3)
			r.run(500 * time.Millisecond)
			r.shows(r.hear(v3.ID(), 0, lower), "send 100")
			if at, _ := r.ms.Deadline(); !at.Equal(r.now.Add(time.Second)) {
				t.Error(at)
			}
		}},
		{"6.4.3", "(705) Priority greater than local: cancel Adver_Timer, adopt the interval, set Active_Down_Timer, transition to Backup", func(t *testing.T) {
			r := master(t, v3)
			a := r.step(Received{ID: v3.ID(), From: lower, Advert: Advert{Version: 3, VRID: 51, Priority: 101, Interval: 500 * time.Millisecond, Addresses: v3.advertised()}})
			r.shows(a, "notice interval_mismatch, hold 0, MASTER>BACKUP")
			if at, _ := r.ms.Deadline(); !at.Equal(r.now.Add(1500*time.Millisecond + skew(3, 100, 500*time.Millisecond))) {
				t.Error(at.Sub(r.now))
			}
		}},
		{"6.4.3", "(705) Priority equal and the primary address of the sender greater: likewise", func(t *testing.T) {
			r := master(t, v3)
			r.shows(r.hear(v3.ID(), 100, higher), "hold 0, MASTER>BACKUP")
			r = master(t, v6)
			r.shows(r.hear(v6.ID(), 100, netip.MustParseAddr("fe80::3")), "hold 0, MASTER>BACKUP")
		}},
		{"6.4.3", "(725) otherwise: discard the ADVERTISEMENT, send an ADVERTISEMENT immediately", func(t *testing.T) {
			r := master(t, v3)
			r.hear(v3.ID(), 100, lower)
			r.want(v3.ID(), Master)
			if c := r.ms.Snapshot()[0].Counters; c.AdvertsSent != 2 {
				t.Error(c.AdvertsSent)
			}
		}},
		{"7.1", "the IP TTL or Hop Limit MUST be 255", func(t *testing.T) {
			p := packetOf(v3, addrA, Group4, 100)
			p.TTL = 254
			refusedAs(t, v3, p, ReasonTTL)
		}},
		{"7.1", "the VRRP version MUST be that of the router", func(t *testing.T) { refusedAs(t, v3, packetOf(v2, addrA, Group4, 100), ReasonVersion) }},
		{"7.1", "the VRRP packet type MUST be 1", func(t *testing.T) {
			p := packetOf(v3, addrA, Group4, 100)
			p.Payload[0] = 0x32
			refusedAs(t, v3, p, ReasonType)
		}},
		{"7.1", "the received packet MUST contain the complete VRRP packet", func(t *testing.T) {
			p := packetOf(v3, addrA, Group4, 100)
			p.Payload = p.Payload[:len(p.Payload)-1]
			refusedAs(t, v3, p, ReasonTruncated)
		}},
		{"7.1", "the VRRP checksum MUST be right", func(t *testing.T) {
			p := packetOf(v3, addrA, Group4, 100)
			p.Payload[7] ^= 1
			refusedAs(t, v3, p, ReasonChecksum)
		}},
		{"7.1", "the VRID MUST be configured on the receiving interface", func(t *testing.T) {
			r := backup(t, v3)
			p := packetOf(v3, addrA, Group4, 200)
			p.Interface = "eth1"
			r.shows(r.ms.Receive(r.now, p), "")
			if r.ms.Unknown()["vrid"] != 1 {
				t.Error(r.ms.Unknown())
			}
		}},
		{"7.1", "a discarded packet SHOULD be logged, subject to rate-limiting", func(t *testing.T) {
			p := packetOf(v2, addrA, Group4, 100)
			r, _ := boot(t, v3)
			for want := range uint64(3) {
				x, ok := r.ms.Receive(r.now, p)[0].(Refused)
				if !ok || x.Count != want+1 || x.Refusal.Detail == "" {
					t.Errorf("%+v", x)
				}
			}
		}},
		{"7.1", "it MAY verify that the addresses match those configured; a difference SHOULD be logged", func(t *testing.T) {
			i := v3
			i.Addresses = i.Addresses[:1]
			r, _ := boot(t, v3)
			r.shows(r.ms.Receive(r.now, packetOf(i, addrA, Group4, 200)), "notice address_mismatch")
			r.shows(r.ms.Receive(r.now, packetOf(i, addrA, Group4, 200)), "")
		}},
		{"7.1", "it SHOULD log another advertisement interval than its own", func(t *testing.T) {
			i := v3
			i.Interval = 2 * time.Second
			r, _ := boot(t, v3)
			r.shows(r.ms.Receive(r.now, packetOf(i, addrA, Group4, 200)), "notice interval_mismatch")
			r.shows(r.ms.Receive(r.now, packetOf(i, addrA, Group4, 200)), "")
		}},
		{"7.1", "an owner may ignore advertisements", func(t *testing.T) {
			i := owner
			i.OwnerIgnoreAdverts = true
			refusedAs(t, i, packetOf(v3, addrA, Group4, 100), ReasonOwner)
		}},
		{"3768 7.1", "the Adver Interval MUST be the locally configured one", func(t *testing.T) {
			i := v2
			i.Interval = 3 * time.Second
			refusedAs(t, v2, packetOf(i, addrA, Group4, 100), ReasonInterval)
		}},
		{"3768 7.1", "the Auth Type MUST be the locally configured one", func(t *testing.T) {
			i := v2
			i.Auth = Auth{Type: "PASS", Key: "x"}
			refusedAs(t, v2, packetOf(i, addrA, Group4, 100), ReasonAuthType)
		}},
		{"7.2", "packets are sent to the group with TTL 255 and the checksum over the pseudo-header", func(t *testing.T) {
			for _, i := range []Instance{v3, v6} {
				r := backup(t, i)
				src, dst := ends(i.Family)
				out := r.ms.Packet(Send{ID: i.ID(), Priority: 9}, src)
				if len(out) != 1 || out[0].Dst != dst || out[0].TTL != 255 || out[0].Proto != 112 || pseudoChecksum(src, dst, out[0].Payload) != 0 {
					t.Errorf("%+v", out)
				}
			}
		}},
	} {
		if rfc, _, given := strings.Cut(row.section, " "); !given || rfc != "3768" {
			row.section = "9568 " + row.section
		}
		t.Run("RFC "+row.section+" "+row.says, row.check)
	}
}

func refusedAs(t *testing.T, i Instance, p Packet, want Reason) {
	t.Helper()
	r, _ := boot(t, i)
	r.shows(r.ms.Receive(r.now, p), "refused "+string(want))
}

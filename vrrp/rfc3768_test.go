package vrrp

import (
	"testing"
	"time"
)

// TestRFC3768 has one row per normative sentence of RFC 3768 sections 6 and 7.1: version 2, IPv4.
func TestRFC3768(t *testing.T) {
	v2 := sample(2, IPv4)
	v2.Interval = 2 * time.Second
	owner := v2
	owner.Priority = 255
	lower, higher := addrA, addrB.Next()
	down := 3*v2.Interval + 156*time.Second/256
	for _, row := range []struct {
		section, says string
		check         func(t *testing.T)
	}{
		{"6.1", "Skew_Time is ( (256 - Priority) / 256 ) seconds, whatever the interval", func(t *testing.T) {
			if got := skew(2, 100, v2.Interval); got != 156*time.Second/256 {
				t.Error(got)
			}
		}},
		{"6.1", "Master_Down_Interval is (3 * Advertisement_Interval) + Skew_Time", func(t *testing.T) {
			if got := TakeoverTime(v2); got != down {
				t.Error(got)
			}
		}},
		{"6.4.1", "Startup with priority 255: send, gratuitous ARP for each address, Adver_Timer, Master", func(t *testing.T) {
			r, a := boot(t, owner)
			r.shows(a, "send 255, hold 2, announce 2x5, INIT>MASTER")
			if at, _ := r.ms.Deadline(); !at.Equal(r.now.Add(owner.Interval)) {
				t.Error(at)
			}
		}},
		{"6.4.1", "Startup otherwise: Master_Down_Timer, Backup", func(t *testing.T) {
			r, a := boot(t, v2)
			r.shows(a, "INIT>BACKUP")
			if at, _ := r.ms.Deadline(); !at.Equal(r.now.Add(down)) {
				t.Error(at)
			}
		}},
		{"6.4.2", "Backup MUST NOT respond to ARP for, MUST NOT accept packets to the addresses: it holds none", func(t *testing.T) {
			r, a := boot(t, v2)
			for _, x := range append(a, r.hear(v2.ID(), 200, lower)...) {
				if h, ok := x.(Hold); ok && len(h.Addresses) > 0 {
					t.Error(x)
				}
			}
		}},
		{"6.4.2", "Shutdown: cancel Master_Down_Timer, Initialize", func(t *testing.T) {
			r, _ := boot(t, v2)
			r.shows(r.step(Release{}), "BACKUP>INIT, released")
			if _, waits := r.ms.Deadline(); waits {
				t.Error("a timer is left")
			}
		}},
		{"6.4.2", "Master_Down_Timer fires: send, gratuitous ARP for each address, Adver_Timer, Master", func(t *testing.T) {
			r, _ := boot(t, v2)
			r.shows(r.run(down), "send 100, hold 2, announce 2x5, BACKUP>MASTER")
			if at, _ := r.ms.Deadline(); !at.Equal(r.now.Add(v2.Interval)) {
				t.Error(at)
			}
		}},
		{"6.4.2", "Priority zero: Master_Down_Timer is Skew_Time", func(t *testing.T) {
			r, _ := boot(t, v2)
			r.hear(v2.ID(), 0, lower)
			if at, _ := r.ms.Deadline(); !at.Equal(r.now.Add(156 * time.Second / 256)) {
				t.Error(at)
			}
		}},
		{"6.4.2", "Preempt_Mode False, or Priority >= local: reset Master_Down_Timer", func(t *testing.T) {
			nopreempt := v2
			nopreempt.NoPreempt = true
			for _, c := range []struct {
				i    Instance
				prio uint8
			}{{nopreempt, 50}, {v2, 100}, {v2, 150}} {
				r, _ := boot(t, c.i)
				r.after(time.Second).hear(v2.ID(), c.prio, lower)
				if at, _ := r.ms.Deadline(); !at.Equal(r.now.Add(down)) {
					t.Error(c.prio, at.Sub(r.now))
				}
			}
		}},
		{"6.4.2", "otherwise: discard", func(t *testing.T) {
			r, _ := boot(t, v2)
			before, _ := r.ms.Deadline()
			r.after(time.Second).hear(v2.ID(), 99, lower)
			if at, _ := r.ms.Deadline(); !at.Equal(before) {
				t.Error(at)
			}
		}},
		{"6.4.3", "Master MUST respond to ARP and forward: it holds the addresses", func(t *testing.T) {
			r, _ := boot(t, v2)
			if h := r.run(down)[1].(Hold); len(h.Addresses) != 2 || h.NoAccept {
				t.Error(h)
			}
		}},
		{"6.4.3", "Master MUST NOT accept packets to the addresses unless it owns them: no_accept (keepalived's default is to accept)", func(t *testing.T) {
			i := v2
			i.NoAccept = true
			r, _ := boot(t, i)
			if h := r.run(down)[1].(Hold); !h.NoAccept {
				t.Error(h)
			}
			i.Priority = 255
			_, a := boot(t, i)
			if h := a[1].(Hold); h.NoAccept {
				t.Error(h)
			}
		}},
		{"6.4.3", "Shutdown: cancel Adver_Timer, send priority 0, Initialize", func(t *testing.T) {
			r := master(t, v2)
			r.shows(r.step(ReleaseNow{}), "send 0, hold 0, MASTER>INIT, released")
			if _, waits := r.ms.Deadline(); waits {
				t.Error("a timer is left")
			}
		}},
		{"6.4.3", "Adver_Timer fires: send, reset Adver_Timer", func(t *testing.T) {
			r := master(t, v2)
			r.shows(r.run(4*time.Second), "send 100, send 100")
		}},
		{"6.4.3", "Priority zero: send, reset Adver_Timer", func(t *testing.T) {
			r := master(t, v2)
			r.run(500 * time.Millisecond)
			r.shows(r.hear(v2.ID(), 0, lower), "send 100")
			if at, _ := r.ms.Deadline(); !at.Equal(r.now.Add(v2.Interval)) {
				t.Error(at)
			}
		}},
		{"6.4.3", "Priority greater than local, or equal and the sender's address greater: cancel Adver_Timer, Master_Down_Timer, Backup", func(t *testing.T) {
			for _, c := range []struct {
				prio uint8
				high bool
			}{{101, false}, {100, true}} {
				r := master(t, v2)
				from := lower
				if c.high {
					from = higher
				}
				r.shows(r.hear(v2.ID(), c.prio, from), "hold 0, MASTER>BACKUP")
				if at, _ := r.ms.Deadline(); !at.Equal(r.now.Add(down)) {
					t.Error(at)
				}
			}
		}},
		{"6.4.3", "otherwise: discard (and, as keepalived and RFC 9568, answer at once)", func(t *testing.T) {
			r := master(t, v2)
			r.hear(v2.ID(), 100, lower)
			r.want(v2.ID(), Master)
		}},
		{"7.1", "MUST verify that the IP TTL is 255", func(t *testing.T) {
			p := packetOf(v2, addrA, Group4, 100)
			p.TTL = 254
			refusedAs(t, v2, p, ReasonTTL)
		}},
		{"7.1", "MUST verify the VRRP version is 2", func(t *testing.T) { refusedAs(t, v2, packetOf(sample(3, IPv4), addrA, Group4, 100), ReasonVersion) }},
		{"7.1", "MUST verify that the received packet contains the complete VRRP packet (including fixed fields, IP addresses, authentication data)", func(t *testing.T) {
			whole := packetOf(v2, addrA, Group4, 100)
			for n := range len(whole.Payload) {
				p := whole
				p.Payload = p.Payload[:n]
				r, _ := boot(t, v2)
				if got := show(r.ms.Receive(r.now, p)); got != "refused truncated" && n >= headerLen || got != "" && n < headerLen {
					t.Errorf("%d bytes: %q", n, got)
				}
			}
		}},
		{"7.1", "MUST verify the VRRP checksum", func(t *testing.T) {
			p := packetOf(v2, addrA, Group4, 100)
			p.Payload[7] ^= 1
			refusedAs(t, v2, p, ReasonChecksum)
		}},
		{"7.1", "MUST verify that the VRID is configured on the receiving interface and the local router is not the address owner", func(t *testing.T) {
			r, _ := boot(t, v2)
			p := packetOf(v2, addrA, Group4, 200)
			p.Payload[1]++
			p.Payload[7]-- // the checksum stays right
			r.shows(r.ms.Receive(r.now, p), "")
			if r.ms.Unknown()["vrid"] != 1 {
				t.Error(r.ms.Unknown())
			}
			i := owner
			i.OwnerIgnoreAdverts = true // keepalived's word for it: by default an owner listens, to notice another one
			refusedAs(t, i, packetOf(v2, addrA, Group4, 100), ReasonOwner)
		}},
		{"7.1", "MUST verify that the Auth Type matches the locally configured authentication method and perform that method", func(t *testing.T) {
			i := v2
			i.Auth = Auth{Type: "PASS", Key: "x"}
			refusedAs(t, v2, packetOf(i, addrA, Group4, 100), ReasonAuthType)
			j := v2
			j.Auth = Auth{Type: "PASS", Key: "y"}
			refusedAs(t, j, packetOf(i, addrA, Group4, 100), ReasonAuthFailure)
		}},
		{"7.1", "MAY verify the addresses: SHOULD log a difference (dropping it, unless the sender is the owner, is what keepalived gave up in 2025)", func(t *testing.T) {
			i := v2
			i.Addresses = i.Addresses[:1]
			r, _ := boot(t, v2)
			r.shows(r.ms.Receive(r.now, packetOf(i, addrA, Group4, 200)), "notice address_mismatch")
		}},
		{"7.1", "MUST verify that the Adver Interval is the locally configured one, else MUST discard and SHOULD log", func(t *testing.T) {
			refusedAs(t, v2, packetOf(sample(2, IPv4), addrA, Group4, 100), ReasonInterval)
		}},
	} {
		t.Run("RFC 3768 "+row.section+" "+row.says, row.check)
	}
}

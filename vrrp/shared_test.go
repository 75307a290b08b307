package vrrp

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestUnicastInstancesShareAVRID: keepalived tells them apart by the peer, or by the address the packet was sent to.
func TestUnicastInstancesShareAVRID(t *testing.T) {
	a := sample(3, IPv4)
	a.Name, a.Peers = "A", []Peer{{Addr: addrA}}
	b := a
	third := netip.MustParseAddr("192.0.2.3")
	b.Name, b.Part, b.Peers, b.Addresses = "B", "192.0.2.3", []Peer{{Addr: third}}, []Address{vip2}
	c := sample(3, IPv4) // and a multicast one besides
	c.Name, c.Part = "C", "224.0.0.18"
	for _, order := range [][]Instance{{a, b, c}, {c, b, a}} {
		r, _ := boot(t, order...)
		heard := func(p Packet) string {
			before := map[string]uint64{}
			for _, s := range r.ms.Snapshot() {
				before[s.Name] = s.Counters.AdvertsReceived
			}
			refused := show(r.ms.Receive(r.now, p))
			for _, s := range r.ms.Snapshot() {
				if s.Counters.AdvertsReceived != before[s.Name] {
					return s.Name
				}
			}
			return refused
		}
		unicast := func(i Instance, src netip.Addr) Packet { p := packetOf(i, src, addrB, 200); return p }
		for want, p := range map[string]Packet{
			"A": unicast(a, addrA), "B": unicast(b, third), "C": packetOf(c, addrA, Group4, 200),
			"refused unknown_peer": unicast(a, netip.MustParseAddr("192.0.2.9")),
		} {
			if got := heard(p); got != want {
				t.Errorf("%s: %s", want, got)
			}
		}
		// They are MASTER one by one, and each sends to its own peer.
		if x := r.hear(b.ID(), 0, third); show(x) != "" {
			t.Error(show(x))
		}
		r.run(time.Second)
		r.want(b.ID(), Master)
		r.want(a.ID(), Backup)
		if out := r.ms.Packet(Send{ID: b.ID(), Priority: 100}, addrB); len(out) != 1 || out[0].Dst != third {
			t.Errorf("%+v", out)
		}
	}
}

// TestUnicastInstancesShareAVRIDAndAPeer: then their own addresses differ.
func TestUnicastInstancesShareAVRIDAndAPeer(t *testing.T) {
	a := sample(3, IPv4)
	a.Name, a.Source, a.Peers = "A", addrB, []Peer{{Addr: addrA}}
	b := a
	b.Name, b.Part, b.Source = "B", "B", netip.MustParseAddr("192.0.2.22")
	r, _ := boot(t, a, b)
	p := packetOf(a, addrA, b.Source, 150)
	r.shows(r.ms.Receive(r.now, p), "")
	for _, s := range r.ms.Snapshot() {
		if heard := s.MasterPriority == 150; heard != (s.Name == "B") {
			t.Errorf("%s heard %t", s.Name, heard)
		}
	}
}

func TestSplitBrainBecauseAdvertsAreRefused(t *testing.T) {
	i := sample(2, IPv4)
	i.Auth = Auth{Type: "PASS", Key: "mine"}
	theirs := i
	theirs.Auth.Key = "theirs"
	r := master(t, i)
	bad := packetOf(theirs, addrA, Group4, 180)
	r.shows(r.ms.Receive(r.now, bad), "refused auth_failure")
	r.after(time.Second)
	r.shows(r.ms.Receive(r.now, bad), "refused auth_failure")
	r.after(time.Second)
	acts := r.ms.Receive(r.now, bad)
	r.shows(acts, "refused auth_failure, notice split_brain")
	n := acts[1].(Notice)
	for _, word := range []string{"192.0.2.1", "priority 180", "3 advertisements", "auth_failure", "another auth_pass"} {
		if !strings.Contains(n.Detail, word) {
			t.Errorf("%q is not in %q", word, n.Detail)
		}
	}
	if rival := r.ms.Snapshot()[0].Rival; rival.Addr != addrA.String() || rival.Priority != 180 || rival.Refused != "auth_failure" {
		t.Errorf("status: %+v", rival)
	}
	if n.From != addrA {
		t.Error(n.From)
	}
	r.after(time.Second)
	r.shows(r.ms.Receive(r.now, bad), "refused auth_failure")
	// As BACKUP it is no split brain but the reason of the promotion that follows.
	r, _ = boot(t, i)
	for range 3 {
		r.after(time.Second)
		r.shows(r.ms.Receive(r.now, bad), "refused auth_failure")
	}
	if a := r.run(time.Second); !strings.Contains(a[len(a)-1].(Transition).Reason, "refused meanwhile: 3 auth_failure") {
		t.Error(a)
	}
}

// TestRefusalsAreCountedBySender: the first one of every sender is told, and the first one again after it was accepted or quiet.
func TestRefusalsAreCountedBySender(t *testing.T) {
	i := sample(3, IPv4)
	r, _ := boot(t, i)
	v2 := sample(2, IPv4)
	count := func(from netip.Addr) uint64 {
		t.Helper()
		a := r.ms.Receive(r.now, packetOf(v2, from, Group4, 7))
		x := a[0].(Refused)
		if x.Refusal.Reason != ReasonVersion || x.Refusal.Priority != 7 || x.Refusal.From != from {
			t.Fatalf("%+v", x)
		}
		return x.Count
	}
	other := netip.MustParseAddr("192.0.2.3")
	if a, b, c := count(addrA), count(addrA), count(other); a != 1 || b != 2 || c != 1 {
		t.Error(a, b, c)
	}
	// One that says both, as after a reload, is told once.
	r.after(time.Second)
	r.ms.Receive(r.now, packetOf(i, addrA, Group4, 200))
	if a := count(addrA); a != 3 {
		t.Error("one of two forms:", a)
	}
	r.after(6 * time.Second)
	r.ms.Receive(r.now, packetOf(i, addrA, Group4, 200))
	if a, c := count(addrA), count(other); a != 1 || c != 2 {
		t.Error("after one was accepted:", a, c)
	}
	r.after(11 * time.Minute)
	if a := count(addrA); a != 1 {
		t.Error("after a silence:", a)
	}
	if n := r.ms.Snapshot()[0].Counters.Refused["version"]; n != 7 {
		t.Error(n)
	}
	for n := range 200 { // made-up senders take no memory
		count(netip.AddrFrom4([4]byte{10, 0, 0, byte(n)}))
	}
	if n := len(r.ms.byID[i.ID()].refused); n > maxRefusals {
		t.Error(n)
	}
}

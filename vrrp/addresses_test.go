package vrrp

import (
	"net/netip"
	"testing"
	"time"
)

func TestUnicastRules(t *testing.T) {
	i := sample(3, IPv4)
	i.Peers = []Peer{{Addr: addrA, MinTTL: 254}, {Addr: netip.MustParseAddr("198.51.100.1")}}
	r, _ := boot(t, i)
	send := func(src netip.Addr, ttl uint8) string {
		p := packetOf(i, src, addrB, 200)
		p.TTL = ttl
		return show(r.ms.Receive(r.now, p))
	}
	for _, c := range []struct {
		src  string
		ttl  uint8
		want string
	}{
		{"192.0.2.1", 255, ""},
		{"192.0.2.1", 253, "refused ttl"},
		{"198.51.100.1", 3, ""},
		{"198.51.100.2", 255, "refused unknown_peer"},
	} {
		if got := send(netip.MustParseAddr(c.src), c.ttl); got != c.want {
			t.Errorf("%s ttl %d: got %q, want %q", c.src, c.ttl, got, c.want)
		}
	}
	r.shows(r.ms.Receive(r.now, packetOf(i, addrA, Group4, 200)), "refused transport")
	if out := r.ms.Packet(Send{ID: i.ID(), Priority: 1}, addrB); len(out) != 2 || out[1].Dst != i.Peers[1].Addr || out[0].TTL != 255 {
		t.Fatalf("%+v", out)
	}
	i.Peers, i.UnicastFaultNoPeer = nil, true
	r, _ = boot(t, i)
	r.want(i.ID(), Fault)
}

func TestAddressMismatchIsToldOnce(t *testing.T) {
	i := sample(3, IPv4)
	r, _ := boot(t, i)
	peer := i
	peer.Addresses = []Address{vip1}
	r.shows(r.ms.Receive(r.now, packetOf(peer, addrA, Group4, 200)), "notice address_mismatch")
	r.shows(r.ms.Receive(r.now, packetOf(peer, addrA, Group4, 200)), "")
	if n := r.ms.Snapshot()[0].Counters.AddressMismatch; n != 2 {
		t.Fatal(n)
	}
}

func TestAddressesTakenTooOftenAreFault(t *testing.T) {
	i := sample(3, IPv4)
	r := master(t, i)
	for n := range 4 {
		r.shows(r.step(Taken{ID: i.ID(), Prefix: vip1.Prefix}), "")
		r.run(10 * time.Second)
		if n == 0 {
			r.run(30 * time.Second)
		}
	}
	r.step(Taken{ID: i.ID(), Prefix: vip1.Prefix})
	r.want(i.ID(), Master) // the first is more than a minute ago
	r.shows(r.step(Taken{ID: i.ID(), Prefix: vip2.Prefix}), "")
	r.shows(r.step(Taken{ID: i.ID(), Prefix: vip1.Prefix}), "send 0, send 0, hold 0, MASTER>FAULT")
	r.shows(r.run(59*time.Second), "")
	r.shows(r.run(time.Second), "FAULT>BACKUP")
}

func TestPacedAnnouncements(t *testing.T) {
	i := sample(3, IPv4)
	i.Addresses = append(i.Addresses, Address{Prefix: netip.MustParsePrefix("2001:db8::1/64"), Excluded: true})
	i.Gratuitous.Interval = 10 * time.Millisecond
	i.Gratuitous.Repeat = 2
	r, _ := boot(t, i)
	r.shows(r.run(TakeoverTime(i)), "send 100, hold 3, announce 1x2, announce 1x1, BACKUP>MASTER")
	r.shows(r.run(9*time.Millisecond), "")
	r.shows(r.run(time.Millisecond), "announce 1x1")
	r.shows(r.run(20*time.Millisecond), "announce 1x1, announce 1x1")
	r.shows(r.run(500*time.Millisecond), "")
	// Losing the addresses ends it.
	r.ms.announce(r.now, r.ms.byID[i.ID()], i.Addresses, 5)
	r.hear(i.ID(), 200, addrA)
	r.shows(r.run(time.Second), "")
}

func TestOtherAddressesAreNamed(t *testing.T) {
	a := func(n int) (out []netip.Addr) {
		for i := range n {
			out = append(out, netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)}))
		}
		return out
	}
	for _, c := range []struct {
		missing, extra []netip.Addr
		want           string
	}{
		{a(1), nil, "does not advertise 192.0.2.1"},
		{nil, a(2), "advertises 192.0.2.1, 192.0.2.2, which this router does not have"},
		{a(1), a(1), "does not advertise 192.0.2.1; advertises 192.0.2.1, which this router does not have"},
		{a(10), nil, "does not advertise 192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4, 192.0.2.5, 192.0.2.6, 192.0.2.7, 192.0.2.8 and 2 more"},
	} {
		if got := differs(c.missing, c.extra); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

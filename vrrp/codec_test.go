package vrrp

import (
	"encoding/hex"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"
)

var (
	addrA = netip.MustParseAddr("192.0.2.1")
	addrB = netip.MustParseAddr("192.0.2.2")
	vip1  = Address{Prefix: netip.MustParsePrefix("192.0.2.100/24")}
	vip2  = Address{Prefix: netip.MustParsePrefix("192.0.2.101/32")}
	vip6  = Address{Prefix: netip.MustParsePrefix("fe80::100/64")}
)

func sample(version uint8, family Family) Instance {
	i := Instance{
		Name: "VI", Interface: "eth0", Family: family, VRID: 51, Version: version, Priority: 100, Interval: time.Second,
		DownTimerAdverts: 3, Addresses: []Address{vip1, vip2},
		Gratuitous: Gratuitous{Repeat: 5, Delay: 5 * time.Second, LowerPrioDelay: 5 * time.Second, LowerPrioRepeat: 5, RefreshRepeat: 1},
	}
	if family == IPv6 {
		i.Addresses = []Address{vip6}
	}
	return i
}

func ends(f Family) (src, dst netip.Addr) {
	if f == IPv6 {
		return netip.MustParseAddr("fe80::2"), Group6
	}
	return addrB, Group4
}

func packetOf(i Instance, src, dst netip.Addr, prio uint8) Packet {
	return Packet{Interface: i.Interface, Family: i.Family, Src: src, Dst: dst, TTL: 255, Proto: ProtoVRRP, Payload: Marshal(i, src, dst, prio)}
}

func TestCodecRoundTrip(t *testing.T) {
	for _, version := range []uint8{2, 3} {
		for _, family := range []Family{IPv4, IPv6} {
			i := sample(version, family)
			if version == 3 {
				i.Interval = 130 * time.Millisecond
			} else if family == IPv4 {
				i.Auth = Auth{Type: "PASS", Key: "secret"}
			}
			src, dst := ends(family)
			a, r := Parse(packetOf(i, src, dst, 77), ChecksumStandard)
			if r != nil {
				t.Fatalf("v%d IPv%d: %v", version, family, r)
			}
			want := Advert{Version: version, VRID: 51, Priority: 77, Interval: i.Interval, Addresses: i.advertised()}
			if version == 2 && family == IPv4 {
				want.AuthType = 1
				copy(want.AuthData[:], "secret")
			}
			if !reflect.DeepEqual(a, want) {
				t.Errorf("v%d IPv%d: got %+v, want %+v", version, family, a, want)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	src, dst := ends(IPv4)
	for name, c := range map[string]struct {
		version uint8
		change  func(*Packet)
		want    Reason
	}{
		"empty":           {3, func(p *Packet) { p.Payload = nil }, ReasonTruncated},
		"half":            {3, func(p *Packet) { p.Payload = p.Payload[:9] }, ReasonTruncated},
		"v2 without auth": {2, func(p *Packet) { p.Payload = p.Payload[:16] }, ReasonTruncated},
		"too many":        {3, func(p *Packet) { p.Payload[3] = 255 }, ReasonTruncated},
		"too long":        {3, func(p *Packet) { p.Payload = append(p.Payload, make([]byte, 47)...) }, ReasonLength},
		"version 1":       {3, func(p *Packet) { p.Payload[0] = 0x11 }, ReasonVersion},
		"version 4":       {3, func(p *Packet) { p.Payload[0] = 0x41 }, ReasonVersion},
		"type 2":          {3, func(p *Packet) { p.Payload[0] = 0x32 }, ReasonType},
		"vrid 0":          {3, func(p *Packet) { p.Payload[1] = 0 }, ReasonVRID},
		"ttl 254":         {3, func(p *Packet) { p.TTL = 254 }, ReasonTTL},
		"bad sum v2":      {2, func(p *Packet) { p.Payload[6]++ }, ReasonChecksum},
		"bad sum v3":      {3, func(p *Packet) { p.Payload[6]++ }, ReasonChecksum},
		"other source":    {3, func(p *Packet) { p.Src = addrA }, ReasonChecksum},
		"udp":             {3, func(p *Packet) { p.Proto = 17 }, ReasonProtocol},
		"short ah":        {2, func(p *Packet) { p.Proto = ProtoAH; p.Payload = p.Payload[:20] }, ReasonTruncated},
		"ah of nothing":   {2, func(p *Packet) { p.Proto = ProtoAH }, ReasonProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			p := packetOf(sample(c.version, IPv4), src, dst, 100)
			c.change(&p)
			_, r := Parse(p, ChecksumStandard)
			if r == nil || r.Reason != c.want {
				t.Fatalf("got %v, want %s", r, c.want)
			}
		})
	}
}

func TestChecksumWithoutPseudoHeader(t *testing.T) {
	i := sample(3, IPv4)
	i.ChecksumAsV2 = true
	src, dst := ends(IPv4)
	p := packetOf(i, src, dst, 100)
	if _, r := Parse(p, ChecksumStandard); r == nil || r.Reason != ReasonChecksum {
		t.Errorf("standard mode: %v", r)
	}
	if _, r := Parse(p, ChecksumEither); r != nil {
		t.Errorf("either: %v", r)
	}
}

func TestPaddingIsTolerated(t *testing.T) {
	src, dst := ends(IPv4)
	p := packetOf(sample(2, IPv4), src, dst, 100)
	p.Payload = append(p.Payload, make([]byte, 10)...)
	if _, r := Parse(p, ChecksumStandard); r != nil {
		t.Fatal(r)
	}
}

func TestKnownBytes(t *testing.T) {
	i := sample(2, IPv4)
	i.Auth = Auth{Type: "PASS", Key: "1111"}
	i.Addresses = []Address{vip1}
	got := hex.EncodeToString(Marshal(i, addrA, Group4, 150))
	// Header, address 192.0.2.100, "1111" and four zeros; checksum worked out by hand.
	want := "2133960101012303" + "c0000264" + "3131313100000000"
	if got != want {
		t.Fatalf("got %s\nwant %s", got, want)
	}
}

func TestAH(t *testing.T) {
	i := sample(2, IPv4)
	i.Auth = Auth{Type: "AH", Key: "k3y"}
	p := packetOf(i, addrB, Group4, 100)
	p.Proto, p.IPID = ProtoAH, 9
	p.Payload = wrapAH("k3y", addrB, Group4, 255, 9, 7, p.Payload)
	a, r := Parse(p, ChecksumStandard)
	if r != nil || !a.AH || a.Sequence != 7 || a.AuthType != 2 {
		t.Fatalf("%+v %v", a, r)
	}
	if !verifyAH("k3y", p) || verifyAH("key", p) {
		t.Fatal("digest")
	}
	p.Payload[len(p.Payload)-9]++
	if verifyAH("k3y", p) {
		t.Fatal("a changed byte passes")
	}
	// The TTL counts where nobody on the way may change it.
	for dst, counts := range map[netip.Addr]bool{Group4: true, addrA: false} {
		p := packetOf(i, addrB, dst, 100)
		p.Proto, p.IPID, p.TTL = ProtoAH, 9, 254
		p.Payload = wrapAH("k3y", addrB, dst, 255, 9, 7, p.Payload)
		if verifyAH("k3y", p) == counts {
			t.Errorf("to %s with another TTL: verified %v", dst, !counts)
		}
	}
}

// What keepalived 2.2.7 put on the wire, IP headers included.
func TestKeepalivedBytes(t *testing.T) {
	for name, c := range map[string]struct {
		ip   string
		want Instance
	}{
		"AH": {
			"45c0004000020000ff3318b5c0000201e000001270040000c0000201000000023b2bb2cee2ef36ce9bb2d3372133640102" +
				"01b665c00002640000000000000000",
			Instance{Family: IPv4, Version: 2, VRID: 51, Interval: time.Second, Auth: Auth{Type: "AH", Key: "k3y"}, Addresses: []Address{vip1}},
		},
		"v3": {
			"45c0002400010000ff701895c0000201e0000012313664020032432ec0000268c0000269",
			Instance{Family: IPv4, Version: 3, VRID: 54, Interval: time.Second / 2, Addresses: []Address{
				{Prefix: netip.MustParsePrefix("192.0.2.104/24")}, {Prefix: netip.MustParsePrefix("192.0.2.105/24")}}},
		},
		"v2 over IPv6": {
			"6c077fed001870fffe8000000000000050953afffeaf2f6dff0200000000000000000000000000122134640101" +
				"01c278fe800000000000000000000000000100",
			Instance{Family: IPv6, Version: 2, VRID: 52, Interval: time.Second, Auth: Auth{Type: "PASS", Key: "secret99"}, Addresses: []Address{vip6}},
		},
		"v3 over IPv6": {
			"6c077fed002870fffe8000000000000050953afffeaf2f6dff02000000000000000000000000001231356402006485" +
				"48fe80000000000000000000000000010120010db8000000000000000000000001",
			Instance{Family: IPv6, Version: 3, VRID: 53, Interval: time.Second, Addresses: []Address{
				{Prefix: netip.MustParsePrefix("fe80::101/64")}, {Prefix: netip.MustParsePrefix("2001:db8::1/64")}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := hex.DecodeString(c.ip)
			if err != nil {
				t.Fatal(err)
			}
			i := c.want
			i.Interface, i.Priority = "eth0", 100
			p := Packet{Interface: "eth0", Family: i.Family}
			if i.Family == IPv4 {
				p.Src, p.Dst = netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:]))
				p.TTL, p.Proto, p.IPID, p.Payload = b[8], b[9], uint16(b[4])<<8|uint16(b[5]), b[20:]
			} else {
				p.Src, p.Dst = netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:]))
				p.TTL, p.Proto, p.Payload = b[7], b[6], b[40:]
			}
			r, _ := boot(t, i)
			if got := show(r.ms.Receive(r.now, p)); got != "" {
				t.Fatalf("received: %s", got)
			}
			if s := r.ms.Snapshot()[0]; s.MasterPriority != 100 || s.Counters.AddressMismatch != 0 {
				t.Fatalf("%+v", s)
			}
			// And the same bytes are what we would send.
			if p.Proto == ProtoAH {
				r.ms.byID[i.ID()].ahSent = 1
			}
			out := r.ms.Packet(Send{ID: i.ID(), Priority: 100}, p.Src)
			if len(out) != 1 || hex.EncodeToString(out[0].Payload) != hex.EncodeToString(p.Payload) || out[0].Dst != p.Dst || out[0].Proto != p.Proto {
				t.Fatalf("sent %x\nwant %x", out[0].Payload, p.Payload)
			}
			if p.Proto == ProtoAH {
				if got := show(r.ms.Receive(r.now, p)); got != "refused replay" {
					t.Fatalf("a replay: %s", got)
				}
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, version := range []uint8{2, 3} {
		for _, family := range []Family{IPv4, IPv6} {
			src, dst := ends(family)
			p := packetOf(sample(version, family), src, dst, 100)
			f.Add(p.Payload, family == IPv6, uint8(112), uint8(255))
		}
	}
	f.Add(wrapAH("k", addrA, Group4, 255, 1, 1, Marshal(sample(2, IPv4), addrA, Group4, 1)), false, uint8(51), uint8(255))
	f.Fuzz(func(t *testing.T, b []byte, v6 bool, proto, ttl uint8) {
		family := IPv4
		if v6 {
			family = IPv6
		}
		src, dst := ends(family)
		p := Packet{Family: family, Src: src, Dst: dst, TTL: ttl, Proto: proto, Payload: b}
		vridOf(p)
		verifyAH("key", p)
		a, r := Parse(p, ChecksumEither)
		if r != nil {
			if r.Reason == "" || r.Detail == "" {
				t.Fatal("a refusal without a name")
			}
			return
		}
		if a.VRID == 0 || a.Version != 2 && a.Version != 3 || len(a.Addresses) != int(a.addressCount(b, proto)) {
			t.Fatalf("%+v", a)
		}
	})
}

func (a Advert) addressCount(b []byte, proto uint8) uint8 {
	if proto == ProtoAH {
		return b[ahLen+3]
	}
	return b[3]
}

// keepalived before 1.3.6 has the multicast group in the pseudo-header of its unicast adverts.
func TestOldUnicastChecksum(t *testing.T) {
	i := sample(3, IPv4)
	i.Peers = []Peer{{Addr: addrA}}
	old := i
	old.OldUnicastChecksum = true
	unicast := func(of Instance) Packet {
		p := packetOf(of, addrA, addrB, 200)
		p.TTL = 64
		return p
	}
	if right, wrong := unicast(i).Payload, unicast(old).Payload; slices.Equal(right, wrong) {
		t.Fatal("no difference")
	}
	if got, want := pseudoChecksum(addrA, Group4, unicast(old).Payload), uint16(0); got != want {
		t.Errorf("checksum off by %#x", got)
	}
	for _, c := range []struct {
		here, there Instance
		want        string
	}{{i, i, ""}, {i, old, "refused checksum"}, {old, old, ""}, {old, i, ""}} {
		r, _ := boot(t, c.here)
		r.shows(r.ms.Receive(r.now, unicast(c.there)), c.want)
	}
	// Multicast is as ever.
	m, o := sample(3, IPv4), sample(3, IPv4)
	o.OldUnicastChecksum = true
	if !slices.Equal(Marshal(m, addrA, Group4, 1), Marshal(o, addrA, Group4, 1)) {
		t.Error("multicast differs")
	}
}

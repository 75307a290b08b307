package assemble

import (
	"net/netip"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

func TestVirtualServers(t *testing.T) {
	rs := config.RealServer{
		Addr: netip.MustParseAddr("10.0.0.11"), Port: 80, Weight: 3, Method: config.Method{Forward: config.DR}, InhibitOnFailure: true,
		UThreshold: 9, LThreshold: 5, Checks: []config.Check{{Kind: config.TCPCheck}, {Kind: config.TCPCheck, Alpha: true}, {Kind: config.HTTPGet}},
	}
	m := &config.Model{
		VirtualServers: []config.VirtualServer{
			{
				Addr: netip.MustParseAddr("192.0.2.1"), Port: 80, Protocol: "tcp", Scheduler: "sh", Flags: []string{"sh-port", "sh-fallback"},
				PersistenceTimeout: time.Minute, PersistenceGranularity: 24, Quorum: 2, Hysteresis: 1, RealServers: []config.RealServer{rs, rs},
				Sorry: &config.SorryServer{Addr: netip.MustParseAddr("127.0.0.1"), Port: 8080, Inhibit: true}, OPS: false, Omega: true,
			},
			{Fwmark: 7, IPv6: true, Protocol: "udp", Scheduler: "rr", OPS: true},
			{Group: "G", Protocol: "udp", LocalAddressGroup: "L"},
			{Addr: netip.MustParseAddr("192.0.2.9"), Blocked: "not understood"},
		},
		VirtualServerGroups: []config.VirtualServerGroup{{Name: "G", Entries: []config.GroupEntry{
			{First: netip.MustParseAddr("192.0.2.254"), Last: netip.MustParseAddr("192.0.3.1"), Port: 53}, {Fwmark: 9},
			{First: netip.MustParseAddr("192.0.2.255"), Last: netip.MustParseAddr("192.0.2.255"), Port: 53},
		}}},
		LocalAddressGroups: []config.LocalAddressGroup{{Name: "L", Entries: []config.GroupEntry{
			{First: netip.MustParseAddr("10.9.0.1"), Last: netip.MustParseAddr("10.9.0.2")},
		}}},
	}
	all := VirtualServers(m)
	if len(all) != 3 {
		t.Fatalf("a blocked virtual server is left out; got %d", len(all))
	}
	v := all[0]
	if v.ID != "TCP 192.0.2.1:80" || v.Quorum != 2 || v.Hysteresis != 1 || !v.Omega || !v.SorryInhibit {
		t.Errorf("got %+v", v)
	}
	if s := v.Template; s.Flags != ipvssync.Sched1|ipvssync.Sched2 || s.Persistence != 60 || s.Mask != 24 {
		t.Errorf("template %+v", s)
	}
	r := v.Servers[0]
	if r.ID != "10.0.0.11:80" || v.Servers[1].ID != "10.0.0.11:80 #2" || r.Forward != ipvssync.DR || r.Weight != 3 || !r.InhibitOnFailure || !r.Alpha || r.Upper != 9 || r.Lower != 5 {
		t.Errorf("real server %+v", r)
	}
	if got := r.Checks; len(got) != 3 || got[0] != "TCP_CHECK" || got[1] != "TCP_CHECK #2" || got[2] != "HTTP_GET" {
		t.Errorf("checks %v", got)
	}
	if v.Sorry.Addr.String() != "127.0.0.1:8080" || v.Sorry.Forward != ipvssync.NAT {
		t.Errorf("sorry server %+v", v.Sorry)
	}
	if all[1].ID != "FWM 7 inet6" || all[1].Template.Flags != ipvssync.OnePacket {
		t.Errorf("firewall mark %+v", all[1])
	}
	if g := all[2]; g.ID != "group G UDP" || len(g.Keys) != 5 || g.Keys[3].String() != "UDP 192.0.3.1:53" || g.Keys[4].Mark != 9 || len(g.Template.LocalAddrs) != 2 {
		t.Errorf("a range is every address once, over octets: %+v", g)
	}
}

// A firewall mark of a group has the family that stands behind it, else that of the group.
func TestFamilyOfAGroupsMark(t *testing.T) {
	m := &config.Model{
		VirtualServers: []config.VirtualServer{{Group: "G", IPv6: true, Protocol: "tcp"}},
		VirtualServerGroups: []config.VirtualServerGroup{{Name: "G", Entries: []config.GroupEntry{
			{First: netip.MustParseAddr("2001:db8::1"), Last: netip.MustParseAddr("2001:db8::1"), Port: 80, IPv6: true}, {Fwmark: 7}, {Fwmark: 8, Inet: true}, {Fwmark: 9, IPv6: true},
		}}},
	}
	want := []ipvssync.Family{ipvssync.IPv6, ipvssync.IPv6, ipvssync.IPv4, ipvssync.IPv6}
	for i, k := range VirtualServers(m)[0].Keys {
		if k.Family != want[i] {
			t.Errorf("%s is of %s", k, k.Family)
		}
	}
}

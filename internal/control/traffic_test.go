package control

import (
	"net/netip"
	"testing"

	"github.com/holdfast-ha/holdfast/ipvssync"
)

func TestTrafficIsSummedOverTheServicesOfAPool(t *testing.T) {
	a, b := netip.MustParseAddrPort("10.0.0.1:80"), netip.MustParseAddrPort("10.0.0.2:80")
	k1 := ipvssync.AddrKey(ipvssync.TCP, netip.MustParseAddrPort("192.0.2.1:80"))
	k2 := ipvssync.AddrKey(ipvssync.TCP, netip.MustParseAddrPort("192.0.2.2:80"))
	spec := ipvssync.VirtualServer{Keys: []ipvssync.Key{k1, k2}, Servers: []ipvssync.RealServer{{ID: "a", Server: ipvssync.Server{Addr: a}}, {ID: "b", Server: ipvssync.Server{Addr: b}}}}
	server := func(addr netip.AddrPort, active uint32, n uint64) ipvssync.ServerStats {
		s := ipvssync.ServerStats{Counters: ipvssync.Counters{Connections: n}}
		s.Addr, s.Active = addr, active
		return s
	}
	stats := map[ipvssync.Key]ipvssync.ServiceStats{
		k1: {Key: k1, Counters: ipvssync.Counters{Connections: 5, InBytes: 7}, Servers: []ipvssync.ServerStats{server(a, 1, 2), server(b, 2, 3)}},
		k2: {Key: k2, Counters: ipvssync.Counters{Connections: 4}, Servers: []ipvssync.ServerStats{server(a, 3, 4)}},
	}
	v := VirtualServer{Servers: []RealServer{{ID: "a"}, {ID: "b"}, {ID: "gone"}}}
	v.AddTraffic(spec, stats)
	if v.Traffic.Connections != 9 || v.Traffic.Active != 6 || v.Traffic.InBytes != 7 {
		t.Errorf("service %+v", v.Traffic)
	}
	if x := v.Servers[0].Traffic; x.Active != 4 || x.Connections != 6 {
		t.Errorf("server %+v", x)
	}
	if v.Servers[2].Traffic != nil {
		t.Error("a server that the kernel does not have has no counters")
	}
}

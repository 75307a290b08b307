package assemble

import (
	"net/netip"
	"testing"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/vrrp"
)

func TestSuspended(t *testing.T) {
	vip, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.9")
	rs := []config.RealServer{{Addr: other, Checks: []config.Check{{Kind: config.PingCheck, ConnectIP: other}}}}
	m := &config.Model{
		Instances: []config.VRRPInstance{{Name: "VI", VIPs: []config.Address{{Prefix: netip.PrefixFrom(vip, 24)}}}},
		VirtualServers: []config.VirtualServer{
			{Addr: vip, Port: 1, HASuspend: true, RealServers: rs}, {Addr: vip, Port: 2, RealServers: rs}, {Addr: other, Port: 3, HASuspend: true, RealServers: rs},
		},
	}
	specs, c := Checks(m), VRRP(m)
	if len(HASuspend(m)) != 2 || len(specs) != 3 {
		t.Fatal(specs)
	}
	for _, master := range []bool{false, true} {
		got := Suspended(m, specs, c, func(vrrp.ID) bool { return master })
		for i, want := range []bool{!master, false, false} {
			if got[i].Suspended != want {
				t.Errorf("master %t, check %d: suspended %t", master, i, got[i].Suspended)
			}
		}
	}
	if specs[0].Suspended {
		t.Error("the argument stays as it was")
	}
}

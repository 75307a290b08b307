package assemble

import (
	"net/netip"
	"testing"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/vrrp"
)

func TestRoutes(t *testing.T) {
	m := &config.Model{
		Instances: []config.VRRPInstance{{
			Name: "VI", Interface: "eth0",
			Routes: []config.Route{
				{Type: "unicast", Dst: netip.MustParsePrefix("0.0.0.0/0"), Via: netip.MustParseAddr("2001:db8::1"), Metric: 5, MetricSet: true},
				{Type: "unicast", Dst: netip.MustParsePrefix("10.0.0.0/8"), Nexthops: []config.Nexthop{{Dev: "eth1", Weight: 3}}},
			},
			Rules: []config.Rule{{IPv6: true, Table: "77", Priority: 9}},
		}},
		StaticRoutes: []config.Route{{Dst: netip.MustParsePrefix("192.0.2.0/24"), Dev: "eth2"}},
		StaticRules:  []config.Rule{{Action: "prohibit"}},
	}
	c := VRRP(m)
	r := c.Instances[0].Routes
	if len(r) != 2 || r[0].Family != vrrp.IPv6 || r[0].Dst.String() != "::/0" || r[0].Metric != 5 || len(r[1].Hops) != 1 || r[1].Hops[0].Weight != 3 || r[1].Family != vrrp.IPv4 {
		t.Errorf("%+v", r)
	}
	if x := c.Instances[0].Rules; len(x) != 1 || x[0].Family != vrrp.IPv6 || x[0].Table != "77" || x[0].Priority != 9 {
		t.Errorf("%+v", x)
	}
	if len(c.StaticRoutes) != 1 || c.StaticRoutes[0].Interface != "eth2" || len(c.StaticRules) != 1 || c.StaticRules[0].Action != "prohibit" {
		t.Errorf("%+v", c)
	}
}

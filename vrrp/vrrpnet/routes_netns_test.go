//go:build netns

package vrrpnet

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/vrrp"
)

func TestHoldRoutes(t *testing.T) {
	fresh(t)
	pair(t)
	ip(t, "-6 addr add 2001:db8::1/64 dev left nodad")
	ip(t, "route add 198.51.100.0/24 via 192.0.2.200")
	r, err := NewRoutes()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	via := netip.MustParseAddr("192.0.2.9")
	routes := []vrrp.Route{
		{Family: vrrp.IPv4, Dst: netip.MustParsePrefix("0.0.0.0/0"), Via: via, Interface: "left", Metric: 50},
		{Family: vrrp.IPv4, Dst: netip.MustParsePrefix("198.51.100.0/24"), Via: via, Interface: "left"},
		{Family: vrrp.IPv4, Dst: netip.MustParsePrefix("203.0.113.0/24"), Interface: "right", Table: "77", Src: netip.MustParseAddr("192.0.2.2")},
		{Family: vrrp.IPv4, Dst: netip.MustParsePrefix("10.0.0.0/8"), Type: "blackhole"},
		{Family: vrrp.IPv4, Dst: netip.MustParsePrefix("10.1.0.0/16"), Hops: []vrrp.Hop{{Via: via, Interface: "left", Weight: 2}, {Via: via.Next(), Interface: "right", Weight: 1}}},
		{Family: vrrp.IPv6, Dst: netip.MustParsePrefix("::/0"), Via: netip.MustParseAddr("2001:db8::9"), Interface: "left"},
	}
	rules := []vrrp.Rule{
		{Family: vrrp.IPv4, From: netip.MustParsePrefix("192.0.2.0/24"), Table: "77", Priority: 500},
		{Family: vrrp.IPv6, To: netip.MustParsePrefix("2001:db8:5::/48"), Action: "unreachable", Priority: 501},
		{Family: vrrp.IPv4, Fwmark: 7, Fwmask: 0xff, IIf: "left", Table: "main"},
	}
	before := everything(t)
	check := func(want ...string) {
		t.Helper()
		got := everything(t)
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("no %q in\n%s", w, got)
			}
		}
	}
	for range 2 { // the second time nothing changes
		if err := r.HoldRoutes("VI", routes, rules); err != nil {
			t.Fatal(err)
		}
		check("default via 192.0.2.9 dev left proto keepalived metric 50", "198.51.100.0/24 via 192.0.2.9 dev left proto keepalived", "198.51.100.0/24 via 192.0.2.200",
			"203.0.113.0/24 dev right table 77 proto keepalived src 192.0.2.2", "blackhole 10.0.0.0/8 proto keepalived", "nexthop via 192.0.2.9 dev left weight 2",
			"default via 2001:db8::9 dev left proto keepalived", "500:	from 192.0.2.0/24 lookup 77", "501:	from all to 2001:db8:5::/48 unreachable", "16384:	from all fwmark 0x7/0xff iif left lookup main")
	}
	full := everything(t)
	ip(t, "route del default metric 50")
	ip(t, "rule del priority 500")
	restored, err := r.RefreshRoutes()
	if err != nil || everything(t) != full {
		t.Fatalf("%v\n%s\nwant\n%s", err, everything(t), full)
	}
	if len(restored) != 2 || restored[0].Owner != "VI" || !strings.Contains(restored[0].What, "0.0.0.0/0 via 192.0.2.9") || !strings.Contains(restored[1].What, "rule 500") {
		t.Errorf("told: %v", restored)
	}
	if again, err := r.RefreshRoutes(); len(again) != 0 || err != nil {
		t.Errorf("nothing was missing: %v %v", again, err)
	}
	if err := r.HoldRoutes("VI", routes[:1], nil); err != nil {
		t.Fatal(err)
	}
	check("default via 192.0.2.9 dev left proto keepalived metric 50")
	if err := r.HoldRoutes("VI", nil, nil); err != nil {
		t.Fatal(err)
	}
	if after := everything(t); after != before {
		t.Errorf("left behind:\n%s\nbefore:\n%s", after, before)
	}
	// What a dead daemon left is taken away.
	if err := r.HoldRoutes("VI", routes, rules); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.Remove(routes, rules); err != nil {
			t.Fatal(err)
		}
		if after := everything(t); after != before {
			t.Errorf("left behind:\n%s\nbefore:\n%s", after, before)
		}
	}
	if err := r.HoldRoutes("VI", []vrrp.Route{{Family: vrrp.IPv4, Dst: netip.MustParsePrefix("10.0.0.0/8"), Interface: "absent"}}, nil); err == nil {
		t.Error("a route on an absent interface")
	}
}

// What the words become is what keepalived 2.2.7 makes of them, apart from the protocol.
func TestRareWordsOfRoutesAndRules(t *testing.T) {
	fresh(t)
	pair(t)
	ip(t, "-6 addr add 2001:db8::1/64 dev left nodad")
	r, err := NewRoutes()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	via, via6 := netip.MustParseAddr("192.0.2.9"), netip.MustParseAddr("2001:db8::9")
	four := func(dst string, change func(*vrrp.Route)) vrrp.Route {
		x := vrrp.Route{Family: vrrp.IPv4, Dst: netip.MustParsePrefix(dst), Via: via, Interface: "left"}
		change(&x)
		return x
	}
	routes := []vrrp.Route{
		four("10.1.0.0/16", func(x *vrrp.Route) {
			x.MTU, x.MTULock, x.TOS, x.Realms = 1300, true, 0x10, 3<<16|4
			x.Metrics = []vrrp.RouteMetric{{Name: "advmss", Value: 1200}, {Name: "rtt", Value: 800}, {Name: "cwnd", Value: 20, Lock: true}, {Name: "features", Value: 1}, {Name: "congctl", Text: "reno"}, {Name: "quickack", Value: 1}}
		}),
		four("10.2.0.0/16", func(x *vrrp.Route) { x.Via, x.Onlink = netip.MustParseAddr("10.99.0.1"), true }),
		four("10.3.0.0/16", func(x *vrrp.Route) { x.Via = via6 }),
		four("10.4.0.0/16", func(x *vrrp.Route) { x.Metric, x.Create = 5, "append" }),
		four("10.5.0.0/16", func(x *vrrp.Route) { x.Table, x.TTLPropagate = "1000", "enabled" }),
		{Family: vrrp.IPv4, Dst: netip.MustParsePrefix("10.6.0.0/16"), Hops: []vrrp.Hop{{Via: via6, Interface: "left", Weight: 3}, {Via: netip.MustParseAddr("10.98.0.1"), Interface: "right", Onlink: true, Realms: 7}}},
		{Family: vrrp.IPv6, Dst: netip.MustParsePrefix("2001:db8:1::/48"), Via: via6, Interface: "left", Expires: 1000, Pref: "high", From: netip.MustParsePrefix("2001:db8:99::/48"), Metrics: []vrrp.RouteMetric{{Name: "hoplimit", Value: 9}}},
	}
	rules := []vrrp.Rule{
		{Family: vrrp.IPv4, Table: "80", Priority: 101, TOS: 0x10, HasSuppressPrefixLen: true},
		{Family: vrrp.IPv4, Table: "1080", Priority: 102, SuppressGroup: "3", Realms: 3<<16 | 4},
		{Family: vrrp.IPv6, Table: "80", Priority: 103, UIDs: true, UIDFrom: 1000, UIDTo: 2000},
		{Family: vrrp.IPv4, Table: "80", Priority: 104, IPProto: 6, SportFrom: 100, SportTo: 200, DportFrom: 80, DportTo: 90},
		{Family: vrrp.IPv4, Priority: 105, L3MDev: true},
		{Family: vrrp.IPv4, Table: "80", Priority: 106, TunnelID: 77},
		{Family: vrrp.IPv4, Priority: 107, Action: "goto", Goto: 200},
		{Family: vrrp.IPv4, Priority: 200, Action: "nop"},
	}
	before := everything(t)
	for range 2 {
		if err := r.HoldRoutes("VI", routes, rules); err != nil {
			t.Fatal(err)
		}
		got := everything(t)
		for _, want := range []string{"10.1.0.0/16 tos 0x10 via 192.0.2.9 dev left proto keepalived realms 3/4 mtu lock 1300 rtt 100ms cwnd lock 20 advmss 1200 features ecn quickack 1 congctl reno",
			"10.2.0.0/16 via 10.99.0.1 dev left proto keepalived onlink", "10.3.0.0/16 via inet6 2001:db8::9 dev left", "10.4.0.0/16 via 192.0.2.9 dev left proto keepalived metric 5",
			"table 1000 proto keepalived", "nexthop via inet6 2001:db8::9 dev left weight 3", "nexthop via 10.98.0.1 realm 7 dev right weight 1 onlink",
			"2001:db8:1::/48 from 2001:db8:99::/48 via 2001:db8::9 dev left proto keepalived metric 1024 expires", "hoplimit 9 pref high",
			"101:	from all tos 0x10 lookup 80 suppress_prefixlength 0", "102:	from all lookup 1080 suppress_ifgroup 3 realms 3/4", "103:	from all uidrange 1000-2000 lookup 80",
			"104:	from all ipproto tcp sport 100-200 dport 80-90 lookup 80", "105:	from all lookup [l3mdev-table]", "106:	from all tun_id 77 lookup 80", "107:	from all goto 200", "200:	from all nop"} {
			if !strings.Contains(got, want) {
				t.Errorf("no %q in\n%s", want, got)
			}
		}
	}
	if err := r.HoldRoutes("VI", nil, nil); err != nil {
		t.Fatal(err)
	}
	if after := everything(t); after != before {
		t.Errorf("left behind:\n%s\nbefore:\n%s", after, before)
	}
}

func TestWatchTellsOfRoutesThatAreTakenAway(t *testing.T) {
	fresh(t)
	pair(t)
	w, err := NewWatch()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	gone := func(wait time.Duration) bool {
		for limit := time.After(wait); ; {
			select {
			case c := <-w.Changes():
				if c.RoutesGone {
					return true
				}
			case <-limit:
				return false
			}
		}
	}
	ip(t, "route add 10.1.0.0/16 via 192.0.2.9 proto keepalived")
	ip(t, "-6 rule add to 2001:db8::/32 lookup 77")
	ip(t, "route add 10.2.0.0/16 via 192.0.2.9")
	ip(t, "route del 10.2.0.0/16 via 192.0.2.9") // nobody's here
	if gone(200 * time.Millisecond) {
		t.Error("a route of somebody else")
	}
	ip(t, "route del 10.1.0.0/16")
	if !gone(patience) {
		t.Error("a route of ours")
	}
	ip(t, "-6 rule del to 2001:db8::/32 lookup 77")
	if !gone(patience) {
		t.Error("a rule")
	}
}

func everything(t *testing.T) string {
	var out []string
	for _, args := range []string{"-4 route show table all", "-6 route show table all", "-4 rule", "-6 rule"} {
		for _, l := range strings.Split(ip(t, args), "\n") {
			if !strings.Contains(l, "proto kernel") { // the kernel's own for IPv6 come when it has time
				out = append(out, strings.TrimSpace(l))
			}
		}
	}
	return strings.Join(out, "\n")
}

package config

import (
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"
)

// A DR server behind a router is named with the router, whatever brings the virtual address; where the routes say that none is in between nothing is.
func TestDirectRoutingBehindARouter(t *testing.T) {
	host := reasonHost
	host.NextHop = func(to netip.Addr) (netip.Addr, bool) {
		switch {
		case netip.MustParsePrefix("192.0.2.128/25").Contains(to): // more specific than the interface's network
			return netip.MustParseAddr("192.0.2.254"), true
		case netip.MustParsePrefix("203.0.113.0/24").Contains(to): // ip route add 203.0.113.0/24 dev eth0
			return netip.Addr{}, true
		case netip.MustParsePrefix("192.0.2.0/24").Contains(to):
			return netip.Addr{}, true
		case netip.MustParsePrefix("198.51.100.0/24").Contains(to):
			return netip.MustParseAddr("192.0.2.254"), true
		}
		return netip.Addr{}, false
	}
	const elsewhere = "vrrp_instance A {\n interface eth9\n virtual_router_id 1\n priority 100\n virtual_ipaddress {\n 192.0.2.10/24\n }\n}\n"
	brings := strings.Replace(instance(""), "192.0.2.10/24", "192.0.2.10/24\n198.51.100.10/24", 1)
	group := "virtual_server_group G {\n fwmark 3\n 192.0.2.10 80\n}\n"
	one := func(addr string) string { return server(" real_server " + addr + " 80 {\n }\n") }
	for _, c := range []struct{ name, in, want string }{
		{"behind a router", instance("") + one("198.51.100.9"), "router 192.0.2.254"},
		{"without an instance", one("198.51.100.9"), "router 192.0.2.254"},
		{"in the interface's network, and yet behind a router", one("192.0.2.200"), "router 192.0.2.254"},
		{"of a group", group + strings.Replace(one("198.51.100.9"), "192.0.2.10 80 {", "group G {", 1), "router 192.0.2.254"},
		{"of a firewall mark", instance("") + strings.Replace(one("198.51.100.9"), "192.0.2.10 80 {", "fwmark 3 {", 1), "router 192.0.2.254"},
		{"the sorry server", server(real1 + " sorry_server 198.51.100.9 80\n"), "router 192.0.2.254"},
		{"no route at all", instance("") + one("10.9.9.9"), "none of this machine's networks"},
		{"on a network", one("192.0.2.21"), ""},
		{"on a route without a router", instance("") + one("203.0.113.9"), ""},
		{"NAT may pass routers", strings.Replace(one("198.51.100.9"), "DR", "NAT", 1), ""},
		{"on a network that the instance brings", brings + one("198.51.100.9"), ""},
		{"checked on another machine", elsewhere + one("198.51.100.9"), ""},
		{"a firewall mark, checked on another machine", elsewhere + strings.Replace(one("198.51.100.9"), "192.0.2.10 80 {", "fwmark 3 {", 1), ""},
		{"another machine's virtual address", strings.ReplaceAll(one("198.51.100.9"), "192.0.2.10", "10.1.1.1"), ""},
	} {
		_, ds := Parse(fstest.MapFS{"etc/x.conf": {Data: []byte(c.in)}}, "/etc/x.conf", host, Options{})
		got := ""
		for _, d := range ds {
			if d.Code == "dr-not-connected" {
				got += d.Message
				if d.Line == 0 || d.Severity != Warning || !strings.Contains(d.Hint, "TUN") {
					t.Errorf("%s: %+v", c.name, d)
				}
			}
		}
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q instead of %q", c.name, got, c.want)
		}
	}
}

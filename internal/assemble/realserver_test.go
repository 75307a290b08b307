package assemble

import (
	"net/netip"
	"strings"
	"testing"
)

func TestRealServerSide(t *testing.T) {
	const nat = "vrrp_instance V {\n interface eth0\n virtual_router_id 1\n priority 100\n virtual_ipaddress {\n 192.0.2.1/24\n 10.0.0.1/24 dev eth1\n }\n}\n"
	for _, c := range []struct {
		name, text, server string
		want, not          []string
	}{
		{"DR", forwardVS("192.0.2.1 80", "DR", "", "192.0.2.21 80") + forwardVS("192.0.2.1 443", "DR", "", "192.0.2.21 443"), "192.0.2.21",
			[]string{"net.ipv4.conf.all.arp_ignore=1", "net.ipv4.conf.all.arp_announce=2", "ip addr replace 192.0.2.1/32 dev lo\n"}, []string{"modprobe", "rp_filter"}},
		{"DR IPv6", forwardVS("2001:db8::1 80", "DR", "", "2001:db8::21 80"), "2001:db8::21", []string{"ip -6 addr replace 2001:db8::1/128 dev lo nodad\n"}, []string{"arp_", "modprobe"}},
		{"ipip", forwardVS("192.0.2.1 80", "TUN", "", "198.51.100.21 80"), "198.51.100.21",
			[]string{"modprobe ipip\n", "ip link set tunl0 up\n", "ip addr replace 192.0.2.1/32 dev tunl0\n", "net.ipv4.conf.tunl0.rp_filter=0\n", "arp_ignore=1"}, []string{"fou"}},
		{"gue", forwardVS("192.0.2.1 80", "TUN type gue port 6080 csum", "", "198.51.100.21 80"), "198.51.100.21",
			[]string{"modprobe fou\n", "ip fou add port 6080 gue", "ip link set tunl0 up\n"}, nil},
		{"gre", forwardVS("192.0.2.1 80", "TUN type gre", "", "198.51.100.21 80"), "198.51.100.21", []string{"modprobe ip_gre\n", "dev gre0\n", "gre0.rp_filter=0"}, []string{"holdfast-gre"}},
		{"gre with a checksum", forwardVS("192.0.2.1 80", "TUN type gre csum", "", "198.51.100.21 80"), "198.51.100.21",
			[]string{"type gre local 198.51.100.21 csum", "ip addr replace 192.0.2.1/32 dev holdfast-gre\n"}, []string{"dev gre0"}},
		{"both kinds of gre", forwardVS("192.0.2.1 80", "TUN type gre csum", "", "198.51.100.21 80") + forwardVS("192.0.2.2 80", "TUN type gre", "", "198.51.100.21 80"), "198.51.100.21",
			[]string{"with and without a checksum"}, nil},
		{"IPv4 in IPv6", forwardVS("192.0.2.1 80", "TUN", "", "2001:db8::21 80"), "2001:db8::21", []string{"modprobe ip6_tunnel\n", "ip addr replace 192.0.2.1/32 dev ip6tnl0\n"}, nil},
		{"IPv6 in IPv4", forwardVS("2001:db8::1 80", "TUN", "", "198.51.100.21 80"), "198.51.100.21", []string{"modprobe sit\n", "dev sit0 nodad\n"}, []string{"rp_filter"}},
		{"NAT", nat + forwardVS("192.0.2.1 80", "NAT", "", "10.0.0.21 80"), "10.0.0.21", []string{"ip route replace default via 10.0.0.1\n"}, []string{"arp_", "192.0.2.1/32"}},
		{"NAT without a gateway in the file", forwardVS("192.0.2.1 80", "NAT", "", "10.0.0.21 80"), "10.0.0.21", []string{"default route must lead to the director"}, []string{"ip route"}},
		{"FNAT", forwardVS("192.0.2.1 80", "FNAT", "", "10.0.0.21 80"), "10.0.0.21", []string{"nothing to do"}, []string{"ip ", "sysctl"}},
		{"a group", "virtual_server_group G {\n 192.0.2.1-3 80,443\n}\n" + forwardVS("group G", "DR", "", "192.0.2.21 80"), "192.0.2.21",
			[]string{"192.0.2.1/32 dev lo\n", "192.0.2.2/32 dev lo\n", "192.0.2.3/32 dev lo\n"}, nil},
		{"a firewall mark", forwardVS("fwmark 7", "DR", "", "192.0.2.21 80"), "192.0.2.21", []string{"firewall mark 7"}, []string{"ip addr"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := RealServerSide(parse(t, c.text), netip.MustParseAddr(c.server))
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range c.want {
				if !strings.Contains(got, w) {
					t.Errorf("no %q in\n%s", w, got)
				}
			}
			for _, n := range c.not {
				if strings.Contains(strings.Join(commands(got), "\n"), n) {
					t.Errorf("%q in\n%s", n, got)
				}
			}
		})
	}
	if _, err := RealServerSide(parse(t, nat), netip.MustParseAddr("10.0.0.9")); err == nil {
		t.Error("a server that nobody named has a side")
	}
}

// commands are the lines that do something.
func commands(script string) (lines []string) {
	for line := range strings.Lines(script) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

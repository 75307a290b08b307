package assemble

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

func parse(t *testing.T, text string) *config.Model {
	t.Helper()
	m, ds := config.Parse(fstest.MapFS{"c.conf": {Data: []byte(text)}}, "/c.conf", config.Host{Hostname: "d1"}, config.Options{})
	for _, d := range ds {
		if d.Severity == config.Error {
			t.Fatalf("%v", d)
		}
	}
	return m
}

func forwardVS(head, method, checks string, servers ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "virtual_server %s {\n protocol TCP\n lb_algo rr\n lb_kind %s\n", head, method)
	for _, s := range servers {
		fmt.Fprintf(&b, " real_server %s {\n %s\n }\n", s, checks)
	}
	return b.String() + "}\n"
}

// checkOf finds the first check of a real server.
func checkOf(t *testing.T, m *config.Model, virtual, real string) checkers.Probe {
	t.Helper()
	for _, s := range Checks(m) {
		if s.ID.Virtual == virtual && s.ID.Real == real {
			return s.Probe
		}
	}
	t.Fatalf("no check of %s %s", virtual, real)
	return checkers.Probe{}
}

func TestForwardWays(t *testing.T) {
	const via = "TCP_CHECK {\n check_via forward\n }\n HTTP_GET {\n check_via forward\n url {\n path /\n }\n }"
	base := forwardVS("192.0.2.1 80", "DR", via, "192.0.2.21 80", "192.0.2.22 80")
	for _, c := range []struct {
		name, text, virtual, real string
		target, server, method    string
		services                  int
		family                    ipvssync.Family
	}{
		{"DR", base, "TCP 192.0.2.1:80", "192.0.2.21:80", "192.0.2.1:80", "192.0.2.21:80", "DR", 2, ipvssync.IPv4},
		{"NAT keeps the server's port", forwardVS("192.0.2.1 80", "NAT", via, "10.0.0.21 8080"), "TCP 192.0.2.1:80", "10.0.0.21:8080", "192.0.2.1:80", "10.0.0.21:8080", "NAT", 1, ipvssync.IPv4},
		{"tunnel", forwardVS("192.0.2.1 80", "TUN type gue port 6080 csum", via, "198.51.100.21 80"), "TCP 192.0.2.1:80", "198.51.100.21:80", "192.0.2.1:80", "198.51.100.21:80", "TUN gue port 6080 csum", 1, ipvssync.IPv4},
		{"tunnel to the other family", forwardVS("192.0.2.1 80", "TUN", via, "2001:db8::21 80"), "TCP 192.0.2.1:80", "[2001:db8::21]:80", "192.0.2.1:80", "[2001:db8::21]:80", "TUN", 1, ipvssync.IPv4},
		{"IPv6", forwardVS("2001:db8::1 80", "DR", via, "2001:db8::21 80"), "TCP [2001:db8::1]:80", "[2001:db8::21]:80", "[2001:db8::1]:80", "[2001:db8::21]:80", "DR", 1, ipvssync.IPv6},
		{"a group: its first address", "virtual_server_group G {\n fwmark 7\n 192.0.2.5-8 443\n}\n" + forwardVS("group G", "DR", via, "192.0.2.21 443"), "group G TCP", "192.0.2.21:443", "192.0.2.5:443", "192.0.2.21:443", "DR", 1, ipvssync.IPv4},
		{"a mark: connect_ip", forwardVS("fwmark 7", "DR", "TCP_CHECK {\n check_via forward\n connect_ip 192.0.2.9\n connect_port 25\n }", "192.0.2.21 80"), "FWM 7", "192.0.2.21:80", "192.0.2.9:25", "192.0.2.21:25", "DR", 1, ipvssync.IPv4},
		{"two virtual servers, one way", base + forwardVS("192.0.2.2 80", "DR", via, "192.0.2.21 80"), "TCP 192.0.2.2:80", "192.0.2.21:80", "192.0.2.2:80", "192.0.2.21:80", "DR", 2, ipvssync.IPv4},
		{"two methods, two ways", base + forwardVS("192.0.2.2 80", "NAT", via, "192.0.2.21 80"), "TCP 192.0.2.2:80", "192.0.2.21:80", "192.0.2.2:80", "192.0.2.21:80", "NAT", 3, ipvssync.IPv4},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := parse(t, c.text)
			p := checkOf(t, m, c.virtual, c.real)
			if p.Target.String() != c.target || p.Via.Server.String() != c.server || p.Via.Method != c.method {
				t.Errorf("the probe goes to %s by %s %s", p.Target, p.Via.Method, p.Via.Server)
			}
			services := ForwardServices(m)
			if len(services) != c.services {
				t.Errorf("%d private services, want %d: %v", len(services), c.services, services)
			}
			found := false
			for _, s := range services {
				if err := (ipvssync.Op{Kind: ipvssync.AddService, Service: s}).Validate(); err != nil {
					t.Error(err)
				}
				if !config.DefaultForwardMarks.Contains(s.Mark) || len(s.Servers) != 1 || s.Servers[0].Weight != 1 {
					t.Errorf("%+v", s)
				}
				found = found || s.Key == ipvssync.MarkKey(c.family, p.Mark) && s.Servers[0].Addr.String() == c.server
			}
			if !found {
				t.Errorf("no service of mark %d leads to %s: %v", p.Mark, c.server, services)
			}
			for _, v := range VirtualServers(m) {
				for _, k := range v.Keys {
					if config.DefaultForwardMarks.Contains(k.Mark) {
						t.Errorf("%s is a private mark", k)
					}
				}
			}
		})
	}
}

// A mark is the same whatever else the file says and in whatever order, as long as no two ways want the same one.
func TestForwardMarksStay(t *testing.T) {
	const via = "TCP_CHECK {\n check_via forward\n }"
	mark := func(text string) uint32 {
		return checkOf(t, parse(t, text), "TCP 192.0.2.1:80", "192.0.2.21:80").Mark
	}
	alone := mark(forwardVS("192.0.2.1 80", "DR", via, "192.0.2.21 80"))
	more := mark(forwardVS("192.0.2.7 80", "DR", via, "192.0.2.3 80") + forwardVS("192.0.2.1 80", "DR", via, "192.0.2.20 80", "192.0.2.22 80", "192.0.2.21 80"))
	if alone != more {
		t.Errorf("mark %d became %d by more servers", alone, more)
	}
}

// Marks of a small range collide and stay different; beyond its size nothing is given out, and such a check has no target.
func TestForwardMarksInASmallRange(t *testing.T) {
	var servers []string
	for i := range 8 {
		servers = append(servers, fmt.Sprintf("192.0.2.%d 80", 21+i))
	}
	text := forwardVS("192.0.2.1 80", "DR", "TCP_CHECK {\n check_via forward\n }", servers...)
	marks := func(m *config.Model) map[uint32]bool {
		used := map[uint32]bool{}
		for _, s := range Checks(m) {
			if s.Probe.Mark != 0 {
				used[s.Probe.Mark] = true
			} else if s.Probe.Target.IsValid() {
				t.Errorf("%s has a target and no mark", s.ID)
			}
		}
		return used
	}
	m := parse(t, "global_defs {\n forward_check_marks 100 107\n}\n"+text)
	if got := marks(m); len(got) != 8 || !got[100] || !got[107] {
		t.Errorf("marks %v", got)
	}
	m.Global.ForwardMarks.Last = 104
	if got := marks(m); len(got) != 5 {
		t.Errorf("marks %v of five", got)
	}
	if a, b := ForwardServices(m), ForwardServices(m); !reflect.DeepEqual(a, b) {
		t.Error("two runs differ")
	}
}

// A list of ports is one pool with a service for each port and protocol; a server without a port is reached at the service's own.
func TestPortLists(t *testing.T) {
	m := parse(t, "virtual_server_group G {\n 192.0.2.2-3 90,91\n}\n"+strings.Replace(forwardVS("192.0.2.1 80,443,8000-8001", "NAT", "TCP_CHECK {\n }", "10.0.0.21"), "TCP\n", "TCP UDP\n", 1)+
		forwardVS("group G", "NAT", "", "10.0.0.21"))
	all := VirtualServers(m)
	if len(all) != 2 || all[0].ID != "TCP 192.0.2.1:80,443,8000-8001" || len(all[0].Keys) != 8 || len(all[1].Keys) != 4 {
		t.Fatalf("%+v", all)
	}
	p, _ := ipvssync.NewPool(time.Time{}, all[0])
	for _, s := range p.Want() {
		if len(s.Servers) != 1 || s.Servers[0].Addr.Port() != s.Port {
			t.Errorf("%s: %v", s.Key, s.Servers)
		}
	}
	if got := checkOf(t, m, all[0].ID, "10.0.0.21:0").Target.String(); got != "10.0.0.21:80" {
		t.Errorf("the check goes to %s", got)
	}
}

// Only checks through NAT that name their source need anything of the interface that has it.
func TestForwardSources(t *testing.T) {
	check := func(via, from string) []config.Check {
		c := config.Check{Kind: config.TCPCheck}
		c.Via = via
		if from != "" {
			c.BindTo = netip.MustParseAddr(from)
		}
		return []config.Check{c}
	}
	server := func(f config.Forward, checks []config.Check) config.RealServer {
		return config.RealServer{Addr: netip.MustParseAddr("10.0.0.1"), Port: 80, Method: config.Method{Forward: f}, Checks: checks}
	}
	m := &config.Model{VirtualServers: []config.VirtualServer{{Addr: netip.MustParseAddr("192.0.2.1"), Port: 80, Protocol: "tcp", RealServers: []config.RealServer{
		server(config.NAT, check("forward", "192.0.2.12")), server(config.NAT, check("forward", "192.0.2.11")), server(config.NAT, check("forward", "192.0.2.12")),
		server(config.NAT, check("forward", "")), server(config.NAT, check("", "192.0.2.13")), server(config.DR, check("forward", "192.0.2.14")),
	}}}}
	if got := ForwardSources(m); len(got) != 2 || got[0].String() != "192.0.2.11" || got[1].String() != "192.0.2.12" {
		t.Errorf("got %v", got)
	}
}

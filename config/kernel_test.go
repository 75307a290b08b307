package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// plainServer is a virtual server with one real server; more is added to the virtual server.
func plainServer(head, kind, more, real string) string {
	return fmt.Sprintf("virtual_server %s {\n lb_algo rr\n lb_kind %s\n protocol TCP\n %s\n real_server %s {\n TCP_CHECK {\n }\n }\n}\n", head, kind, more, real)
}

// What the kernel takes and breaks on, or refuses only later, is said by check.
func TestWhatTheKernelCannotHold(t *testing.T) {
	group := func(lines string) string { return "virtual_server_group G {\n " + lines + "\n}\n" }
	local := func(lines string) string { return "local_address_group L {\n " + lines + "\n}\n" }
	server := func(more string) string {
		return "virtual_server 192.0.2.1 80 {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n real_server 10.0.0.1 80 {\n " + more + "\n TCP_CHECK {\n }\n }\n}\n"
	}
	sync := "global_defs {\n lvs_sync_daemon eth0\n}\n"
	vip := plainServer("192.0.2.1 80", "NAT", "", "10.0.0.1 80")
	for _, c := range []struct {
		name, text string
		want       []string // "severity code"
	}{
		{"nothing wrong", vip, nil},
		{"a protocol IPVS has not", plainServer("192.0.2.1 80", "NAT", "protocol 47", "10.0.0.1 80"), []string{"error bad-value"}},
		{"every port without persistence", plainServer("192.0.2.1 0", "NAT", "", "10.0.0.1 80"), []string{"warning port-zero"}},
		{"a weight of more than 16 bits", server("weight 65536"), []string{"error weight"}},
		{"the largest weight", server("weight 65535"), nil},
		{"a lower threshold above", server("uthreshold 10\n lthreshold 20"), []string{"error threshold"}},
		{"a lower threshold alone", server("lthreshold 20"), []string{"error threshold"}},
		{"thresholds", server("uthreshold 20\n lthreshold 10"), nil},
		{"another family", plainServer("192.0.2.1 80", "NAT", "", "2001:db8::1 80"), []string{"error family", "warning no-servers"}},
		{"another family by a tunnel", plainServer("192.0.2.1 80", "TUN", "", "2001:db8::1 80"), nil},
		{"that beside a sync daemon", sync + plainServer("192.0.2.1 80", "TUN", "", "2001:db8::1 80"), []string{"error family-sync", "error no-servers"}},
		{"a group of both families", group("192.0.2.1 80\n 2001:db8::1 80") + plainServer("group G", "NAT", "", "10.0.0.1 80"), []string{"error family", "error no-servers"}},
		{"the same by tunnels", group("192.0.2.1 80\n 2001:db8::1 80") + plainServer("group G", "TUN", "", "10.0.0.1 80"), nil},
		{"a group of the other family", group("2001:db8::1 80") + plainServer("group G", "NAT", "", "10.0.0.1 80"), []string{"error family", "error no-servers"}},
		{"a mark takes its servers' family", plainServer("fwmark 7", "NAT", "", "2001:db8::1 80"), nil},
		{"a mark of the other family", plainServer("fwmark 7", "NAT", "ip_family inet6", "10.0.0.1 80"), []string{"error family", "error no-servers"}},
		{"an address of nobody", plainServer("0.0.0.0 80", "NAT", "", "10.0.0.1 80"), []string{"error impossible-address"}},
		{"a multicast server", plainServer("192.0.2.1 80", "NAT", "", "224.0.0.5 80"), []string{"error impossible-address", "error no-servers"}},
		{"an engine for TCP", plainServer("192.0.2.1 80", "NAT", "persistence_engine sip\n persistence_timeout 60", "10.0.0.1 80"), []string{"error engine"}},
		{"an engine without persistence", plainServer("192.0.2.1 5060", "NAT", "persistence_engine sip\n protocol UDP", "10.0.0.1 80"), []string{"error engine"}},
		{"an unknown engine", plainServer("192.0.2.1 5060", "NAT", "persistence_engine h323\n persistence_timeout 60\n protocol UDP", "10.0.0.1 80"), []string{"error engine"}},
		{"an engine", plainServer("192.0.2.1 5060", "NAT", "persistence_engine sip\n persistence_timeout 60\n protocol UDP", "10.0.0.1 80"), nil},
		{"one-packet scheduling of TCP", plainServer("192.0.2.1 80", "NAT", "ops", "10.0.0.1 80"), []string{"warning ops-udp"}},
		{"ha_suspend of a mark", plainServer("fwmark 7", "NAT", "ha_suspend", "10.0.0.1 80"), []string{"warning ha-suspend-mark"}},
		{"a port of gre", plainServer("192.0.2.1 80", "TUN type gre port 7", "", "10.0.0.1 80"), []string{"warning tunnel-option"}},
		{"a checksum of ipip", plainServer("192.0.2.1 80", "TUN type ipip csum", "", "10.0.0.1 80"), []string{"warning tunnel-option"}},
		{"the same twice", vip + vip, []string{"warning defined-twice"}},
		{"the same in a group", group("192.0.2.1 80") + plainServer("group G", "NAT", "", "10.0.0.1 80") + vip, []string{"warning defined-twice"}},
		{"the same in a part of a list", plainServer("192.0.2.1 79-81", "NAT", "", "10.0.0.1") + plainServer("192.0.2.1 80,443", "NAT", "", "10.0.0.1"), []string{"error defined-twice"}},
		{"one of two protocols", strings.Replace(vip, "TCP", "TCP UDP", 1) + strings.Replace(vip, "TCP", "UDP", 1), []string{"warning defined-twice"}},
		{"two protocols of one port", vip + strings.Replace(vip, "TCP", "UDP", 1), nil},
		{"a range backwards", plainServer("192.0.2.1 90-80", "NAT", "", "10.0.0.1"), []string{"error bad-ports"}},
		{"port 0 in a list", plainServer("192.0.2.1 0,80", "NAT", "", "10.0.0.1"), []string{"error bad-ports"}},
		{"a list with an end missing", plainServer("192.0.2.1 80,", "NAT", "", "10.0.0.1"), []string{"error bad-ports"}},
		{"ports of DR", plainServer("192.0.2.1 80,443", "DR", "", "192.0.2.21 80"), []string{"warning port-differs"}},
		{"too many services", group("10.0.0.0/16 80,443") + plainServer("group G", "NAT", "", "10.0.0.1 80"), []string{"error group-empty", "error too-large"}},
		{"FNAT of a mark", plainServer("fwmark 7", "FNAT", "", "10.0.0.1 80"), []string{"error fnat-mark", "note fnat-conntrack"}},
		{"a local address of FNAT", local("10.0.0.9") + plainServer("192.0.2.1 80", "FNAT", "laddr_group_name L", "10.0.0.1 80"), []string{"note fnat-conntrack"}},
		{"the virtual address as local address", local("192.0.2.1") + plainServer("192.0.2.1 80", "FNAT", "laddr_group_name L", "10.0.0.1 80"), []string{"error fnat-local-vip", "note fnat-conntrack"}},
		{"the same inside a range", local("192.0.2.0-192.0.2.9") + plainServer("192.0.2.1 80", "FNAT", "laddr_group_name L", "10.0.0.1 80"), []string{"error fnat-local-vip", "note fnat-conntrack"}},
		{"the source of a check as local address", local("10.0.0.9") + strings.Replace(plainServer("192.0.2.1 80", "FNAT", "laddr_group_name L", "10.0.0.1 80"), "TCP_CHECK {", "TCP_CHECK {\n bindto 10.0.0.9", 1), []string{"error fnat-local-source", "note fnat-conntrack"}},
		{"a local address of the other family", local("2001:db8::9") + plainServer("192.0.2.1 80", "FNAT", "laddr_group_name L", "10.0.0.1 80"), []string{"error fnat-local-family", "note fnat-conntrack"}},
		{"local addresses without FNAT", local("10.0.0.9") + plainServer("192.0.2.1 80", "NAT", "laddr_group_name L", "10.0.0.1 80"), []string{"warning laddr-unused"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, ds := Parse(fstest.MapFS{"c.conf": {Data: []byte(c.text)}}, "/c.conf", Host{Hostname: "d1"}, Options{})
			var got []string
			for _, d := range ds {
				if d.Severity != Note || strings.HasPrefix(d.Code, "fnat") {
					got = append(got, fmt.Sprintf("%s %s", d.Severity, d.Code))
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q:\n%s%v", got, c.want, c.text, ds)
			}
		})
	}
}

// The recommended size follows what the file says of its servers, within bounds.
func TestConntrackNeed(t *testing.T) {
	server := func(kind, laddr string, n int, more string) string {
		var b strings.Builder
		fmt.Fprintf(&b, "virtual_server 192.0.2.1 80 {\n lb_algo rr\n lb_kind %s\n protocol TCP\n %s\n", kind, laddr)
		for i := range n {
			fmt.Fprintf(&b, " real_server 10.0.0.%d 80 {\n %s\n }\n", i+1, more)
		}
		return b.String() + "}\n"
	}
	for _, c := range []struct {
		text string
		want int64
	}{
		{server("FNAT", "", 1, ""), 1 << 18},
		{server("FNAT", "", 8, ""), 524288},                  // 8 x 64512
		{server("FNAT", "", 8, "uthreshold 1000"), 1 << 18},  // 8000
		{server("FNAT", "", 2, "uthreshold 400000"), 851968}, // 800000, rounded up
		{"local_address_group L {\n 10.0.1.1-10.0.1.4\n}\n" + server("FNAT", "laddr_group_name L", 2, ""), 524288},
		{server("FNAT", "", 200, ""), 1 << 22},
	} {
		m, _ := Parse(fstest.MapFS{"c.conf": {Data: []byte(c.text)}}, "/c.conf", Host{}, Options{})
		if got := m.conntrackNeed(); got != c.want {
			t.Errorf("%d, want %d:\n%s", got, c.want, c.text)
		}
	}
}

func TestPortLists(t *testing.T) {
	for text, want := range map[string]string{"80": "80", "80,443": "80,443", "80-83": "80-83", "8000-8001,80": "8000-8001,80", "80,80,79-81": "80,80,79-81", "5-5": "5"} {
		m, ds := Parse(fstest.MapFS{"c.conf": {Data: []byte(plainServer("192.0.2.1 "+text, "NAT", "", "10.0.0.1"))}}, "/c.conf", Host{}, Options{})
		if len(m.VirtualServers) != 1 {
			t.Errorf("%s: %v", text, ds)
			continue
		}
		if got := m.VirtualServers[0].PortText(); got != want {
			t.Errorf("%s reads as %s", text, got)
		}
	}
	m, _ := Parse(fstest.MapFS{"c.conf": {Data: []byte(plainServer("192.0.2.1 80,80,79-81", "NAT", "", "10.0.0.1"))}}, "/c.conf", Host{}, Options{})
	if got := slices.Collect(m.VirtualServers[0].Ports()); !slices.Equal(got, []uint16{80, 79, 81}) {
		t.Errorf("the ports are %v", got)
	}
}

// What is mended does not take its virtual server out of service.
func TestMendedServersRun(t *testing.T) {
	for name, words := range map[string]string{
		"a weight that is too large":     " real_server 192.0.2.21 80 {\n weight 70000\n TCP_CHECK { }\n }\n",
		"a lower limit alone":            " real_server 192.0.2.21 80 {\n lthreshold 5\n TCP_CHECK { }\n }\n",
		"an engine for TCP":              " persistence_engine sip\n persistence_timeout 60\n" + real1,
		"an engine that is none":         " persistence_engine smtp\n persistence_timeout 60\n" + real1,
		"a mask that is too long":        " persistence_granularity 64\n persistence_timeout 60\n" + real1,
		"a family that is not it":        " ip_family inet6\n" + real1,
		"a sorry server that cannot be":  " sorry_server 2001:db8::9 80\n" + real1,
		"a sorry server that is no host": " sorry_server 0.0.0.0 80\n" + real1,
		"a file that is not defined":     " real_server 192.0.2.21 80 {\n FILE_CHECK {\n track_file none\n }\n TCP_CHECK { }\n }\n",
	} {
		m, ds := Parse(fstest.MapFS{"etc/x.conf": {Data: []byte(server(words))}}, "/etc/x.conf", reasonHost, Options{})
		if len(m.VirtualServers) != 1 || m.VirtualServers[0].Blocked != "" || len(m.VirtualServers[0].RealServers) != 1 || m.VirtualServers[0].Sorry != nil {
			t.Errorf("%s: %+v", name, m.VirtualServers)
		}
		if !slices.ContainsFunc(ds, func(d Diagnostic) bool { return d.Severity == Error }) {
			t.Errorf("%s is no error: %v", name, ds)
		}
	}
}

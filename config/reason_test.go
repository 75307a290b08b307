package config

import (
	"errors"
	"io/fs"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"
)

var reasonHost = Host{
	Hostname: "d1",
	Interfaces: map[string]Interface{
		"eth0": {Addrs: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24")}, Multicast: true, Type: 1},
		"ib0":  {Type: 32},
		"v4.7": {},
	},
	Sysctl: func(name string) string {
		if name == "net.ipv6.conf.v4/7.disable_ipv6" {
			return "1"
		}
		return "0"
	},
	UserExists: func(s string) bool { return s == "root" || s == "nobody" },
	Stat: func(name string) (FileInfo, error) {
		switch name {
		case "/", "/usr", "/usr/bin", "/home":
			return FileInfo{Mode: fs.ModeDir | 0o755}, nil
		case "/usr/bin/ok":
			return FileInfo{Mode: 0o755}, nil
		case "/usr/bin/data":
			return FileInfo{Mode: 0o644}, nil
		case "/home/bob":
			return FileInfo{UID: 1000, Mode: fs.ModeDir | 0o755}, nil
		case "/home/bob/chk":
			return FileInfo{UID: 0, Mode: 0o755}, nil
		}
		return FileInfo{}, errors.New("not there")
	},
}

func instance(words string) string {
	return "vrrp_instance A {\n interface eth0\n virtual_router_id 1\n priority 100\n virtual_ipaddress {\n 192.0.2.10/24\n }\n" + words + "\n}\n"
}

func server(words string) string {
	return "virtual_server 192.0.2.10 80 {\n lb_algo rr\n lb_kind DR\n protocol TCP\n" + words + "\n}\n"
}

const real1 = " real_server 192.0.2.21 80 {\n TCP_CHECK { }\n }\n"

// Every rule has a file that breaks it. The words in want appear in the message or the hint.
func TestReasonedChecks(t *testing.T) {
	second := "vrrp_instance B {\n interface eth0\n virtual_router_id 2\n priority 100\n virtual_ipaddress {\n 192.0.2.11/24\n }\n}\n"
	for _, c := range []struct {
		code string
		sev  Severity
		in   string
		want string
	}{
		{"weight-owner", Warning, strings.Replace(instance(" track_interface {\n eth1 weight -10\n }"), "priority 100", "priority 255", 1), "never changes"},
		{"weight-nopreempt", Warning, instance(" nopreempt\n track_interface {\n eth1 weight -10\n }"), "cannot move"},
		{"weight-clamped", Warning, strings.Replace(instance(" track_interface {\n eth1 weight 10\n }"), "priority 100", "priority 254", 1), "254"},
		{"group-weight", Warning, instance(" track_interface {\n eth1 weight 10\n }") + second + "vrrp_sync_group G { group { A B } }\n", "sync_group_tracking_weight"},
		{"nopreempt-master", Warning, instance(" state MASTER\n nopreempt"), "state BACKUP"},
		{"udp-stale", Note, strings.Replace(server(real1), "TCP", "UDP", 1), "expire_nodest_conn"},
		{"persistent-stale", Note, server(" persistence_timeout 60\n" + real1), "manage_ipvs_sysctls"},
		{"ops-udp", Warning, server(" ops\n" + real1), "UDP only"},
		{"strict-servers", Warning, "global_defs { vrrp_strict\n}\n" + instance("") + server(real1), "drops packets"},
		{"address-in-two", Error, instance("") + strings.Replace(second, "192.0.2.11", "192.0.2.10", 1), "keep it in one"},
		{"address-twice", Warning, instance(" virtual_ipaddress_excluded {\n 192.0.2.10\n }"), "twice"},
		{"vrid-clash", Error, instance("") + strings.Replace(second, "id 2", "id 1", 1), "also that of A"},
		{"auth-pass-long", Warning, instance(" authentication {\n auth_type PASS\n auth_pass 123456789\n }"), "first 8"},
		{"advert-fraction", Warning, instance(" advert_int 0.4"), "whole seconds"},
		{"port-differs", Warning, server(" real_server 192.0.2.21 8080 {\n }\n"), "write port 80"},
		{"dr-not-connected", Warning, instance("") + server(" real_server 10.9.9.9 80 {\n }\n"), "same network"},
		{"nat-sync", Warning, instance("") + strings.NewReplacer("192.0.2.11", "10.1.1.1").Replace(second) + strings.Replace(server(" real_server 10.1.1.5 80 {\n }\n"), "DR", "NAT", 1), "vrrp_sync_group"},
		{"persistence-zero", Warning, server(" persistence_timeout 0\n" + real1), "no persistence"},
		{"timeout-interval", Warning, server(" delay_loop 1\n connect_timeout 5\n" + real1), "connect_timeout 5"},
		{"script-security", Warning, "global_defs { enable_script_security\n}\n" + instance(" notify \"/home/bob/chk x\" root"), "/home/bob belongs to user 1000 (mode 0755)"},
		{"script-security", Note, instance(" notify /home/bob/chk"), "could be changed"},
		{"no-program", Note, instance(" notify /usr/bin/none"), "/usr/bin/none"},
		{"udp-silence", Warning, server(checking("UDP_CHECK {\n connect_timeout 3\n }")), "require_reply"},
		{"bad-value", Warning, server(checking("HTTP_GET {\n url {\n path \"/a b\"\n }\n }")), "%20"},
		{"no-file", Note, server(checking("SSL_GET {\n url {\n path /\n }\n tls_verify\n tls_ca /etc/none.pem\n }")), "/etc/none.pem"},
		{"tls-unused", Warning, server(checking("HTTP_GET {\n url {\n path /\n }\n tls_verify\n }")), "SSL_GET"},
		{"tls-unused", Warning, server(checking("TCP_CHECK {\n tls_min_version 1.3\n }")), "add tls"},
		{"bad-value", Error, server(checking("DNS_CHECK {\n name www..example.com\n }")), "not a DNS name"},
		{"bad-value", Error, server(checking("DNS_CHECK {\n name " + strings.Repeat("x", 64) + ".example\n }")), "63 bytes"},
		{"bad-value", Warning, server(checking("HTTP_GET {\n url {\n path /\n regex x\n regex_min_offset 5\n regex_max_offset 4\n }\n }")), "left out"},
		{"not-executable", Warning, instance(" notify /usr/bin/data"), "chmod"},
		{"unused", Note, "vrrp_script s {\n script /usr/bin/ok\n}\n" + instance(""), "never used"},
		{"defined-later", Note, instance(" track_script {\n s\n }") + "vrrp_script s {\n script /usr/bin/ok\n}\n", "further down"},
		{"not-defined", Error, instance(" track_script {\n chk_http\n }") + "vrrp_script chk_htpp {\n script /usr/bin/ok\n}\n", "did you mean chk_htpp"},
		{"no-addresses", Warning, strings.Replace(instance(""), "192.0.2.10/24", "", 1), "no virtual address"},
		{"placeholder", Error, strings.Replace(instance(""), "192.0.2.10/24", "<IP>/24", 1), "placeholder"},
		{"template", Error, strings.Replace(instance(""), "192.0.2.10/24", "{{ vip }}", 1), "template"},
		{"infiniband", Error, strings.Replace(instance(""), "eth0", "ib0", 1), "InfiniBand"},
		{"no-interface", Note, strings.Replace(instance(""), "eth0", "eth9", 1), "eth9"},
		{"peer-self", Warning, instance(" unicast_peer {\n 192.0.2.1\n }"), "this machine"},
		{"no-peer", Warning, instance(" unicast_peer {\n }"), "multicast"},
		{"fnat-conntrack", Warning, strings.Replace(server(real1), "DR", "FNAT", 1), "nf_conntrack_max=262144"},
		{"fnat-mark", Error, strings.NewReplacer("DR", "FNAT", "192.0.2.10 80 {", "fwmark 5 {").Replace(server(real1)), "firewall mark"},
		{"fnat-local-vip", Error, instance("") + "local_address_group L {\n 192.0.2.10\n}\n" + strings.Replace(server(" laddr_group_name L\n"+real1), "DR", "FNAT", 1), "whoever holds it"},
		{"hash-weight-zero", Warning, strings.Replace(server(" inhibit_on_failure\n"+real1), "lb_algo rr", "lb_algo sh", 1), "sh-fallback"},
		{"scheduler-flag", Warning, server(" sh-port\n" + real1), "does nothing"},
		{"vip-nowhere", Note, instance("") + strings.Replace(server(real1), "192.0.2.10", "192.0.2.99", 1), "192.0.2.99"},
		{"no-servers", Warning, server(""), "left out"},
		{"protocol-default", Warning, strings.Replace(server(real1), " protocol TCP\n", "", 1), "UDP"},
		{"quorum-too-high", Warning, server(" quorum 7\n" + real1), "1 is used"},
		{"hysteresis-out-of-reach", Warning, server(" quorum 2\n hysteresis 1\n" + strings.Replace(real1, "{", "{\n weight 2\n", 1)), "= 3, and all"},
		{"port-zero", Warning, strings.Replace(server(" real_server 192.0.2.21 {\n }\n"), "192.0.2.10 80", "192.0.2.10 0", 1), "persistence"},
		{"family", Error, server(" real_server 2001:db8::1 80 {\n }\n"), "TUN"},
		{"server-twice", Warning, server(real1 + real1), "twice"},
		{"defined-twice", Warning, server(real1) + server(real1), "merge"},
		{"auth-half", Warning, instance(" authentication {\n auth_pass x\n }"), "auth_type"},
		{"auth-version", Warning, instance(" version 3\n authentication {\n auth_type PASS\n auth_pass x\n }"), "version 3"},
		{"mixed-family", Warning, strings.Replace(instance(""), "192.0.2.10/24", "192.0.2.10/24\n2001:db8::1/64", 1), "excluded"},
		{"group-interval", Warning, instance(" advert_int 2") + second + "vrrp_sync_group G { group { A B } }\n", "same advert_int"},
		{"group-of-one", Note, instance("") + "vrrp_sync_group G { group { A } }\n", "of one"},
		{"two-groups", Error, instance("") + second + "vrrp_sync_group G { group { A B } }\nvrrp_sync_group H { group { A B } }\n", "keep it in one"},
		{"no-such-user", Warning, "vrrp_script s {\n script /usr/bin/ok\n user bob\n}\n" + instance(" track_script {\n s\n }"), "bob"},
		{"no-such-user", Warning, "global_defs { script_user alice\n}\n" + instance(""), "alice"},
		{"command-words", Error, instance(" notify /usr/bin/ok -a b c"), "double quotes"},
		{"server-is-vip", Warning, server(" real_server 192.0.2.10 80 {\n }\n"), "own address"},
		{"priority-default", Warning, strings.Replace(instance(" state MASTER"), " priority 100\n", "", 1), "255"},
	} {
		_, ds := Parse(fstest.MapFS{"etc/x.conf": {Data: []byte(c.in)}}, "/etc/x.conf", reasonHost, Options{})
		found := false
		for _, d := range ds {
			found = found || d.Code == c.code && d.Severity == c.sev && strings.Contains(d.Message+d.Hint, c.want) && d.Line > 0
		}
		if !found {
			t.Errorf("%s: no %s with %q in\n%s\n%v", c.code, c.sev, c.want, c.in, ds)
		}
	}
	// The clean file has nothing to complain about.
	_, ds := Parse(fstest.MapFS{"etc/x.conf": {Data: []byte(instance(" notify /usr/bin/ok") + server(real1))}}, "/etc/x.conf", reasonHost, Options{})
	if len(ds) != 0 {
		t.Errorf("a clean file: %v", ds)
	}
}

// Errors about who owns an address keep the instance from running and nothing else.
func TestBlockedInstances(t *testing.T) {
	other := strings.NewReplacer("instance A", "instance B", "id 1", "id 2", "2.10", "2.11").Replace(instance(""))
	for _, c := range []struct{ name, in string }{
		{"not acted on", instance(" track_bfd {\n b\n }")},
		{"unknown word", instance(" unicast_everyone")},
		{"unknown block", instance(" fancy_thing {\n a\n }")},
		{"priority", strings.Replace(instance(""), "priority 100", "priority 300", 1)},
		{"address", strings.Replace(instance(""), "192.0.2.10/24", "192.0.2.300", 1)},
		{"peer", instance(" unicast_peer {\n lb2\n }")},
		{"script", "vrrp_script s {\n script /usr/bin/ok\n weight x\n}\n" + instance(" track_script {\n s\n }")},
	} {
		m, ds := Parse(fstest.MapFS{"etc/x.conf": {Data: []byte(c.in + other + server(real1))}}, "/etc/x.conf", Host{}, Options{})
		a, b := m.Instance("A"), m.Instance("B")
		if a == nil || b == nil || a.Blocked == "" || b.Blocked != "" || m.VirtualServers[0].Blocked != "" || !ds.HasErrors() || ds.RefuseStart() {
			t.Errorf("%s: %+v %v", c.name, m.Instances, ds)
		}
		m, ds = Parse(fstest.MapFS{"etc/x.conf": {Data: []byte(c.in + other)}}, "/etc/x.conf", Host{}, Options{WarnOnly: true})
		if m.Instance("A").Blocked != "" || ds.HasErrors() && c.name != "address" {
			t.Errorf("%s with --warn-only: %q %v", c.name, m.Instance("A").Blocked, ds)
		}
	}
	m, _ := Parse(fstest.MapFS{"etc/x.conf": {Data: []byte(instance(" track_bfd {\n b\n }") + other + "vrrp_sync_group G { group { A B } }\n")}}, "/etc/x.conf", Host{}, Options{})
	if m.Instance("B").Blocked != "" {
		t.Log("the other member follows by the group's state, not by configuration")
	}
}

// Interfaces of one network namespace say nothing about a configuration that runs in another.
func TestForeignNamespace(t *testing.T) {
	text := "net_namespace blue\n" + strings.Replace(instance(""), "eth0", "eth9", 1)
	for _, inside := range []bool{false, true} {
		host := reasonHost
		host.InNamespace = func(name string) bool { return inside && name == "blue" }
		_, ds := Parse(fstest.MapFS{"etc/x.conf": {Data: []byte(text)}}, "/etc/x.conf", host, Options{})
		if said := strings.Contains(ds.Text(false), "[no-interface]"); said != inside {
			t.Errorf("inside %v: said %v", inside, said)
		}
	}
}

// What is wrong with a pair of instances is said once, not for each of their servers.
func TestPairSaidOnce(t *testing.T) {
	text := instance(" virtual_ipaddress {\n 192.0.2.11/24\n }") + "vrrp_instance B {\n interface eth1\n virtual_router_id 2\n priority 100\n virtual_ipaddress {\n 10.0.0.1/24\n }\n}\n"
	for _, vip := range []string{"192.0.2.10", "192.0.2.11"} {
		text += "virtual_server " + vip + " 80 {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n real_server 10.0.0.5 80 {\n TCP_CHECK { }\n }\n real_server 10.0.0.6 80 {\n TCP_CHECK { }\n }\n}\n"
	}
	_, ds := read(t, text)
	if n := strings.Count(ds.Text(false), "[nat-sync]"); n != 1 {
		t.Errorf("said %d times:\n%s", n, ds.Text(false))
	}
}

func TestProse(t *testing.T) {
	for text, want := range map[string]int{
		"hello\n": 1,
		"Keepalived is software.\nIt implements VRRP.\n":   1,
		"vrrp_instace A {\n}\n":                            0,
		"glabal_defs\n":                                    0,
		"one two\nglobal_defs {\n}\n":                      0,
		"a b\nc d\ne f\ng h\ni j\nk\nglobal_defs {\n}\n":   1,
		"route 10.0.0.0/8\n\nvirtual_server 10.0.0.1 80\n": 0,
	} {
		_, ds := read(t, text)
		if n := strings.Count(ds.Text(false), "[not-a-configuration]"); n != want || want == 1 && len(ds) != 1 {
			t.Errorf("%q:\n%s", text, ds.Text(false))
		}
	}
}

// checking is a real server with that check.
func checking(check string) string { return " real_server 192.0.2.21 80 {\n " + check + "\n }\n" }

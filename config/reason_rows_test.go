package config

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// Every row has a file that breaks the rule and one that only looks like it.
func TestRulesBothWays(t *testing.T) {
	const b = "vrrp_instance B {\n interface eth0\n virtual_router_id 2\n priority 100\n virtual_ipaddress {\n 192.0.2.11/24\n }\n}\n"
	const six = "vrrp_instance S {\n interface eth0\n virtual_router_id 6\n priority 100\n virtual_ipaddress {\n %s\n }\n%s\n}\n"
	many := func(n int) string {
		var s strings.Builder
		for i := range n {
			fmt.Fprintf(&s, " 10.1.%d.%d\n", i/200, i%200+1)
		}
		return "vrrp_instance A {\n interface eth0\n virtual_router_id 1\n priority 100\n virtual_ipaddress {\n" + s.String() + " }\n}\n"
	}
	track := func(words string) string { return instance(" track_interface {\n eth1" + words + "\n }") }
	check := func(words string) string {
		return server(" real_server 192.0.2.21 80 {\n " + words + "\n }\n")
	}
	http := func(url string) string { return check("HTTP_GET {\n url {\n path /\n" + url + "\n }\n }") }
	group := "vrrp_sync_group G {\n group {\n A\n B\n }\n%s\n}\n"
	for _, c := range []struct {
		code      string
		sev       Severity
		bad, good string
	}{
		// Text and shape.
		{"unexpected-block", Error, instance(" {\n }"), instance(" virtual_routes {\n }")},
		{"unexpected-block", Error, instance(" unicast_peer {\n 192.0.2.2 {\n }\n }"), instance(" unicast_peer\n {\n 192.0.2.2\n }")},
		{"block-missing", Error, instance(" authentication"), instance(" authentication {\n auth_type PASS\n auth_pass x\n }")},
		{"block-missing", Error, server(" real_server 192.0.2.21 80\n"), server(real1)},
		{"block-not-wanted", Error, instance(" nopreempt {\n }"), instance(" nopreempt")},
		{"extra-words", Warning, instance(" nopreempt please"), instance(" nopreempt # please")},
		{"given-twice", Warning, instance(" notify /usr/bin/ok\n notify /usr/bin/ok"), instance(" notify /usr/bin/ok\n notify_master /usr/bin/ok")},
		{"too-many", Error, "vrrp_script s {\n" + strings.Repeat(" weight x\n", 600) + "}\n" + instance(""), instance("")},
		{"definition-builtin", Warning, "$_PWD=/x\n" + instance(""), "$PWD=/x\n" + instance("")},
		{"definition-not-last", Error, "$A=\\\n 1\\\n 2\nglobal_defs {\n router_id ${A} x\n}\n", "$A=\\\n router_id x\\\n vrrp_min_garp\nglobal_defs {\n $A\n}\n"},
		{"definition-open", Warning, instance("") + "$A=\\\n x \\\n", instance("") + "$A=\\\n x \\\n y\n"},
		{"not-utf8", Warning, "global_defs {\n router_id caf\xe9\n}\n", "global_defs {\n router_id caf\u00e9 # caf\xe9\n}\n"},
		{"unreadable", Error, "", instance("")},
		// Words.
		{"alias", Note, instance(" mcast_src_ip 192.0.2.1"), instance(" unicast_src_ip 192.0.2.1")},
		{"not-acted-on", Warning, "virtual_server_group G {\n 192.0.2.10 80\n}\n" + server(" snmp_name x\n"+real1), instance(" use_vmac")},
		{"unknown-option", Warning, instance(" virtual_ipaddress_excluded {\n 192.0.2.12/24 quickly\n }"), instance(" virtual_ipaddress_excluded {\n 192.0.2.12/24 dev eth0 label eth0:1 home\n }")},
		{"unknown-option", Error, track(" wieght 3"), track(" weight 3")},
		{"unknown-option", Error, instance(" unicast_peer {\n 192.0.2.2 ttl 3\n }"), instance(" unicast_peer {\n 192.0.2.2 min_ttl 3 max_ttl 255\n }")},
		{"unknown-option", Warning, instance(" virtual_routes {\n 10.0.0.0/8 dev eth0 fast\n }"), instance(" virtual_routes {\n 10.0.0.0/8 via 192.0.2.254 dev eth0 metric 5 mtu lock 1400\n }")},
		{"unknown-option", Warning, instance(" virtual_rules {\n from 10.0.0.0/8 table 7 priority 9 fast\n }"), instance(" virtual_rules {\n not from 10.0.0.0/8 to 10.1.0.0/16 iif eth0 fwmark 0x1/0xff table 7 priority 9\n }")},
		{"ignored", Warning, fmt.Sprintf(six, "fe80::1 label x", ""), instance(" virtual_ipaddress_excluded {\n 192.0.2.12 label eth0:x\n }")},
		{"too-long", Error, instance(" virtual_ipaddress_excluded {\n 192.0.2.12 label eth0:sixteen-chars\n }"), instance(" virtual_ipaddress_excluded {\n 192.0.2.12 label eth0:15-charac\n }")},
		{"rule-priority", Warning, instance(" virtual_rules {\n from 10.0.0.0/8 table 7\n }"), instance(" virtual_rules {\n from 10.0.0.0/8 table 7 preference 9\n }")},
		{"regex", Error, http(" regex \"(?=x)\""), http(" regex \"^[a-z]+\\\\s(ok|OK)$\"")},
		// Virtual routers.
		{"interface-missing", Error, strings.Replace(instance(""), " interface eth0\n", "", 1), strings.Replace(instance(" unicast_src_ip 192.0.2.1\n unicast_peer {\n 192.0.2.2\n }"), " interface eth0\n", "", 1)},
		{"odd-address", Warning, instance(" virtual_ipaddress_excluded {\n 127.0.0.1\n }"), instance(" virtual_ipaddress_excluded {\n 10.0.0.1/32\n }")},
		{"ipv6-off", Warning, instance(" virtual_ipaddress_excluded {\n 10.0.0.1 dev v4.7\n 2001:db8::7/64 dev v4.7\n }"), instance(" virtual_ipaddress_excluded {\n 10.0.0.1 dev v4.7\n 2001:db8::7/64\n }")},
		{"too-many-addresses", Warning, many(256), many(255)},
		{"link-local-first", Note, fmt.Sprintf(six, "2001:db8::9/64", ""), fmt.Sprintf(six, "fe80::9/64\n 2001:db8::9/64", "")},
		{"mixed-family", Warning, instance(" virtual_ipaddress {\n 2001:db8::9\n }"), instance(" virtual_ipaddress_excluded {\n 2001:db8::9\n }")},
		{"auth-family", Error, fmt.Sprintf(six, "fe80::9", " version 2\n authentication {\n auth_type AH\n auth_pass x\n }"), instance(" authentication {\n auth_type AH\n auth_pass x\n }")},
		{"auth-pass-long", Warning, instance(" authentication {\n auth_type PASS\n auth_pass 123456789\n }"), instance(" authentication {\n auth_type PASS\n auth_pass 12345678\n }")},
		{"advert-fraction", Warning, instance(" version 3\n advert_int 0.255"), instance(" version 3\n advert_int 0.35")},
		{"nopreempt-owner", Warning, strings.Replace(instance(" nopreempt\n state BACKUP"), "priority 100", "priority 255", 1), strings.Replace(instance(" nopreempt"), "priority 100", "priority 254", 1)},
		{"nopreempt-master", Warning, instance(" state MASTER\n preempt_delay 5"), instance(" state BACKUP\n preempt_delay 5")},
		{"preempt-both", Warning, instance(" nopreempt\n preempt_delay 5"), instance(" preempt_delay 5")},
		{"needs-nopreempt", Warning, instance(" timer_expired_backup 100"), instance(" nopreempt")},
		{"peer-twice", Warning, instance(" unicast_peer {\n 192.0.2.2\n 192.0.2.2\n }"), instance(" unicast_peer {\n 192.0.2.2\n 192.0.2.3\n }")},
		{"no-peer", Warning, instance(" unicast_peer {\n }"), instance(" unicast_fault_no_peer\n unicast_peer {\n }")},
		{"no-address", Note, instance(" unicast_src_ip 192.0.2.7"), instance(" unicast_src_ip 192.0.2.1")},
		{"tracked-anyway", Note, instance(" track_interface {\n eth0\n }"), instance(" track_interface {\n eth0 weight -10\n }")},
		{"weight-owner", Warning, strings.Replace(track(" weight -10"), "priority 100", "priority 255", 1), track(" weight -10")},
		{"weight-nopreempt", Warning, strings.Replace(track(" weight -10"), "priority 100", "priority 100\n nopreempt", 1), strings.Replace(track(""), "priority 100", "priority 100\n nopreempt", 1)},
		{"weight-clamped", Warning, strings.Replace(track(" weight 10"), "priority 100", "priority 254", 1), strings.Replace(track(" weight 10"), "priority 100", "priority 250", 1)},
		{"group-weight", Warning, track(" weight 10") + b + fmt.Sprintf(group, ""), track(" weight 10") + b + fmt.Sprintf(group, " sync_group_tracking_weight")},
		{"group-empty", Error, instance("") + "vrrp_sync_group G {\n group {\n }\n}\n", instance("") + b + fmt.Sprintf(group, "")},
		{"group-empty", Error, "virtual_server_group G {\n}\n" + strings.Replace(server(real1), "192.0.2.10 80 {", "group G {", 1), "virtual_server_group G {\n 192.0.2.10-12 80\n}\n" + strings.Replace(server(real1), "192.0.2.10 80 {", "group G {", 1)},
		{"group-preempt", Warning, instance(" nopreempt") + b + fmt.Sprintf(group, ""), instance(" nopreempt") + strings.Replace(b, "priority", "nopreempt\n priority", 1) + fmt.Sprintf(group, "")},
		{"group-priority", Note, instance("") + strings.Replace(b, "priority 100", "priority 90", 1) + fmt.Sprintf(group, ""), instance("") + b + fmt.Sprintf(group, "")},
		{"member-twice", Warning, instance("") + b + "vrrp_sync_group G {\n group {\n A\n B\n A\n }\n}\n", instance("") + b + fmt.Sprintf(group, "")},
		// One VRID on one interface is one virtual router, unless family or transport differ.
		{"vrid-clash", Error, instance("") + strings.Replace(b, "id 2", "id 1", 1), instance("") + strings.NewReplacer("id 2", "id 1", "eth0", "eth1").Replace(b)},
		{"vrid-clash", Error, instance(" unicast_peer {\n 192.0.2.2\n }") + strings.Replace(b, "id 2", "id 1\n unicast_peer {\n 192.0.2.2\n }", 1), instance("") + strings.NewReplacer("id 6", "id 1").Replace(fmt.Sprintf(six, "fe80::9", ""))},
		{"vrid-clash", Error, fmt.Sprintf(six, "fe80::9", "") + strings.NewReplacer("id 6", "id 6", "instance S", "instance T").Replace(fmt.Sprintf(six, "fe80::a", "")), instance(" mcast_dst_ip 224.0.0.99") + strings.Replace(b, "id 2", "id 1", 1)},
		// One virtual MAC for two.
		{"vmac-clash", Error, instance(" use_vmac 02:00:00:00:00:09") + strings.Replace(b, "id 2", "id 2\n use_vmac 2:0:0:0:0:9", 1), instance(" use_vmac 02:00:00:00:00:09") + strings.NewReplacer("id 2", "id 2\n use_vmac 2:0:0:0:0:9", "eth0", "eth1").Replace(b)},
		{"vmac-clash", Error, instance(" use_vmac\n mcast_dst_ip 224.0.0.99") + strings.Replace(b, "id 2", "id 1\n use_vmac", 1), instance(" mcast_dst_ip 224.0.0.99") + strings.Replace(b, "id 2", "id 1\n use_vmac", 1)},
		{"vmac-clash", Error, instance(" use_vmac 02:00:00:00:07") + strings.Replace(b, "id 2", "id 2\n use_vmac vr2 02:00:00:00:07:01", 1), instance(" use_vmac 02:00:00:00:07") + strings.Replace(b, "id 2", "id 2\n use_vmac vr2 02:00:00:00:07", 1)},
		{"vmac-clash", Error, instance(" use_vmac\n use_vmac_addr\n virtual_ipaddress_excluded {\n 2001:db8::7/64\n }") + fmt.Sprintf(strings.Replace(six, "id 6", "id 1\n use_vmac", 1), "fe80::9", ""),
			instance(" use_vmac\n use_vmac_addr") + fmt.Sprintf(strings.Replace(six, "id 6", "id 1\n use_vmac", 1), "fe80::9", "")},
		{"vmac-clash", Error, instance(" use_vmac 02:00:00:00:00:09\n use_vmac_addr\n virtual_ipaddress_excluded {\n 2001:db8::7/64\n }"), instance(" use_vmac 02:00:00:00:00:09\n virtual_ipaddress_excluded {\n 2001:db8::7/64\n }")},
		// One address in two instances, however it is written.
		{"address-in-two", Error, instance("") + strings.Replace(b, "192.0.2.11/24", "192.0.2.10/32 dev eth1", 1), instance("") + b},
		{"address-in-two", Error, fmt.Sprintf(six, "2001:db8::9", "") + strings.Replace(b, "192.0.2.11/24", "192.0.2.11\n }\n virtual_ipaddress_excluded {\n 2001:0db8:0:0::9/64", 1),
			fmt.Sprintf(six, "fe80::9", "") + strings.NewReplacer("192.0.2.11/24", "fe80::9/64", "eth0", "eth1").Replace(b)},
		{"strict-servers", Warning, instance(" strict_mode") + server(real1), instance(" strict_mode") + strings.Replace(server(real1), "192.0.2.10 80", "192.0.2.30 80", 1)},
		{"vrf-vmac", Error, strings.Replace(instance(" vrf red\n use_vmac\n unicast_src_ip 192.0.2.1\n unicast_peer {\n 192.0.2.2\n }"), " interface eth0\n", "", 1), strings.Replace(instance(" vrf red\n unicast_src_ip 192.0.2.1\n unicast_peer {\n 192.0.2.2\n }"), " interface eth0\n", "", 1)},
		// Virtual servers.
		{"port-differs", Warning, strings.Replace(server(" real_server 192.0.2.21 81 {\n TCP_CHECK { }\n }\n"), "DR", "TUN", 1), strings.Replace(server(" real_server 192.0.2.21 81 {\n TCP_CHECK { }\n }\n"), "DR", "NAT", 1)},
		{"port-differs", Warning, server(" real_server 192.0.2.21 81 {\n TCP_CHECK { }\n }\n"), strings.Replace(server(" real_server 192.0.2.21 81 {\n TCP_CHECK { }\n }\n"), "192.0.2.10 80 {", "fwmark 3 {", 1)},
		{"port-differs", Warning, server(real1 + " sorry_server 192.0.2.30 81\n"), server(real1 + " sorry_server 192.0.2.30\n")},
		{"dr-not-connected", Warning, instance("") + server(" real_server 198.51.100.9 80 {\n TCP_CHECK { }\n }\n"), instance("") + server(" real_server 198.51.100.9 80 {\n lvs_method TUN\n TCP_CHECK { }\n }\n")},
		{"dr-not-connected", Warning, fmt.Sprintf(six, "2001:db8:1::9", "") + strings.Replace(server(" real_server 2001:db8:2::1 80 {\n TCP_CHECK { }\n }\n"), "192.0.2.10", "2001:db8:1::9", 1), instance("") + server(real1)},
		{"mark-family", Warning, "virtual_server_group G {\n 192.0.2.10 80\n 2001:db8::1 80\n fwmark 7\n}\n" + strings.NewReplacer("192.0.2.10 80 {", "group G {", "DR", "TUN").Replace(server(real1)),
			"virtual_server_group G {\n 192.0.2.10 80\n 2001:db8::1 80\n fwmark 7 inet\n}\n" + strings.NewReplacer("192.0.2.10 80 {", "group G {", "DR", "TUN").Replace(server(real1))},
		{"port-missing", Error, strings.Replace(server(" real_server 192.0.2.21 {\n TCP_CHECK { }\n }\n"), "192.0.2.10 80 {", "fwmark 3 {", 1), strings.Replace(server(" real_server 192.0.2.21 {\n TCP_CHECK {\n connect_port 80\n }\n }\n"), "192.0.2.10 80 {", "fwmark 3 {", 1)},
		{"threshold", Error, server(" real_server 192.0.2.21 80 {\n lthreshold 9\n uthreshold 5\n TCP_CHECK { }\n }\n"), server(" real_server 192.0.2.21 80 {\n lthreshold 5\n uthreshold 9\n TCP_CHECK { }\n }\n")},
		{"hysteresis", Warning, server(" quorum 1\n hysteresis 1\n" + real1), server(" quorum 2\n hysteresis 1\n" + real1 + strings.Replace(real1, "21", "22", 1))},
		{"server-here", Note, server(" real_server 192.0.2.1 80 {\n TCP_CHECK { }\n }\n"), server(" real_server 127.0.0.1 80 {\n TCP_CHECK { }\n }\n")},
		{"timeout-interval", Warning, check("TCP_CHECK {\n delay_loop 2\n connect_timeout 3\n }"), check("TCP_CHECK {\n delay_loop 3\n connect_timeout 3\n }")},
		{"timeout-interval", Warning, server(" delay_loop 2\n connect_timeout 4\n" + " real_server 192.0.2.21 80 {\n DNS_CHECK {\n }\n }\n"), server(" connect_timeout 4\n" + real1 + " delay_loop 6\n")},
		{"timeout-interval", Note, check("MISC_CHECK {\n misc_path /usr/bin/ok\n misc_timeout 100\n }"), check("MISC_CHECK {\n misc_path /usr/bin/ok\n misc_timeout 50\n }")},
		{"persistence-zero", Warning, server(" persistence_timeout 0\n" + real1), server(" persistence_timeout\n" + real1)},
		{"bad-option", Error, instance(" virtual_routes {\n 10.0.0.0/8 dev eth0 hoplimit many\n }"), instance(" virtual_routes {\n 10.0.0.0/8 dev eth0 hoplimit 5\n }")},
		{"bad-ports", Error, strings.Replace(server(real1), "192.0.2.10 80", "192.0.2.10 80,x", 1), strings.Replace(strings.Replace(server(real1), "192.0.2.10 80", "192.0.2.10 80,443", 1), "DR", "NAT", 1)},
		{"engine", Error, server(" persistence_engine sip\n persistence_timeout 60\n" + real1), strings.Replace(server(" persistence_engine sip\n persistence_timeout 60\n"+real1), "TCP\n", "UDP\n", 1)},
		{"family-sync", Error, "global_defs {\n lvs_sync_daemon eth0\n}\n" + strings.Replace(server(" real_server 2001:db8::1 80 {\n TCP_CHECK { }\n }\n"), "DR", "TUN", 1), "global_defs {\n lvs_sync_daemon eth0\n}\n" + server(real1)},
		{"ha-suspend-mark", Warning, strings.Replace(server(" ha_suspend\n"+real1), "192.0.2.10 80 {", "fwmark 3 {", 1), server(" ha_suspend\n" + real1)},
		{"impossible-address", Error, strings.Replace(server(real1), "192.0.2.10 80", "0.0.0.0 80", 1), strings.Replace(server(real1), "192.0.2.10 80", "10.0.0.0 80", 1)},
		{"tunnel-option", Warning, server(" real_server 192.0.2.21 80 {\n lvs_method TUN type gre port 6080\n TCP_CHECK { }\n }\n"), server(" real_server 192.0.2.21 80 {\n lvs_method TUN type gue port 6080\n TCP_CHECK { }\n }\n")},
		{"laddr-unused", Warning, "local_address_group L {\n 192.0.2.77\n}\n" + server(" laddr_group_name L\n"+real1), "local_address_group L {\n 192.0.2.77\n}\n" + strings.Replace(server(" laddr_group_name L\n"+real1), "DR", "FNAT", 1)},
		{"fnat-local-family", Error, "local_address_group L {\n 2001:db8::7\n}\n" + strings.Replace(server(" laddr_group_name L\n"+real1), "DR", "FNAT", 1), "local_address_group L {\n 192.0.2.77\n 2001:db8::7\n}\n" + strings.Replace(server(" laddr_group_name L\n"+real1), "DR", "FNAT", 1)},
		{"fnat-local-source", Error, "local_address_group L {\n 192.0.2.1\n}\n" + strings.Replace(server(" laddr_group_name L\n real_server 192.0.2.21 80 {\n TCP_CHECK {\n bindto 192.0.2.1\n }\n }\n"), "DR", "FNAT", 1),
			"local_address_group L {\n 192.0.2.77\n}\n" + strings.Replace(server(" laddr_group_name L\n real_server 192.0.2.21 80 {\n TCP_CHECK {\n bindto 192.0.2.1\n }\n }\n"), "DR", "FNAT", 1)},
		// Scripts.
		{"no-such-group", Warning, "global_defs {\n script_user nobody wheels\n}\n" + instance(""), "global_defs {\n script_user nobody nogroup\n}\n" + instance("")},
		{"relative-path", Note, instance(" notify ok"), instance(" notify /usr/bin/ok")},
		{"relative-path", Warning, "global_defs {\n notify_fifo run/x\n}\n" + instance(""), "global_defs {\n notify_fifo /run/x\n}\n" + instance("")},
		{"script-security", Note, "vrrp_script s {\n script \"/home/bob/chk a\"\n}\n" + instance(" track_script {\n s\n }"), "vrrp_script s {\n script \"/home/bob/chk a\"\n user nobody\n}\n" + instance(" track_script {\n s\n }")},
		{"script-security", Warning, "global_defs {\n enable_script_security\n script_user root\n}\n" + check("MISC_CHECK {\n misc_path /home/bob/chk\n }"), "global_defs {\n enable_script_security\n script_user nobody\n}\n" + check("MISC_CHECK {\n misc_path /home/bob/chk\n }")},
		{"unused", Note, "track_file f {\n file /x\n}\n" + instance(""), "track_file f {\n file /x\n}\n" + instance("") + check("FILE_CHECK {\n track_file f\n }")},
		{"defined-later", Note, instance(" track_file {\n f\n }") + "track_file f {\n file /x\n}\n", "track_file f {\n file /x\n}\n" + instance(" track_file {\n f\n }")},
	} {
		host := reasonHost
		host.GroupExists = func(s string) bool { return s == "nogroup" }
		name := "/etc/x.conf"
		run := func(text string) Diagnostics {
			fsys := fstest.MapFS{"etc/x.conf": {Data: []byte(text)}}
			if text == "" {
				fsys = nil
			}
			_, ds := Parse(fsys, name, host, Options{})
			return ds
		}
		says := func(ds Diagnostics) bool {
			for _, d := range ds {
				if d.Code == c.code && d.Severity == c.sev {
					return true
				}
			}
			return false
		}
		if ds := run(c.bad); !says(ds) {
			t.Errorf("%s: no such %s in\n%s\n%v", c.code, c.sev, c.bad, ds)
		}
		if ds := run(c.good); strings.Contains(ds.Text(false), "["+c.code+"]") || ds.Fails(false) && c.good != "" {
			t.Errorf("%s: a file that is right is complained about:\n%s\n%s", c.code, c.good, ds.Text(false))
		}
		// The same in YAML, where it can be written.
		if out, ds := Convert(fstest.MapFS{"etc/x.conf": {Data: []byte(c.bad)}}, name, host, Options{}, "yaml"); c.bad != "" && !ds.HasErrors() && says(ds) && !textual[c.code] {
			if ds := run(out); !says(ds) {
				t.Errorf("%s: nothing is said in YAML:\n%s\n%s", c.code, out, ds.Text(false))
			}
		}
	}
}

// textual are the codes about how keepalived's language is written.
var textual = map[string]bool{"too-many": true, "definition-builtin": true, "definition-open": true, "not-utf8": true, "alias": true, "defined-later": true, "extra-words": true,
	"given-twice": true, "persistence-zero": true, "unknown-option": true, "ignored": true}

// What is no configuration gets one useful error, whatever it is.
func TestOneErrorForOtherFiles(t *testing.T) {
	for name, c := range map[string]struct{ text, code string }{
		"ERB":           {"<% @ips.each do |ip| %>\nvirtual_server <%= ip %> 80 {\n}\n<% end %>\n", "template"},
		"Jinja":         {"global_defs {\n}\n{% for i in instances %}\nvrrp_instance {{ i.name }} {\n priority {{ i.prio }}\n}\n{% endfor %}\n", "template"},
		"Go template":   {"vrrp_instance VI {\n  interface {{ .Iface }}\n {{- range .VIPs }}\n  {{ . }}\n {{ end }}\n}\n", "template"},
		"envsubst":      {"vrrp_instance VI {\n interface $INTERFACE\n priority ${PRIORITY}\n virtual_router_id ${VRID}\n virtual_ipaddress {\n ${VIP}\n }\n}\n", "template"},
		"YAML template": {"vrrp_instance:\n  - name: A\n    interface: \"{{ iface }}\"\n    priority: {{ prio }}\n", "template"},
		"shell":         {"#!/bin/sh\nset -e\nfor i in 1 2 3; do\n ping $i\ndone\necho ${done}\n", "not-a-configuration"},
		"Markdown":      {"# Title\n\nThis is *markdown*.\n\n- item\n- item\n\n```\ncode\n```\n", "not-a-configuration"},
		"HTML":          {"\n  <!doctype html>\n<html>\n<body>\n</body></html>\n", "not-a-configuration"},
		"JSON":          {"{\n \"name\": \"x\",\n \"dependencies\": {\"a\": \"1\"}\n}\n", "not-a-configuration"},
		"JSON list":     {"[\n {\"name\": \"x\"},\n {\"name\": \"y\"}\n]\n", "not-a-configuration"},
		"unit":          {"[Unit]\nDescription=x\n[Service]\nExecStart=/bin/x\n", "not-a-configuration"},
		"Kubernetes":    {"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\ndata:\n  a: b\n", "not-a-configuration"},
		"playbook":      {"- hosts: all\n  tasks:\n    - name: x\n      apt: name=keepalived\n", "not-a-configuration"},
		"PHP":           {"<?php\necho \"x\";\n?>\n", "not-a-configuration"},
		"patch":         {"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", "not-a-configuration"},
		"empty":         {"", "empty"},
		"blank":         {" \n\t\n\r\n", "empty"},
		"comments":      {"# all\n! gone\n", "empty"},
		"YAML comments": {"---\n# all gone\n", "empty"},
		"binary":        {"\x7fELF\x02\x01\x01\x00\x00", "not-text"},
		"UTF-16":        {"\xff\xfev\x00r\x00r\x00p\x00", "not-text"},
		"compressed":    {"\x1f\x8b\x08\x00abc", "not-text"},
	} {
		_, ds := Parse(fstest.MapFS{"etc/x.conf": {Data: []byte(c.text)}}, "/etc/x.conf", reasonHost, Options{})
		if len(ds) != 1 || ds[0].Code != c.code || !ds.RefuseStart() {
			t.Errorf("%s: not one %s:\n%s", name, c.code, ds.Text(false))
		}
	}
	// What only looks like it: names that are defined, passwords with a dollar, conditions that leave nothing.
	for _, text := range []string{
		"$A=1\n$B=2\nvrrp_instance V {\n interface eth0\n virtual_router_id ${A}\n priority ${B}\n virtual_ipaddress {\n 192.0.2.10/24\n }\n}\n",
		instance(" authentication {\n auth_type PASS\n auth_pass pa$$w0rd\n }"),
		"@other global_defs {\n@other }\n",
		instance(" notify \"/usr/bin/ok <a> {{b}}\""),
	} {
		_, ds := Parse(fstest.MapFS{"etc/x.conf": {Data: []byte(text)}}, "/etc/x.conf", reasonHost, Options{})
		if ds.HasErrors() {
			t.Errorf("%s\n%s", text, ds.Text(false))
		}
	}
	for _, dir := range []fstest.MapFS{{"etc/x.conf/y": {Data: []byte("x")}}, {}} {
		_, ds := Parse(dir, "/etc/x.conf", reasonHost, Options{})
		if len(ds) != 1 || ds[0].Code != "unreadable" {
			t.Error(ds)
		}
	}
}

// What keepalived passes over must not keep a file from running; it is said all the same.
func TestPassedOver(t *testing.T) {
	for _, text := range []string{
		"global_defs {\n smtp_helo_name\n v3_checksum_as_v2 1\n}\n" + instance(""),
		server(" alpha 1\n omega yes please\n inhibit_on_failure 1\n" + real1),
		server(" real_server 192.0.2.21 80 {\n HTTP_GET {\n sni_name\n url {\n path /\n status_code\n }\n }\n }\n"),
		instance(" unicast_src_ip 192.0.2.1/24\n unicast_peer {\n 192.0.2.2/24\n }"),
		strings.NewReplacer("192.0.2.10 80", "192.0.2.10/32 80", "192.0.2.21 80", "192.0.2.21/24 80").Replace(server(real1)),
		instance(" track_script\n virtual_routes\n"),
		"interface_up_down_delays {\n eth0\n}\n" + instance(""),
		server(" delay_before_retry 70000\n warmup 70000\n" + real1),
		"garp_group {\n garp_interval 0\n interface eth0\n}\n" + instance(""),
	} {
		_, ds := Parse(fstest.MapFS{"etc/x.conf": {Data: []byte(text)}}, "/etc/x.conf", reasonHost, Options{})
		if ds.Fails(false) || ds.Count(Warning) == 0 && !strings.Contains(text, "70000") {
			t.Errorf("%s\n%s", text, ds.Text(false))
		}
	}
}

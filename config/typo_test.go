package config

import (
	"strings"
	"testing"
)

// Each of these was found in a real file.
func TestTyposGetTheRightSuggestion(t *testing.T) {
	for _, c := range []struct{ in, at, want string }{
		{"vvrp_script a { script /x\n}\n", ":1:1:", "vrrp_script"},
		{"vrrp_script a {\n script /x\n weigth 3\n}\n", ":3:2:", "weight"},
		{"vrrp_instance A {\n authentication {\n  autp_pass x\n }\n}\n", ":3:3:", "auth_pass"},
		{"global_defs {\n stmp_connect_timeout 3\n}\n", ":2:2:", "smtp_connect_timeout"},
		{"virtual_server 10.0.0.1 80 {\n real_server 10.0.0.2 80 {\n SMTP_CHEKC {\n }\n}\n}\n", ":3:2:", "SMTP_CHECK"},
		{"bal_defs {\n}\n", ":1:1:", "global_defs"},
		{"vrrp_instance A {\n interface_name eth0\n}\n", ":2:2:", "interface"},
		{"virtual_server 10.0.0.1 80 {\n lb algo rr\n}\n", ":2:2:", "lb_algo"},
		{"virtual_server 10.0.0.1 80 {\n lb_kind dr\n}\n", ":2:10:", "DR"},
		{"vrrp_instance A {\n state SLAVE\n}\n", ":2:8:", "BACKUP"},
		{"vrrp_instance A {\n authentication {\n auth_type PASS;\n}\n}\n", ":3:12:", "PASS"},
		{"vrrp_instance A {\n mcast_src_ip=10.0.0.1\n}\n", ":2:2:", "mcast_src_ip 10.0.0.1, without ="},
		{"virtual_server 10.0.0.1 80 {\n delay_beefore_retry 3\n}\n", ":2:2:", "delay_before_retry"},
		{"virtual_server 10.0.0.1:80 {\n}\n", ":1:16:", "10.0.0.1 80"},
		{"vrrp_instance A {\n virtual_ipaddress {\n 10.0.0.1/255.255.255.0\n }\n}\n", ":3:2:", "10.0.0.1/24"},
		{"vrrp_instance A {\n virtual_ipaddress {\n 10.0.0.1, 10.0.0.2\n }\n}\n", ":3:2:", "10.0.0.1"},
		{"vrrp_instance A {\n priority 100;\n}\n", ":2:11:", "write 100, without ;"},
		{"vrrp_instance A {\n unicast_peers {\n 10.0.0.1\n }\n}\n", ":2:2:", "unicast_peer"},
		{"vrrp_instance A {\n advert_int 1s\n}\n", ":2:13:", "no units"},
		{"virtual_server 10.0.0.1 80 {\n persistance_timeout 3\n}\n", ":2:2:", "persistence_timeout"},
		{"virtual_server 10.0.0.1 80 {\n scheduler rr\n}\n", ":2:2:", "lb_algo"},
		{"virtual_server 10.0.0.1 80 {\n lb_algo weighted\n}\n", ":2:10:", ""},
		{"real_server 10.0.0.1 80 {\n}\n", ":1:1:", "virtual_server"},
		{"vrrp_instance A {\n priority\n}\n", ":2:2:", "keepalived stops"},
		{"vrrp_script s {\n script /bin/a --flag b\n}\n", ":2:16:", `"/bin/a --flag b"`},
	} {
		_, ds := read(t, c.in)
		found := false
		for _, d := range ds {
			s := d.String()
			found = found || strings.Contains(s, "/etc/x.conf"+c.at) && strings.Contains(d.Hint, c.want) && (d.Severity != Note)
		}
		if !found {
			t.Errorf("%q: nothing at %s with %q:\n%v", c.in, c.at, c.want, ds)
		}
		if !ds.Fails(false) {
			t.Errorf("%q passes", c.in)
		}
	}
}

// The same typos in YAML, where every unknown key is an error, also in an included file.
func TestTyposInYAML(t *testing.T) {
	for _, c := range []struct{ in, at, want string }{
		{"vvrp_script: [{name: a, script: /x}]\n", ":1:1:", "vrrp_script"},
		{"vrrp_script: [{name: a, script: /x, weigth: 3}]\n", ":1:37:", "weight"},
		{"vrrp_instance:\n  - name: A\n    authentication: {autp_pass: x}\n", ":3:22:", "auth_pass"},
		{"global_defs: {stmp_connect_timeout: 3}\n", ":1:15:", "smtp_connect_timeout"},
		{"virtual_server:\n  - address: 10.0.0.1\n    port: 80\n    real_server:\n      - address: 10.0.0.2\n        port: 80\n        SMTP_CHEKC: {}\n", ":7:9:", "SMTP_CHECK"},
		{"bal_defs: {}\n", ":1:1:", "global_defs"},
		{"vrrp_instance: {A: {interface_name: eth0}}\n", ":1:21:", "interface"},
		{"virtual_server:\n  - address: 10.0.0.1\n    lb algo: rr\n", ":3:5:", "lb_algo"},
		{"virtual_server:\n  - address: 10.0.0.1\n    lb_kind: dr\n", ":3:14:", "DR"},
		{"vrrp_instance: {A: {state: SLAVE}}\n", ":1:28:", "BACKUP"},
		{"vrrp_instance: {A: {authentication: {auth_type: PASS;}}}\n", ":1:49:", "PASS"},
		{"vrrp_instance:\n  - name: A\n    mcast_src_ip=10.0.0.1:\n", ":3:5:", "mcast_src_ip"},
		{"virtual_server:\n  - address: 10.0.0.1\n    delay_beefore_retry: 3\n", ":3:5:", "delay_before_retry"},
		{"vrrp_instance: {A: {track_interface: [{name: eth0, wieght: 3}]}}\n", ":1:52:", "weight"},
		{"vrrp_instance: {A: {virtual_ipaddress: [{address: 10.0.0.1, device: eth0}]}}\n", ":1:61:", "dev"},
	} {
		m, ds := Parse(filesystem(map[string]string{"/etc/x.conf": "include: y.yaml\nglobal_defs: {}\n", "/etc/y.yaml": c.in}), "/etc/x.conf", Host{}, Options{})
		found := false
		for _, d := range ds {
			found = found || strings.Contains(d.String(), "/etc/y.yaml"+c.at) && strings.Contains(d.Hint, c.want) && d.Severity == Error && len(d.Included) == 1
		}
		if m == nil || !found || !ds.Fails(false) {
			t.Errorf("%q: no error at %s with %q:\n%v", c.in, c.at, c.want, ds)
		}
	}
}

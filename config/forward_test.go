package config

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestForwardChecks(t *testing.T) {
	vs := func(head, check string) string {
		return "virtual_server " + head + " {\n lb_algo rr\n lb_kind DR\n protocol TCP\n persistence_timeout 60\n real_server 192.0.2.21 80 {\n TCP_CHECK {\n check_via forward\n " + check + "\n }\n }\n}\n"
	}
	for _, c := range []struct{ name, text, code string }{
		{"plain", vs("192.0.2.1 80", ""), ""},
		{"with a source", vs("192.0.2.1 80", "bindto 192.0.2.11"), ""},
		{"a mark with an address", vs("fwmark 7", "connect_ip 192.0.2.1"+"\n connect_port 80"), ""},
		{"its own mark", vs("192.0.2.1 80", "fwmark 5"), "forward-mark"},
		{"an interface", vs("192.0.2.1 80", "bind_if eth0"), "forward-bind"},
		{"the virtual address as source", vs("192.0.2.1 80", "bindto 192.0.2.1"), "forward-source"},
		{"a source of the other family", vs("192.0.2.1 80", "bindto 2001:db8::1"), "family"},
		{"a mark has no address", vs("fwmark 7", ""), "forward-address"},
		{"no port", vs("192.0.2.1 0", ""), "port-missing"},
		{"a service in the range", "global_defs {\n forward_check_marks 5 9\n}\n" + vs("fwmark 7", "connect_ip 192.0.2.1\n connect_port 80"), "forward-mark"},
		{"a group's service in the range", "global_defs {\n forward_check_marks 5 9\n}\nvirtual_server_group G {\n 192.0.2.1 80\n fwmark 6\n}\n" + vs("group G", ""), "forward-mark"},
		{"a range too small", "global_defs {\n forward_check_marks 5 5\n}\n" + vs("192.0.2.1 80", "") + vs("192.0.2.2 80", ""), "forward-mark"},
		{"a range that ends before it begins", "global_defs {\n forward_check_marks 9 5\n}\n" + vs("192.0.2.1 80", ""), "bad-value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, ds := Parse(fstest.MapFS{"c.conf": {Data: []byte(c.text)}}, "/c.conf", Host{Hostname: "d1"}, Options{})
			var got []string
			for _, d := range ds {
				if d.Severity == Error {
					got = append(got, d.Code)
				}
			}
			if s := strings.Join(got, " "); s != c.code {
				t.Errorf("errors %q, want %q: %v", s, c.code, ds)
			}
		})
	}
	_, ds := Parse(fstest.MapFS{"c.conf": {Data: []byte(strings.ReplaceAll(vs("192.0.2.1 80", ""), "TCP_CHECK", "SMTP_CHECK"))}}, "/c.conf", Host{}, Options{})
	found := false
	for _, d := range ds {
		found = found || strings.Contains(d.Message, "check_via")
	}
	if !found {
		t.Errorf("SMTP_CHECK takes check_via: %v", ds)
	}
}

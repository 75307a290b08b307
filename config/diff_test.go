package config

import (
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	for _, c := range []struct {
		name, from, to string
		want           []string
		splits         bool
	}{
		{"nothing", "", "", nil, false},
		{"a comment", "advert_int 1\n", "# moved\n\n advert_int 1\n", nil, false},
		{"weight", "        weight 3\n", "        weight 5\n", []string{"update real_server 192.0.2.10:80 tcp 10.0.0.1:80: weight 3 -> 5"}, false},
		{"password", "auth_pass secret-long", "auth_pass other", []string{"update vrrp_instance VI_1: auth_pass (secret) -> (another secret)"}, true},
		{"priority", "priority 150", "priority 90", []string{"update vrrp_instance VI_1: priority 150 -> 90"}, false},
		{"version", "advert_int 1\n", "advert_int 1\n version 3\n", []string{"update vrrp_instance VI_1: version 2 -> 3, auth_type PASS -> none, auth_pass (secret) -> (another secret)"}, true},
		{"check", "connect_timeout 3", "connect_timeout 4", []string{"update check 192.0.2.10:80 tcp 10.0.0.1:80 TCP_CHECK: connect_timeout 3s -> 4s"}, false},
		{"server gone", "real_server 10.0.0.2 80", "real_server 10.0.0.3 80", []string{"add real_server 192.0.2.10:80 tcp 10.0.0.3:80", "remove real_server 192.0.2.10:80 tcp 10.0.0.2:80"}, false},
		{"scheduler", "lb_algo wrr", "lb_algo rr", []string{"update virtual_server 192.0.2.10:80 tcp: lb_algo wrr -> rr"}, false},
		{"script", "interval 2", "interval 3", []string{"update vrrp_script chk: interval 2s -> 3s, timeout 2s -> 3s"}, false},
	} {
		a, _ := read(t, first)
		b, ds := read(t, strings.Replace(first, c.from, c.to, 1))
		if ds.HasErrors() {
			t.Fatal(c.name, ds)
		}
		var got []string
		splits := false
		for _, x := range Diff(a, b) {
			got = append(got, x.String())
			splits = splits || x.Splits
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") || splits != c.splits {
			t.Errorf("%s: %v\n%s", c.name, splits, strings.Join(got, "\n"))
		}
	}
}

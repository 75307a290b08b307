package config

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// How many of 300 addresses are advertised by the MTU of the interface. 133 was seen with keepalived 2.2.7 (version 3, IPv4, MTU 576).
func TestAddressesInAnAdvert(t *testing.T) {
	host := reasonHost
	host.Interfaces = map[string]Interface{"small": {MTU: 576}, "usual": {MTU: 1500}, "jumbo": {MTU: 9000}, "unknown": {}}
	for _, c := range []struct {
		dev   string
		words string
		six   bool
		want  int
	}{
		{"small", "version 3", false, 133},
		{"small", "version 2", false, 131},
		{"small", "version 2\n authentication {\n auth_type AH\n auth_pass x\n }", false, 125},
		{"small", "", false, 131},
		{"usual", "", false, 255},
		{"usual", "", true, 89},
		{"jumbo", "", true, 255},
		{"unknown", "", true, 89},
		{"absent", "", true, 89},
	} {
		var list strings.Builder
		for n := range 300 {
			if c.six {
				fmt.Fprintf(&list, "fe80::%x\n", n+1)
			} else {
				fmt.Fprintf(&list, "10.0.%d.%d\n", n/200, n%200+1)
			}
		}
		text := "vrrp_instance A {\n interface " + c.dev + "\n virtual_router_id 1\n priority 100\n " + c.words + "\n virtual_ipaddress {\n" + list.String() + "}\n}\n"
		m, _ := Parse(fstest.MapFS{"x.conf": {Data: []byte(text)}}, "x.conf", host, Options{})
		if got := len(m.Instances[0].VIPs); got != c.want || len(m.Instances[0].ExcludedVIPs) != 300-got {
			t.Errorf("%s, %q: %d advertised, want %d", c.dev, c.words, got, c.want)
		}
	}
}

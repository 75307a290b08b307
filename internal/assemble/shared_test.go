package assemble

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/holdfast-ha/holdfast/config"
)

// TestInstancesThatShareAVRID: keepalived allows it for unicast instances that can be told apart; each has an identity of its own, the first the plain one.
func TestInstancesThatShareAVRID(t *testing.T) {
	one := func(name, extra string) string {
		return fmt.Sprintf("vrrp_instance %s {\n interface eth0\n virtual_router_id 51\n priority 100\n%s\n virtual_ipaddress {\n 192.0.2.%d/24\n }\n}\n", name, extra, 100+len(name))
	}
	peers := func(src string, list ...string) string {
		return " unicast_src_ip " + src + "\n unicast_peer {\n " + strings.Join(list, "\n ") + "\n }"
	}
	for _, c := range []struct {
		name, text string
		ids        string
		clash      bool
	}{
		{"other peers", one("A", peers("192.0.2.1", "192.0.2.2")) + one("BB", peers("192.0.2.1", "192.0.2.4", "192.0.2.3")), "eth0/4/51 eth0/4/51/192.0.2.3", false},
		{"other own addresses", one("A", peers("192.0.2.1", "192.0.2.2")) + one("BB", peers("192.0.2.9", "192.0.2.2")), "eth0/4/51 eth0/4/51/192.0.2.2", false},
		{"three", one("A", peers("192.0.2.1", "192.0.2.2")) + one("BB", peers("192.0.2.9", "192.0.2.2")) + one("CCC", peers("192.0.2.8", "192.0.2.2")), "eth0/4/51 eth0/4/51/192.0.2.2 eth0/4/51/CCC", false},
		{"multicast besides", one("A", "") + one("BB", peers("192.0.2.1", "192.0.2.2")), "eth0/4/51 eth0/4/51/192.0.2.2", false},
		{"the same peer", one("A", peers("192.0.2.1", "192.0.2.2")) + one("BB", peers("192.0.2.1", "192.0.2.2")), "eth0/4/51 eth0/4/51/192.0.2.2", true},
		{"multicast twice", one("A", "") + one("BB", ""), "eth0/4/51 eth0/4/51/224.0.0.18", true},
	} {
		m, ds := config.Parse(fstest.MapFS{"c.conf": {Data: []byte(c.text)}}, "/c.conf", config.Host{Hostname: "d1"}, config.Options{})
		if ds.HasErrors() != c.clash {
			t.Errorf("%s: %v", c.name, ds)
		}
		var ids []string
		for _, i := range VRRP(m).Instances {
			ids = append(ids, i.ID().String())
			if last := i.Name == "BB"; (i.Blocked != "") != (c.clash && last) {
				t.Errorf("%s: %s is blocked: %q", c.name, i.Name, i.Blocked)
			}
		}
		if got := strings.Join(ids, " "); got != c.ids {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

package examples

import (
	"io/fs"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/holdfast-ha/holdfast/config"
)

func classicHost(eth0, eth1 string) config.Host {
	of := func(a string) config.Interface {
		return config.Interface{Addrs: []netip.Prefix{netip.MustParsePrefix(a)}, Multicast: true, Type: 1}
	}
	return config.Host{Hostname: "director", Interfaces: map[string]config.Interface{"eth0": of(eth0), "eth1": of(eth1)}}
}

func TestClassicExamples(t *testing.T) {
	for _, c := range []struct {
		dir, eth0, eth1    string
		instances, servers int
	}{
		{"nat-weighted", "202.103.106.2/24", "172.16.0.11/24", 1, 2},
		{"nat-two-networks", "12.0.0.1/24", "192.168.200.1/24", 0, 1},
		{"dr-one-network", "192.0.2.11/24", "10.0.0.11/24", 1, 1},
	} {
		t.Run(c.dir, func(t *testing.T) {
			model, diagnostics := config.Parse(Classic, "classic/"+c.dir+"/director.conf", classicHost(c.eth0, c.eth1), config.Options{})
			for _, d := range diagnostics {
				if d.Severity != config.Note {
					t.Error(d)
				}
			}
			if len(model.Instances) != c.instances || len(model.VirtualServers) != c.servers {
				t.Errorf("%d instances, %d virtual servers", len(model.Instances), len(model.VirtualServers))
			}
			if _, err := fs.Stat(Classic, "classic/"+c.dir+"/realserver.sh"); err != nil {
				t.Error(err)
			}
		})
	}
}

// The mistakes with direct routing that can be seen from the director have names.
func TestMistakesWithDirectRouting(t *testing.T) {
	right, err := fs.ReadFile(Classic, "classic/dr-one-network/director.conf")
	if err != nil {
		t.Fatal(err)
	}
	for code, wrong := range map[string]string{
		"port-differs":     "real_server 192.0.2.21 8080 {",
		"dr-not-connected": "real_server 198.51.100.21 80 {",
		"server-is-vip":    "real_server 192.0.2.100 80 {",
	} {
		text := strings.Replace(string(right), "real_server 192.0.2.21 80 {", wrong, 1)
		_, diagnostics := config.Parse(fstest.MapFS{"director.conf": {Data: []byte(text)}}, "director.conf", classicHost("192.0.2.11/24", "10.0.0.11/24"), config.Options{})
		var codes []string
		for _, d := range diagnostics {
			if d.Severity == config.Warning {
				codes = append(codes, d.Code)
			}
		}
		if len(codes) != 1 || codes[0] != code {
			t.Errorf("%s: warnings %v", code, codes)
		}
	}
}

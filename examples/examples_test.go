package examples

import (
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdfast-ha/holdfast/config"
)

// host is a director as the examples mean it.
var host = config.Host{Hostname: "director", Interfaces: map[string]config.Interface{
	"lo":   {Addrs: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8")}, Type: 772},
	"eth0": {Addrs: []netip.Prefix{netip.MustParsePrefix("192.0.2.11/24")}, Multicast: true, Type: 1},
	"eth1": {Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.0.11/24")}, Multicast: true, Type: 1},
}}

func TestExamplesHaveNothingToSayAbout(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path, "systemd") {
			return err
		}
		if strings.HasPrefix(path, "classic") {
			return nil // see TestClassicExamples
		}
		if ext := filepath.Ext(path); ext != ".conf" && ext != ".yaml" {
			return nil
		}
		seen++
		t.Run(path, func(t *testing.T) {
			model, diagnostics := config.Parse(os.DirFS("."), path, host, config.Options{})
			for _, d := range diagnostics {
				if d.Severity != config.Note {
					t.Error(d)
				}
			}
			if len(model.Instances) != 1 || len(model.VirtualServers) != 1 || len(model.VirtualServers[0].RealServers) < 2 {
				t.Errorf("%d instances, %d virtual servers", len(model.Instances), len(model.VirtualServers))
			}
		})
		return nil
	})
	if err != nil || seen < 6 {
		t.Fatalf("%d examples, %v", seen, err)
	}
}

// The words of the unit that keep a crash from being a failover: the daemon's design rests on them.
func TestUnit(t *testing.T) {
	unit, err := os.ReadFile("systemd/holdfast.service")
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"Type=notify", "Restart=always", "RestartSec=50ms", "OOMPolicy=continue", "RuntimeDirectoryPreserve=yes", "KillMode=mixed", "OnFailure=holdfast-release.service"} {
		if !strings.Contains(string(unit), "\n"+word+"\n") {
			t.Errorf("the unit lacks %s", word)
		}
	}
}

//go:build vm

package suite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

// TestTunnels sends real traffic through IPIP, GUE with each kind of checksum, and GRE, to real servers that are set up by what `holdfast realserver` prints. A device for GRE takes
// checksums always or never, so those with one are for a server of their own.
func TestTunnels(t *testing.T) {
	lab.Scenario(t, "tunnels", func(l *lab.Lab) {
		director, client := l.Node("dir"), l.Node("client")
		var servers []*lab.Node
		front, back := l.LAN("sw"), l.LAN("swb")
		front.Attach(client, "eth0", "10.81.0.50/24")
		front.Attach(director, "eth0", "10.81.0.1/24")
		back.Attach(director, "eth1", "10.82.0.1/24")
		for i, name := range []string{"rs1", "rs2"} {
			rs := l.Node(name)
			front.Attach(rs, "eth1", fmt.Sprintf("10.81.0.%d/24", 21+i)) // its way to the client
			back.Attach(rs, "eth0", fmt.Sprintf("10.82.0.%d/24", 21+i))
			rs.Serve(":80")
			servers = append(servers, rs)
		}
		director.Sysctl("net/ipv4/ip_forward=0")
		var conf strings.Builder
		kinds := []string{"TUN", "TUN type ipip", "TUN type gue port 6080", "TUN type gue port 6081 csum", "TUN type gue port 6082 remcsum", "TUN type gre", "TUN type gre csum"}
		server := func(i int) int { return i / (len(kinds) - 1) }
		for i, kind := range kinds {
			vip := fmt.Sprintf("10.81.0.%d", 101+i)
			director.IP("addr add " + vip + "/32 dev eth0")
			fmt.Fprintf(&conf, "virtual_server %s 80 {\n delay_loop 1\n lb_algo rr\n lb_kind %s\n protocol TCP\n real_server 10.82.0.%d 80 {\n TCP_CHECK {\n check_via forward\n connect_timeout 2\n }\n }\n}\n", vip, kind, 21+server(i))
		}
		file, run := filepath.Join(l.Dir, "director.conf"), filepath.Join(l.Dir, "run")
		if err := errors.Join(os.WriteFile(file, []byte(conf.String()), 0o644), os.MkdirAll(run, 0o755)); err != nil {
			l.Fatalf("%v", err)
		}
		for i, rs := range servers {
			script, err := director.Try(lab.Binary(), "realserver", file, fmt.Sprintf("10.82.0.%d", 21+i))
			if err != nil {
				l.Fatalf("realserver for %s: %v: %s", rs.Name, err, script)
			}
			rs.Run("sh", "-c", script)
		}
		director.Start("holdfast of the director", lab.Binary(), "run", "-c", file, "--run-dir", run, "--state-dir", filepath.Join(l.Dir, "state"), "--log-format", "json")
		l.Eventually("a service for each", func() bool {
			n := 0
			for _, line := range director.Table() {
				if strings.HasPrefix(line, "-A -t") {
					n++
				}
			}
			return n == len(kinds)
		})
		for i, kind := range kinds {
			vip := fmt.Sprintf("10.81.0.%d:80", 101+i)
			var body string
			var err error
			answered := func() bool {
				body, err = client.Get(vip, 5*time.Second)
				return err == nil && body == servers[server(i)].Name
			}
			began := time.Now()
			for !answered() && time.Since(began) < 60*time.Second {
			}
			if body != servers[server(i)].Name {
				l.Errorf("%s: %q, %v", kind, body, err)
				continue
			}
			l.Note("%s: answered", kind)
		}
	})
}

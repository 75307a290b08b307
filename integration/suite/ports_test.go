//go:build vm

package suite

import (
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

// TestPorts: lists and ranges of ports, in a virtual server and in a group, and a firewall mark that stands for a range, with real connections. All ports of one
// virtual server have one health; a port that leaves the file leaves the table, and at the end nothing is left.
func TestPorts(t *testing.T) {
	t.Parallel()
	for _, mode := range []lab.Mode{lab.NAT, lab.DR} {
		lab.Scenario(t, "port lists and ranges "+string(mode), func(l *lab.Lab) {
			s := l.Site(mode, 2)
			d := s.D[0]
			const second = "10.77.0.101"
			for _, rs := range s.RS {
				for _, port := range []string{":443", ":8000", ":8001", ":8002", ":8003", ":9000", ":9010"} {
					rs.Serve(port)
				}
				if mode == lab.DR {
					rs.IP("addr add " + second + "/32 dev lo")
				}
			}
			d.IP("addr add " + second + "/32 dev lo")
			d.Run("nft", "add table ip marking; add chain ip marking in { type filter hook prerouting priority mangle; }; add rule ip marking in ip daddr "+s.VIP.String()+" tcp dport 9000-9010 meta mark set 7")
			before := d.Footprint()
			text := func(ports, group string) string {
				own := strings.Replace(s.Text(d, lab.Conf{Priority: 150}), " 80 {\n    delay_loop", " "+ports+" {\n    delay_loop", 1)
				var servers, marked strings.Builder
				for i := range s.RS {
					own = strings.Replace(own, fmt.Sprintf("real_server %s 80 {", s.ServerAddr(i+1)), fmt.Sprintf("real_server %s {", s.ServerAddr(i+1)), 1)
					fmt.Fprintf(&servers, "    real_server %s {\n        %s\n    }\n", s.ServerAddr(i+1), strings.Replace(lab.TCPCheck, "{", "{\n            connect_port 8000", 1))
					fmt.Fprintf(&marked, "    real_server %s {\n        %s\n    }\n", s.ServerAddr(i+1), strings.Replace(lab.TCPCheck, "{", "{\n            connect_port 9000", 1))
				}
				head := fmt.Sprintf("    delay_loop 1\n    lb_algo rr\n    lb_kind %s\n    protocol TCP\n", mode)
				return own + "virtual_server_group more {\n    " + group + "\n}\nvirtual_server group more {\n" + head + servers.String() + "}\nvirtual_server fwmark 7 {\n" + head + marked.String() + "}\n"
			}
			at := func(addr string, ports ...int) (list []string) {
				for _, p := range ports {
					list = append(list, netip.AddrPortFrom(netip.MustParseAddr(addr), uint16(p)).String())
				}
				return list
			}
			both := func(addrs ...string) {
				for _, a := range addrs {
					by := map[string]int{}
					for range 4 {
						name, err := s.Client.Get(a, 10*time.Second)
						if err != nil {
							name = err.Error()
						}
						by[name]++
					}
					if by["rs1"] != 2 || by["rs2"] != 2 {
						l.Errorf("%s: %v", a, by)
					}
				}
			}
			d.Write(text("80,443,8000-8002", second+" 80,8000-8001"))
			d.Start(lab.Holdfast)
			s.Owner(d)
			l.Eventually("five, three and one services with two servers each", func() bool { return len(d.Table()) == 9*3 })

			l.Step("every port answers, by both servers, and no other")
			vip := s.VIP.String()
			both(at(vip, 80, 443, 8000, 8001, 8002, 9000, 9010)...)
			both(at(second, 80, 8000, 8001)...)
			if by, err := s.Client.Get(at(vip, 8003)[0], 2*time.Second); err == nil {
				l.Errorf("port 8003 is in no list, and %s answers", by)
			}

			if mode == lab.NAT {
				l.Step("the check of the first port takes a server out of all of them")
				s.Web[0].Refuse()
				l.Eventually("rs1 is out of five services and in the others", func() bool { return len(d.Table()) == 9*3-5 })
				if by, err := s.Client.Get(at(vip, 8001)[0], 10*time.Second); by != "rs2" {
					l.Errorf("port 8001 without rs1: %q, %v", by, err)
				}
				s.Web[0].Start()
				l.Eventually("and back", func() bool { return len(d.Table()) == 9*3 })
			}

			l.Step("ports leave the file, one comes")
			d.Write(text("80,8001,8003", second+" 8001"))
			d.Daemon.Signal(syscall.SIGHUP)
			l.Eventually("three, one and one services", func() bool { return len(d.Table()) == 5*3 })
			both(at(vip, 80, 8001, 8003, 9000)...)
			both(at(second, 8001)...)
			if by, err := s.Client.Get(at(vip, 443)[0], 2*time.Second); err == nil {
				l.Errorf("port 443 has left the list, and %s answers", by)
			}

			l.Step("stop: nothing stays")
			d.Daemon.Signal(syscall.SIGTERM)
			d.Daemon.Wait()
			if diff := lab.Difference(before, d.Footprint()); diff != "" {
				l.Errorf("left: %s", diff)
			}
		})
	}
}

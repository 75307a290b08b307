//go:build vm

package suite

import (
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

// balanced says that a real server is in the table of the virtual server itself, which private services of checks are not.
func balanced(d interface{ Table() []string }, server netip.Addr) bool {
	for _, line := range d.Table() {
		if f := strings.Fields(line); len(f) > 5 && f[0] == "-a" && f[1] == "-t" && f[4] == netip.AddrPortFrom(server, 80).String() {
			return true
		}
	}
	return false
}

// public is the table without private services.
func public(d *lab.Director) (n int) {
	for _, line := range d.Table() {
		if !strings.Contains(line, "-f ") {
			n++
		}
	}
	return n
}

// TestForwardChecks: a check through the forwarding path finds what a connect to the server itself cannot, and says the same on MASTER, on BACKUP
// and across a takeover.
func TestForwardChecks(t *testing.T) {
	for _, c := range []struct {
		name       string
		mode       lab.Mode
		spoil, fix func(s *lab.Site)
		each       func(s *lab.Site, d *lab.Director, c *lab.Conf) string // what is different on each director: words of its configuration, and text above it
	}{
		{"DR", lab.DR, func(s *lab.Site) { s.RS[1].IP("addr del 10.77.0.100/32 dev lo") }, func(s *lab.Site) { s.RS[1].IP("addr add 10.77.0.100/32 dev lo") }, nil},
		{"IPv6 DR", lab.DR, func(s *lab.Site) { s.RS[1].IP("addr del fd77::100/128 dev lo") }, func(s *lab.Site) { s.RS[1].IP("addr add fd77::100/128 dev lo") }, nil},
		{"TUN", lab.TUN, func(s *lab.Site) { s.RS[1].IP("link set tunl0 down") }, func(s *lab.Site) { s.RS[1].IP("link set tunl0 up") }, nil},
		// The way back of NAT leads through whoever has the inner address; a check that comes from an outer address goes that way, on a BACKUP through its peer.
		{"NAT", lab.NAT, func(s *lab.Site) { s.RS[1].IP("route del default") }, func(s *lab.Site) { s.RS[1].IP("route add default via " + s.At(true, 1).String()) },
			func(_ *lab.Site, d *lab.Director, c *lab.Conf) string {
				c.Check = strings.Replace(c.Check, "{", "{\n            bindto "+d.Addr.String(), 1)
				return ""
			}},
		// A server that does not know the way to the director's local address; a check that comes from the director's own finds nothing.
		{"FNAT", lab.FNAT, func(s *lab.Site) { s.RS[1].IP("route add blackhole 10.78.0.31", "route add blackhole 10.78.0.32") },
			func(s *lab.Site) { s.RS[1].IP("route del blackhole 10.78.0.31", "route del blackhole 10.78.0.32") },
			func(_ *lab.Site, d *lab.Director, c *lab.Conf) string {
				local := strings.Replace(d.Addr.String(), "10.77.0.1", "10.78.0.3", 1)
				d.IP("addr add " + local + "/24 dev eth1")
				c.Service = "laddr_group_name local"
				return "local_address_group local {\n    " + local + "\n}\n"
			}},
	} {
		lab.Scenario(t, "forward checks "+c.name, func(l *lab.Lab) {
			site, forwarding, version := l.Site, "net/ipv4/ip_forward=1", 2
			if strings.Contains(c.name, "IPv6") {
				site, forwarding, version = l.Site6, "net/ipv6/conf/all/forwarding=1", 3
			}
			s := site(c.mode, 2)
			conf := lab.Conf{Version: version, Check: strings.Replace(lab.TCPCheck, "{", "{\n            check_via forward", 1)}
			for _, rs := range s.RS { // a server that forwards, as one with containers does, must not hide that it has no virtual address
				rs.Sysctl(forwarding)
			}
			direct := conf.Check
			c.spoil(s)
			before := map[*lab.Director]string{}
			for i, d := range s.D {
				d.Sysctl("net/ipv4/conf/all/rp_filter=1")
				conf.Priority, conf.Check = 150-50*i, direct
				above := ""
				if c.each != nil {
					above = c.each(s, d, &conf)
				}
				before[d] = d.Footprint()
				d.Write(above + s.Text(d, conf))
				d.Start(lab.Holdfast)
			}
			s.Owner(s.D[0])
			say := func(what string, second bool) {
				for _, d := range s.D {
					if !d.Daemon.Running() {
						continue
					}
					l.Eventually(what+" on "+d.Name, func() bool { return balanced(d, s.ServerAddr(1)) && balanced(d, s.ServerAddr(2)) == second })
				}
			}
			say("the good one serves, the bad one does not", false)
			l.Step("mended")
			c.fix(s)
			say("both serve", true)
			l.Step("spoiled")
			c.spoil(s)
			say("the bad one leaves", false)
			way := strings.Replace(string(c.mode), "FNAT", "FULLNAT", 1)
			status, err := s.D[1].Holdfast("status", "--run-dir", s.D[1].RunDir())
			if err != nil || !strings.Contains(status, "through "+way) || strings.Contains(status, "FWM") {
				l.Errorf("the status does not name the way, or shows private services (%v):\n%s", err, status)
			}

			l.Step("d1 hands over: no verdict changes")
			wrong := func(d *lab.Director) (n int) {
				for _, line := range d.Daemon.Lines() {
					if strings.Contains(line, `"check.down"`) && strings.Contains(line, netip.AddrPortFrom(s.ServerAddr(1), 80).String()) {
						n++
					}
				}
				return n
			}
			at := wrong(s.D[1])
			s.D[0].Daemon.Signal(syscall.SIGTERM)
			s.D[0].Daemon.Wait()
			s.Owner(s.D[1])
			c.fix(s)
			say("both serve on the new master", true)
			c.spoil(s)
			say("the bad one leaves on the new master", false)
			l.Step("somebody wipes the table")
			s.D[1].Run("ipvsadm", "-C")
			l.Eventually("the table is back", func() bool { return public(s.D[1]) == 2 })
			if n := wrong(s.D[1]); n != at {
				l.Errorf("d2 found the good server down %d times during takeover and wipe", n-at)
			}
			l.Step("stop: nothing stays")
			s.D[1].Daemon.Signal(syscall.SIGTERM)
			s.D[1].Daemon.Wait()
			for _, d := range s.D {
				if diff := lab.Difference(before[d], d.Footprint()); diff != "" {
					l.Errorf("%s: %s", d.Name, diff)
				}
			}
		})
	}
}

//go:build netns

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

// TestAddressesWithMACsOfTheirOwn has addresses on another interface than the instance's follow it there, on a virtual MAC, to the other router and back.
// (The macvlans of keepalived are up while it is BACKUP: what they send moves the MAC in the switch, and what answers for them here is the interface below, too.)
func TestAddressesWithMACsOfTheirOwn(t *testing.T) {
	t.Parallel()
	lab.Scenario(t, "use_vmac_addr", func(l *lab.Lab) {
		s := l.Site(lab.None, 0)
		inner := l.LAN("swb")
		client := l.Node("inner")
		inner.Attach(client, "eth0", "10.78.0.50/24")
		addr := netip.MustParseAddr("10.78.0.100")
		for i, d := range s.D {
			inner.Attach(d.Node, "eth1", fmt.Sprintf("10.78.0.1%d/24", i+1))
			d.Write(fmt.Sprintf("vrrp_instance VI_1 {\n state BACKUP\n interface eth0\n virtual_router_id 51\n priority %d\n version 3\n advert_int 0.5\n use_vmac_addr\n"+
				" virtual_ipaddress {\n  %s/24\n }\n virtual_ipaddress_excluded {\n  %s/24 dev eth1\n  fd78::100/64 dev eth1\n }\n}\n", 150-50*i, s.VIP, addr))
		}
		serves := func(d, other *lab.Director) {
			l.Eventually(d.Name+" serves, alone", func() bool {
				list, _ := d.Try("ip", "-o", "addr", "show")
				return strings.Contains(list, "vrrp.51    inet 10.78.0.100/24") && strings.Contains(list, "vrrp6.51    inet6 fd78::100/64") && d.HasVIP() &&
					!other.HasVIP() && !other.Holds(addr.String()) && !other.Holds("fd78::100")
			})
			l.Eventually("the inner client finds the virtual MAC", func() bool {
				macs := client.WhoHas("eth0", netip.MustParseAddr("10.78.0.50"), addr)
				return len(macs) == 1 && macs[0] == "00:00:5e:00:01:33"
			})
		}
		d1, d2 := s.D[0], s.D[1]
		d1.Start(lab.Holdfast)
		d2.Start(lab.Holdfast)
		serves(d1, d2)
		ping := client.Ping(addr, 5*time.Millisecond)
		l.Eventually("the inner address answers", func() bool { return ping.Answered(time.Now().Add(-time.Second)) })
		stop := time.Now()
		d1.Daemon.Signal(syscall.SIGTERM)
		if status := d1.Daemon.Wait(); status != 0 {
			l.Errorf("exit status %d", status)
		}
		serves(d2, d1)
		l.Note("SIGTERM: inner %v", ping.Since(stop))
		if out, _ := d1.Try("ip", "-o", "link", "show"); strings.Contains(out, "vrrp") {
			l.Errorf("a virtual interface of a stopped router is left: %s", out)
		}
		d1.Start(lab.Holdfast)
		serves(d1, d2)
	})
}

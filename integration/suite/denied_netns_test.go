//go:build netns

package suite

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

// TestARefusedAddress switches IPv6 off on a director that has addresses of both families: it serves what it can, says what it cannot, and mends it.
func TestARefusedAddress(t *testing.T) {
	t.Parallel()
	lab.Scenario(t, "the kernel refuses one address", func(l *lab.Lab) {
		s := l.Site(lab.None, 0)
		for i, d := range s.D {
			d.Write(fmt.Sprintf("vrrp_instance VI_1 {\n state BACKUP\n interface eth0\n virtual_router_id 51\n priority %d\n version 3\n advert_int 0.5\n"+
				" virtual_ipaddress {\n  %s/24\n }\n virtual_ipaddress_excluded {\n  %s/64\n }\n}\n", 150-50*i, s.VIP, s.VIP6))
		}
		d1 := s.D[0]
		d1.Sysctl("net/ipv6/conf/eth0/disable_ipv6=1")
		d1.Start(lab.Holdfast)
		s.Owner(d1)
		s.D[1].Start(lab.Keepalived)
		status := func() string {
			out, _ := d1.Holdfast("status", "--run-dir", d1.RunDir())
			return out
		}
		named := "[NOT SET: " + s.VIP6.String() + "/64 on eth0: permission denied"
		l.Eventually("the status names what is missing", func() bool { return strings.Contains(status(), named) })
		since := time.Now()
		d1.Sysctl("net/ipv6/conf/eth0/disable_ipv6=0")
		l.Note("set %v after the cause was mended", l.Eventually("the address is set", func() bool { return d1.Holds(s.VIP6.String()) }).Round(100*time.Millisecond))
		l.Eventually("the status is clean", func() bool { return !strings.Contains(status(), "NOT SET") })
		l.Eventually("it was announced", func() bool { return len(d1.Wire.Announcements(s.VIP6, since)) > 0 })
		for _, a := range s.D[1].Wire.Adverts(s.D[1].Addr, time.Time{}) {
			l.Errorf("d2 sent %v: d1 gave way", a)
		}
	})
}

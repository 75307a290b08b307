//go:build netns

package suite

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

// The classic mistake of direct routing: a real server has the virtual address and does not keep quiet about it. The MASTER finds it and names its hardware
// address, in the log and in the status; a quiet server is not named.
func TestTheMasterNamesWhoAnswersForItsAddress(t *testing.T) {
	t.Parallel()
	for _, mistake := range []string{"ARP not quiet", "address on the outward interface"} {
		lab.Scenario(t, "claims "+mistake, func(l *lab.Lab) {
			s := l.Site(lab.None, 2)
			loud, calm := s.RS[0], s.RS[1]
			if loud.Sysctl("net/ipv4/conf/all/arp_ignore=0"); mistake != "ARP not quiet" {
				loud.Sysctl("net/ipv4/conf/all/arp_ignore=1")
				loud.IP("addr del "+s.VIP.String()+"/32 dev lo", "addr add "+s.VIP.String()+"/32 dev eth0")
			}
			d := s.D[0]
			d.Write(s.Text(d, lab.Conf{Priority: 150}))
			d.Start(lab.Holdfast)
			s.Owner(d)
			named := func(n *lab.Node) bool {
				for _, line := range d.Daemon.Lines() {
					if strings.Contains(line, `"vrrp.address_claimed"`) && strings.Contains(line, fmt.Sprintf("%q", n.MAC("eth0").String())) {
						return true
					}
				}
				return false
			}
			l.Eventually("the loud server is named", func() bool { return named(loud) })
			if named(calm) || named(d.Node) {
				l.Errorf("somebody is named who keeps quiet: %v", d.Daemon.Lines())
			}
			l.Eventually("the status names it", func() bool {
				status, err := d.Holdfast("status", "--run-dir", d.RunDir())
				return err == nil && strings.Contains(status, loud.MAC("eth0").String())
			})
		})
	}
}

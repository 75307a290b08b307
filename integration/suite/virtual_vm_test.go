//go:build vm

package suite

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

// TestOtherInterfaces lets instances live on what few kernels of build machines have: an ipvlan, and interfaces in a VRF.
func TestOtherInterfaces(t *testing.T) {
	t.Parallel()
	conf := func(i int, words string) string {
		return fmt.Sprintf("vrrp_instance VI_1 {\n state BACKUP\n virtual_router_id 51\n priority %d\n version 3\n advert_int 0.5\n %s\n}\n", 150-50*i, words)
	}
	lab.Scenario(t, "use_ipvlan", func(l *lab.Lab) {
		s := l.Site(lab.None, 0)
		for i, d := range s.D {
			d.Write(conf(i, fmt.Sprintf("interface eth0\n use_ipvlan ipv51 10.77.0.20%d/24\n virtual_ipaddress {\n  %s/24\n }", i+1, s.VIP)))
			d.Start(lab.Holdfast)
		}
		otherInterface(l, s, "ipv51")
		for i, d := range s.D {
			if own := fmt.Sprintf("10.77.0.20%d", i+1); d.Daemon != nil && i == 1 && !d.Holds(own) {
				l.Errorf("%s does not have its own address %s", d.Name, own)
			}
		}
		if out, err := s.D[0].Try("ip", "link", "show", "dev", "ipv51"); err == nil {
			l.Errorf("the ipvlan of a stopped router is still there: %s", out)
		}
	})
	lab.Scenario(t, "vrf", func(l *lab.Lab) {
		s := l.Site(lab.None, 0)
		for i, d := range s.D {
			d.IP("link add red type vrf table 10", "link set red up", "link set eth0 master red")
			d.Write(conf(i, fmt.Sprintf("vrf red\n unicast_src_ip %s\n unicast_peer {\n  %s\n }\n virtual_ipaddress {\n  %s/24 dev eth0\n }", d.Addr, s.D[1-i].Addr, s.VIP)))
			d.Start(lab.Holdfast)
		}
		otherInterface(l, s, "eth0")
	})
	lab.Scenario(t, "a virtual MAC on an interface in a VRF", func(l *lab.Lab) {
		s := l.Site(lab.None, 0)
		for i, d := range s.D {
			d.IP("link add red type vrf table 10", "link set red up", "link set eth0 master red")
			d.Write(conf(i, fmt.Sprintf("interface eth0\n use_vmac\n virtual_ipaddress {\n  %s/24\n }", s.VIP)))
			d.Start(lab.Holdfast)
		}
		otherInterface(l, s, "vrrp.51")
		if out := s.D[1].Run("ip", "link", "show", "dev", "vrrp.51"); !strings.Contains(out, "master red") {
			l.Errorf("the macvlan is not in the VRF of its interface: %s", out)
		}
	})
}

// otherInterface waits for the better router to serve, hands over by SIGTERM, and looks at where the address is and how long the client had nobody.
func otherInterface(l *lab.Lab, s *lab.Site, dev string) {
	serves := func(d, other *lab.Director) {
		l.Eventually(d.Name+" serves, alone", func() bool {
			return d.HasVIP() && !other.HasVIP() && strings.Contains(d.Run("ip", "-o", "addr", "show", "dev", dev), s.VIP.String()+"/")
		})
	}
	serves(s.D[0], s.D[1])
	ping := s.Client.Ping(s.VIP, 20*time.Millisecond)
	l.Eventually("the VIP answers", func() bool { return ping.Answered(time.Now().Add(-time.Second)) })
	l.Throughout(3*time.Second, "only d1 has the address", func() bool { return s.D[0].HasVIP() && !s.D[1].HasVIP() })
	l.Step("d1 stops")
	stop := time.Now()
	s.D[0].Daemon.Signal(syscall.SIGTERM)
	if status := s.D[0].Daemon.Wait(); status != 0 {
		l.Errorf("exit status %d", status)
	}
	serves(s.D[1], s.D[0])
	alone := time.Now()
	l.Eventually("the VIP answers", func() bool { return ping.Answered(alone) })
	silence := ping.Since(stop)
	l.Note("SIGTERM: %v", silence)
	if silence.Longest > 2*time.Second { // an emulated machine; what a takeover of a dead one would take
		l.Errorf("the client had nobody for %v", silence.Longest)
	}
}

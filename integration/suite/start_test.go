//go:build netns

package suite

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

// faulted waits until the director says FAULT for a reason that holds the words, and checks that it neither speaks nor ends.
func faulted(l *lab.Lab, d *lab.Director, words string) {
	l.Eventually(d.Name+" is FAULT: "+words, func() bool {
		for _, line := range d.Daemon.Lines() {
			if strings.Contains(line, `"to":"FAULT"`) && strings.Contains(line, words) {
				return true
			}
		}
		return false
	})
	if !d.Daemon.Running() {
		l.Errorf("%s ended", d.Name)
	}
}

// TestStartsWithoutEverything starts a director that lacks something: it is FAULT, never gone, and heals by itself when the thing is there.
func TestStartsWithoutEverything(t *testing.T) {
	t.Parallel()
	alone := func(l *lab.Lab, dev string) (*lab.Site, *lab.Director) {
		s := l.Site(lab.None, 0)
		d := s.D[0]
		v := web("")
		v.Dev = dev
		d.Write(lab.Virtuals{Advert: "0.5", List: []lab.Virtual{v}}.Text(s, d, 150))
		return s, d
	}
	lab.Scenario(t, "start with the link down", func(l *lab.Lab) {
		s, d := alone(l, "")
		s.Front.Unplug(d.Node, "eth0")
		d.Start(lab.Holdfast)
		faulted(l, d, "eth0")
		l.Throughout(3*time.Second, "no VIP while the link is down", func() bool { return !d.HasVIP() && d.Daemon.Running() })
		plugged := time.Now()
		s.Front.Plug(d.Node, "eth0")
		l.Eventually("it serves", func() bool { return d.HasVIP() && d.Adverts(plugged) > 0 })
		// A whole master-down interval (1.7 s) has to be listened to.
		if heard := d.Wire.Adverts(d.Addr, plugged)[0].At.Sub(plugged); heard < 1500*time.Millisecond {
			l.Errorf("it spoke %v after the link came up", heard)
		}
	})
	lab.Scenario(t, "the interface appears, vanishes and appears again", func(l *lab.Lab) {
		s, d := alone(l, "eth7")
		d.Start(lab.Holdfast)
		faulted(l, d, "eth7")
		for range 2 {
			s.Front.Attach(d.Node, "eth7", "10.77.0.17/24")
			tap := s.Front.Tap(d.Node, "eth7")
			since := time.Now()
			l.Eventually("it serves", func() bool { return d.HasVIP() && len(tap.Adverts(s.At(false, 17), since)) > 0 })
			n := d.Daemon.Count(`"to":"FAULT"`)
			d.IP("link del eth7")
			l.Eventually("FAULT again", func() bool { return d.Daemon.Count(`"to":"FAULT"`) > n })
			if !d.Daemon.Running() {
				l.Fatalf("it ended")
			}
		}
	})
	lab.Scenario(t, "no address to send from", func(l *lab.Lab) {
		_, d := alone(l, "")
		d.IP("addr flush dev eth0 scope global")
		d.Start(lab.Holdfast)
		faulted(l, d, "address")
		d.IP("addr add " + d.Addr.String() + "/24 dev eth0")
		added := time.Now()
		l.Eventually("it serves", func() bool { return d.HasVIP() && d.Adverts(added) > 0 })
	})
}

// TestMoveByReload moves addresses between instances in one reload: they never leave the kernel.
func TestMoveByReload(t *testing.T) {
	t.Parallel()
	lab.Scenario(t, "a VIP moves between instances in one reload", func(l *lab.Lab) {
		conf := func(a, b []string) dialect {
			return dialect{conf: lab.Virtuals{Advert: "0.5", List: []lab.Virtual{{Name: "a", VRID: 51, VIPs: a}, {Name: "b", VRID: 52, VIPs: b}}}}
		}
		before := conf([]string{"10.77.0.100/24", "10.77.0.101/24"}, []string{"10.77.0.102/24"})
		after := conf([]string{"10.77.0.100/24"}, []string{"10.77.0.102/24", "10.77.0.101/24"})
		m := meet(l, before)
		for _, d := range m.D {
			d.Start(lab.Holdfast)
		}
		m.owner(0)
		m.calm(0, 2)
		losses, since := m.D[0].Losses(), time.Now()
		for round, c := range []dialect{after, before} {
			for _, d := range m.D {
				d.Write(c.conf.Text(m.Site, d, map[bool]int{true: 150, false: 100}[d == m.D[0]]))
				n := d.Daemon.Count(`"config.reload`)
				d.Daemon.Signal(syscall.SIGHUP)
				l.Eventually("the reload is done", func() bool { return d.Daemon.Count(`"config.reload`) > n })
				m.calm(0, 3)
			}
			for _, v := range []string{"10.77.0.100", "10.77.0.101", "10.77.0.102"} {
				if n := losses.Of(v); n > 0 || !m.D[0].Holds(v) || m.D[1].Holds(v) {
					l.Errorf("round %d: %s left %d times", round+1, v, n)
				}
			}
		}
		for i := range m.conf.List {
			if list := m.adverts(1, i, since, false); len(list) > 0 {
				l.Errorf("the peer spoke: %v", list[0])
			}
		}
	})
}

// TestRollingReload changes what a peer that is not yet reloaded would refuse, on one director and some seconds later on the other: nobody else becomes master.
func TestRollingReload(t *testing.T) {
	t.Parallel()
	other := strings.Replace(pass, "s3cret", "n3wer", 1)
	of := func(version int, v lab.Virtual) lab.Virtuals {
		return lab.Virtuals{Version: version, List: []lab.Virtual{v}}
	}
	for _, c := range []struct {
		name     string
		from, to lab.Virtuals
	}{
		{"another password", of(2, web(pass)), of(2, web(other))},
		{"PASS to AH", of(2, web(pass)), of(2, web(ah))},
		{"no authentication to PASS", of(2, web("")), of(2, web(pass))},
		{"version 2 to 3", of(2, web("")), of(3, web(""))},
		{"multicast to unicast", of(3, web("")), of(3, unicast(web("")))},
		{"IPv6 multicast to unicast", of(3, web6("")), of(3, unicast(web6("")))},
	} {
		for _, first := range []int{0, 1} {
			lab.Scenario(t, fmt.Sprintf("rolling reload: %s, d%d first", c.name, first+1), func(l *lab.Lab) {
				m := meet(l, dialect{conf: c.from})
				for _, d := range m.D {
					d.Start(lab.Holdfast)
				}
				m.owner(0)
				m.calm(0, 2)
				losses, since := m.D[0].Losses(), time.Now()
				for _, i := range []int{first, 1 - first} {
					d := m.D[i]
					d.Write(c.to.Text(m.Site, d, 150-50*i))
					n := d.Daemon.Count(`"config.reload`)
					d.Daemon.Signal(syscall.SIGHUP)
					l.Eventually("the reload is done", func() bool { return d.Daemon.Count(`"config.reload`) > n })
					// Long enough that a peer that hears nothing it believes would take over.
					from := time.Now()
					l.Eventually("5 s of the owner's adverts", func() bool { return time.Since(from) > 5*time.Second && len(m.adverts(0, 0, from, true)) >= 4 })
				}
				m.calm(0, 2)
				if list := m.adverts(1, 0, since, false); len(list) > 0 {
					l.Errorf("the peer spoke: %v", list[0])
				}
				if n := losses.Of(m.VIP.String()); n > 0 {
					l.Errorf("the VIP left %d times", n)
				}
				if !m.D[0].Holds(c.from.List[0].Last().String()) || m.D[1].Holds(c.from.List[0].Last().String()) {
					l.Errorf("the VIP is not where it was")
				}
			})
		}
	}
}

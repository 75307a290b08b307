//go:build netns

package suite

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

// pair starts two directors without virtual servers, the first with the higher priority, and waits until it owns the VIP.
func pair(l *lab.Lab, first, second lab.Kind, c lab.Conf) *lab.Site {
	s := l.Site(lab.None, 0)
	for i, kind := range []lab.Kind{first, second} {
		conf := c
		conf.Priority = 150 - 50*i
		s.D[i].Write(s.Text(s.D[i], conf))
		s.D[i].Start(kind)
	}
	l.Logf("the VIP is taken after %.1f s", s.Owner(s.D[0]).Seconds())
	return s
}

// steady waits until both daemons have settled: the backup has heard a few adverts.
func steady(l *lab.Lab, s *lab.Site) {
	since := time.Now()
	l.Eventually("three adverts of d1", func() bool { return s.D[0].Adverts(since) >= 3 })
}

// quiet fails if the peer sent an advert or took the VIP since then.
func quiet(l *lab.Lab, s *lab.Site, peer *lab.Director, since time.Time) {
	if list := s.Tap.Adverts(peer.Addr, since); len(list) > 0 {
		l.Fatalf("%s took over: %v", peer.Name, list[0])
	}
	if peer.HasVIP() {
		l.Fatalf("%s holds the VIP", peer.Name)
	}
}

func TestFailover(t *testing.T) {
	t.Parallel()
	for _, version := range []int{2, 3} {
		lab.Scenario(t, fmt.Sprintf("failover and return v%d", version), func(l *lab.Lab) {
			s := pair(l, lab.Holdfast, lab.Holdfast, lab.Conf{Version: version})
			d1, d2 := s.D[0], s.D[1]
			for _, a := range s.Tap.Adverts(d1.Addr, time.Time{}) {
				if a.Version != version || a.TTL != 255 || !a.Checksum || a.VRID != 51 || a.Interval != time.Second {
					l.Fatalf("a wrong advert: %v", a)
				}
			}
			if len(s.Tap.GratuitousARPs(s.VIP, time.Time{})) == 0 {
				l.Fatalf("no gratuitous ARP for the VIP")
			}
			ping := s.Client.Ping(s.VIP, 5*time.Millisecond)
			l.Eventually("the VIP answers", func() bool { return ping.Answered(time.Now().Add(-time.Second)) })

			l.Step("kill -9 of all of d1's processes, and its cable out")
			dead := time.Now()
			d1.Daemon.KillAll9()
			s.Front.Unplug(d1.Node, "eth0")
			l.Eventually("d2 takes over", func() bool { return d2.HasVIP() && len(s.Tap.GratuitousARPs(s.VIP, dead)) > 0 })
			taken := time.Now()
			l.Eventually("the VIP answers again", func() bool { return ping.Answered(taken) })
			l.Note("kill and link loss: silence %v", ping.Since(dead.Add(-time.Second)).Longest.Round(time.Millisecond))

			l.Step("d1 comes back and preempts")
			back := time.Now()
			s.Front.Plug(d1.Node, "eth0")
			d1.Start(lab.Holdfast)
			s.Owner(d1)
			l.Eventually("the VIP answers", func() bool { return ping.Answered(time.Now().Add(-100 * time.Millisecond)) })
			l.Note("return: silence %v", ping.Since(back).Longest.Round(time.Millisecond))

			l.Step("d1's cable out and in again, the daemon runs on")
			cut := time.Now()
			s.Front.Unplug(d1.Node, "eth0")
			l.Eventually("d2 takes over", func() bool { return d2.HasVIP() && len(s.Tap.GratuitousARPs(s.VIP, cut)) > 0 })
			l.Eventually("d1 lets go: its link is down", func() bool { return !d1.HasVIP() })
			l.Note("link loss: takeover %v", time.Since(cut).Round(10*time.Millisecond))
			s.Front.Plug(d1.Node, "eth0")
			s.Owner(d1)
			l.Eventually("one answers ARP", func() bool { a := s.Answering(); return len(a) == 1 && a[0] == "d1" })
		})
	}
}

func TestHandOver(t *testing.T) {
	t.Parallel()
	lab.Alone(t, "hand-over at SIGTERM", func(l *lab.Lab) {
		s := l.Site(lab.None, 0)
		d1, d2 := s.D[0], s.D[1]
		before := d1.Footprint()
		for i, d := range s.D {
			d.Write(s.Text(d, lab.Conf{Priority: 150 - 50*i}))
			d.Start(lab.Holdfast)
		}
		s.Owner(d1)
		steady(l, s)
		ping := s.Client.Ping(s.VIP, 2*time.Millisecond)
		l.Eventually("the VIP answers", func() bool { return ping.Answered(time.Now().Add(-time.Second)) })
		stop := time.Now()
		d1.Daemon.Signal(syscall.SIGTERM)
		status := d1.Daemon.Wait()
		l.Note("exit after %v", time.Since(stop).Round(time.Millisecond))
		s.Owner(d2)
		l.Eventually("the VIP answers", func() bool { return ping.Answered(time.Now().Add(-100 * time.Millisecond)) })
		silence := ping.Since(stop.Add(-time.Second))
		l.Note("silence at SIGTERM %v (asked 500 times a second; keepalived: 612 ms)", silence.Longest.Round(100*time.Microsecond))
		if silence.Longest > 500*time.Millisecond {
			l.Errorf("a silence of %v: the master let go before its successor was there", silence.Longest)
		}
		if status != 0 {
			l.Errorf("exit status %d", status)
		}
		zero := 0
		for _, a := range s.Tap.Adverts(d1.Addr, stop) {
			if a.Priority == 0 {
				zero++
			}
		}
		if zero == 0 {
			l.Errorf("no advert with priority 0")
		}
		if diff := lab.Difference(before, d1.Footprint()); diff != "" {
			l.Errorf("left behind: %s", diff)
		}
		l.Step("the last one stops without a successor")
		d2.Daemon.Signal(syscall.SIGTERM)
		if status := d2.Daemon.Wait(); status != 0 {
			l.Errorf("exit status %d", status)
		}
		if d2.HasVIP() {
			l.Errorf("the VIP stayed")
		}
	})
}

func TestCrash(t *testing.T) {
	t.Parallel()
	// Each way to crash: the peer never takes over, the VIP never leaves.
	crash := func(name string, f func(l *lab.Lab, s *lab.Site)) {
		lab.Scenario(t, name, func(l *lab.Lab) {
			s := pair(l, lab.Holdfast, lab.Holdfast, lab.Conf{})
			steady(l, s)
			d1, d2 := s.D[0], s.D[1]
			losses := d1.Losses()
			ping := s.Client.Ping(s.VIP, 10*time.Millisecond)
			since := time.Now()
			f(l, s)
			// Long enough that a peer that has to take over would have.
			from := time.Now()
			l.Eventually("five more adverts of d1", func() bool { return d1.Adverts(from) >= 5 })
			quiet(l, s, d2, since)
			if n := losses.Of(s.VIP.String()); n > 0 || !d1.HasVIP() {
				l.Errorf("the VIP left d1 %d times", n)
			}
			l.Note("%v; longest time between adverts %v", ping.Stop(), s.Tap.LongestGap(d1.Addr, since).Round(time.Millisecond))
		})
	}
	restart := func(l *lab.Lab, d *lab.Director, kill func()) {
		// The time of a restart counts from an advert: the promise is about 0.3 s.
		last := d.Adverts(time.Time{})
		l.Eventually("the next advert", func() bool { return d.Adverts(time.Time{}) > last })
		start := time.Now()
		kill()
		d.Start(lab.Holdfast)
		l.Note("killed and started again within %v", time.Since(start).Round(time.Millisecond))
	}
	crash("both processes killed and restarted", func(l *lab.Lab, s *lab.Site) {
		restart(l, s.D[0], s.D[0].Daemon.KillAll9)
	})
	crash("router killed and restarted", func(l *lab.Lab, s *lab.Site) {
		restart(l, s.D[0], s.D[0].Daemon.Kill9)
	})
	crash("balancer killed", func(l *lab.Lab, s *lab.Site) {
		d1 := s.D[0]
		d1.Daemon.Child(d1.Daemon.SignalChild(syscall.SIGKILL))
	})
	crash("balancer stopped by SIGSTOP", func(l *lab.Lab, s *lab.Site) {
		d1 := s.D[0]
		since := time.Now()
		child := d1.Daemon.SignalChild(syscall.SIGSTOP)
		l.Eventually("adverts go on for 4 s", func() bool { return d1.Adverts(since) >= 4 })
		if gap := s.Tap.LongestGap(d1.Addr, since); gap > 2500*time.Millisecond {
			l.Errorf("%v between adverts", gap)
		}
		_ = syscall.Kill(child, syscall.SIGCONT)
	})
}

func TestNobodyComesBack(t *testing.T) {
	t.Parallel()
	lab.Scenario(t, "router killed and never restarted", func(l *lab.Lab) {
		s := pair(l, lab.Holdfast, lab.Holdfast, lab.Conf{})
		steady(l, s)
		child := s.D[0].Daemon.Child(0)
		dead := time.Now()
		s.D[0].Daemon.Kill9()
		l.Eventually("the balancer cleans up, d2 serves", func() bool { return !s.D[0].HasVIP() && s.D[1].HasVIP() })
		l.Note("one owner after %v", time.Since(dead).Round(10*time.Millisecond))
		l.Eventually("one answers ARP", func() bool { a := s.Answering(); return len(a) == 1 && a[0] == "d2" })
		l.Eventually("the balancer ends", func() bool { return !lab.Alive(child) })
	})
	lab.Scenario(t, "both processes killed and never restarted", func(l *lab.Lab) {
		s := pair(l, lab.Holdfast, lab.Holdfast, lab.Conf{})
		steady(l, s)
		s.D[0].Daemon.KillAll9()
		l.Eventually("d2 takes over", func() bool { return s.D[1].HasVIP() })
		// What the shipped OnFailure unit runs when systemd gives up.
		if out, err := s.D[0].Holdfast("release", "--run-dir", s.D[0].RunDir()); err != nil {
			l.Fatalf("holdfast release: %v: %s", err, out)
		}
		if s.D[0].HasVIP() {
			l.Errorf("the stale VIP stays")
		}
		l.Eventually("one answers ARP", func() bool { a := s.Answering(); return len(a) == 1 && a[0] == "d2" })
	})
}

func TestReload(t *testing.T) {
	t.Parallel()
	lab.Scenario(t, "SIGHUP without and with changes", func(l *lab.Lab) {
		s := pair(l, lab.Holdfast, lab.Holdfast, lab.Conf{})
		steady(l, s)
		d1, d2 := s.D[0], s.D[1]
		conf := lab.Conf{Priority: 150}
		losses := d1.Losses()
		watch := d1.Watch()
		since := time.Now()
		reloads := func() int { return d1.Daemon.Count(`"config.reload`) }
		n := reloads()
		d1.Daemon.Signal(syscall.SIGHUP)
		l.Eventually("the reload is logged", func() bool { return reloads() > n })
		from := time.Now()
		l.Eventually("adverts go on", func() bool { return d1.Adverts(from) >= 2 })
		if !watch.Stays() {
			l.Errorf("a reload without changes wrote: %v", watch.Changes())
		}
		l.Step("a bad file")
		d1.Write("vrrp_instance web {\n    virtual_router_id 999\n}\n")
		d1.Daemon.Signal(syscall.SIGHUP)
		l.Eventually("the refusal is logged", func() bool { return d1.Daemon.Said("director.conf:") })
		if !watch.Stays() {
			l.Errorf("a refused reload wrote: %v", watch.Changes())
		}
		l.Step("one more VIP")
		text := s.Text(d1, conf)
		d1.Write(replaceOnce(text, "    virtual_ipaddress {\n", "    virtual_ipaddress {\n        10.77.0.101/24 dev eth0\n"))
		d1.Daemon.Signal(syscall.SIGHUP)
		l.Eventually("the second VIP is there", func() bool { return d1.Holds("10.77.0.101") })
		d1.Write(text)
		d1.Daemon.Signal(syscall.SIGHUP)
		l.Eventually("the second VIP is gone", func() bool { return !d1.Holds("10.77.0.101") })
		if n := losses.Of(s.VIP.String()); n > 0 {
			l.Errorf("the first VIP left %d times", n)
		}
		quiet(l, s, d2, since)
		l.Note("longest time between adverts %v", s.Tap.LongestGap(d1.Addr, since).Round(time.Millisecond))
	})
	lab.Scenario(t, "VIP deleted by hand", func(l *lab.Lab) {
		s := pair(l, lab.Holdfast, lab.Holdfast, lab.Conf{})
		steady(l, s)
		since := time.Now()
		s.D[0].IP("addr del " + s.VIP.String() + "/24 dev eth0")
		took := l.Eventually("the VIP is there again", func() bool { return s.D[0].HasVIP() || s.D[1].HasVIP() })
		l.Note("back after %v", took.Round(time.Millisecond))
		l.Eventually("it is announced", func() bool { return len(s.Tap.GratuitousARPs(s.VIP, since)) > 0 })
	})
}

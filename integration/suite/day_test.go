//go:build vm

package suite

import (
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

// day is a working day of 14 steps with two directors, two real servers and a client. A daemon that is not ours is only reported on: it shows that the lab is right.
func day(l *lab.Lab, mode lab.Mode, kind lab.Kind, second func(s *lab.Site, c lab.Conf) string) {
	s := l.Site(mode, 2)
	dayOf(l, s, lab.Conf{}, kind, second)
}

func dayOf(l *lab.Lab, s *lab.Site, conf lab.Conf, kind lab.Kind, second func(s *lab.Site, c lab.Conf) string) {
	d1, d2 := s.D[0], s.D[1]
	held := 0
	step := func(n int, what string, ok bool, format string, a ...any) {
		detail := fmt.Sprintf(format, a...)
		if ok {
			held++
			l.Logf("step %2d holds: %s; %s", n, what, detail)
			return
		}
		if kind == lab.Holdfast {
			l.Fatalf("step %d: %s: %s", n, what, detail)
		}
		l.Logf("step %2d DOES NOT HOLD with %s: %s: %s", n, kind, what, detail)
	}
	before := d1.Footprint()
	conf.Priority = 150
	d1.Write(s.Text(d1, conf))
	d1.Start(kind)
	other := conf
	other.Priority = 100
	if second != nil {
		d2.Write(second(s, other))
	} else {
		d2.Write(s.Text(d2, other))
	}
	d2.Start(kind)

	took := s.Owner(d1)
	step(1, "the VIP is taken", true, "after %.1f s", took.Seconds())

	took = l.Eventually("the tables are full", func() bool {
		for _, d := range s.D {
			for i := range s.RS {
				if _, ok := d.InTable(s.ServerAddr(i + 1)); !ok {
					return false
				}
			}
		}
		return true
	})
	step(2, "the table is filled", true, "after another %.1f s", took.Seconds())

	ask := s.Client.Ask(s.Service(), 50*time.Millisecond, 5*time.Second)
	l.Eventually("both real servers answer", func() bool {
		t := ask.Tally(time.Now().Add(-10*time.Second), time.Time{})
		return t["rs1"] > 3 && t["rs2"] > 3
	})
	step(3, "both real servers answer", true, "%s", ask.Tally(time.Time{}, time.Time{}))

	died := time.Now()
	s.Web[0].Refuse()
	took = l.Eventually("the failed server leaves the table", func() bool {
		weight, ok := d1.InTable(s.ServerAddr(1))
		return !ok || weight == "0"
	})
	step(4, "a failed server leaves within its retries", true, "after %.1f s", took.Seconds())
	left := time.Now()

	l.Eventually("requests after it has left", func() bool { return ask.Tally(left, time.Time{}).Total() >= 20 })
	t := ask.Tally(left, time.Time{})
	step(5, "no request fails after it has left", t.Failed() == 0, "%s; lost before: %d; %s", t, ask.Tally(died, left).Failed(), ask.Errors(left, time.Time{}))

	s.Web[0].Start()
	took = l.Eventually("the server returns", func() bool {
		_, ok := d1.InTable(s.ServerAddr(1))
		return ok && ask.Tally(time.Now().Add(-5*time.Second), time.Time{})["rs1"] > 3
	})
	step(6, "it returns", true, "after %.1f s", took.Seconds())

	back := time.Now()
	d1.Write("vrrp_instance web {\n    interface\n    virtual_router_id 999\n    priority banana\n}\nvirtual_server {\n")
	table := strings.Join(d1.Table(), "\n")
	d1.Daemon.Signal(syscall.SIGHUP)
	if kind == lab.Holdfast {
		l.Eventually("the log says that the file was refused", func() bool { return d1.Daemon.Said("director.conf:") })
	}
	time.Sleep(3 * time.Second) // something that must not happen has to be given time
	same := table == strings.Join(d1.Table(), "\n")
	t = ask.Tally(back, time.Time{})
	step(7, "a bad file at SIGHUP changes nothing", same && d1.HasVIP() && d1.Daemon.Running() && t.Failed() == 0, "table same: %v, VIP held: %v, runs: %v, client: %s", same, d1.HasVIP(), d1.Daemon.Running(), t)
	if !d1.Daemon.Running() {
		d1.Write(s.Text(d1, conf))
		d1.Start(kind)
		s.Owner(d1)
	}

	conf.Weights = []int{1, 3}
	d1.Write(s.Text(d1, conf))
	changed := time.Now()
	d1.Daemon.Signal(syscall.SIGHUP)
	took = l.Eventually("the weight changes", func() bool {
		weight, _ := d1.InTable(s.ServerAddr(2))
		return weight == "3"
	})
	t = ask.Tally(changed, time.Time{})
	step(8, "a weight changes in place", d1.HasVIP() && t.Failed() == 0, "after %.1f s, client: %s %s", took.Seconds(), t, ask.Errors(changed, time.Time{}))

	d1.Run("ipvsadm", "-C")
	wiped := time.Now()
	restored := true
	for len(d1.Table()) < 3 {
		if time.Since(wiped) > 45*time.Second {
			restored = false
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	step(9, "a wiped table is restored", restored, "after %.1f s", time.Since(wiped).Seconds())
	if !restored {
		d1.Daemon.Signal(syscall.SIGTERM)
		d1.Daemon.Wait()
		d1.Start(kind)
	}

	s.Owner(d1)
	d1.IP("addr del " + s.Prefix(false, 100) + " dev eth0")
	took = l.Eventually("somebody owns the VIP and serves", func() bool {
		_, err := s.Client.Get(s.Service(), 2*time.Second)
		return err == nil && (d1.HasVIP() || d2.HasVIP())
	})
	step(10, "a VIP deleted by hand returns or the peer takes over", true, "after %.1f s", took.Seconds())
	s.Owner(d1)
	l.Eventually("the second director's table is full", func() bool { return len(d2.Table()) >= 3 })

	l.Step("kill -9 of all of d1's processes, and its cable out")
	dead := time.Now()
	d1.Daemon.KillAll9()
	s.Front.Unplug(d1.Node, "eth0")
	took = l.Eventually("the peer takes over", func() bool { return d2.HasVIP() && d2.Adverts(dead) > 0 })
	step(11, "takeover after kill -9 and link loss", true, "after %.2f s", took.Seconds())
	l.Note("takeover %.2f s", took.Seconds())

	taken := time.Now()
	l.Eventually("the client is served by the peer", func() bool {
		t := ask.Tally(taken, time.Time{})
		return t["rs1"] > 3 && t["rs2"] > 3
	})
	step(12, "the client is served", true, "silence %.2f s", ask.Silence(dead.Add(-time.Second), time.Time{}).Seconds())
	ask.Stop()

	// Return, preempt, then a clean stop of the returned one, which must leave d1 as it was before anything ran.
	s.Front.Plug(d1.Node, "eth0")
	d1.Start(kind)
	s.Owner(d1)
	d1.Daemon.Signal(syscall.SIGTERM)
	status := d1.Daemon.Wait()
	s.Owner(d2)
	d2.Daemon.Signal(syscall.SIGTERM)
	status2 := d2.Daemon.Wait()
	diff := lab.Difference(before, d1.Footprint())
	step(13, "SIGTERM leaves nothing behind", diff == "", "difference: %q", diff)
	step(14, "the exit status is 0", status == 0 && status2 == 0, "d1 %d, d2 %d", status, status2)
	l.Note("%d of 14 steps hold with %s in %s", held, kind, s.Mode)
}

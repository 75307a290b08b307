//go:build vm

package suite

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

// talks are connections that stay open.
type talks []*lab.Talk

func open(l *lab.Lab, s *lab.Site, n int) talks {
	var all talks
	for range n {
		all = append(all, s.Client.Talk(s.Service(), 100*time.Millisecond))
	}
	now := time.Now()
	l.Eventually("the connections talk", func() bool { return all.heardAfter(now) })
	return all
}

func (a talks) heardAfter(at time.Time) bool {
	return !slices.ContainsFunc(a, func(t *lab.Talk) bool { return !t.HeardAfter(at) })
}

// survive waits until every connection talks again after that moment; one that ended fails the scenario.
func (a talks) survive(l *lab.Lab, what string, since time.Time) {
	took := l.Eventually("every connection talks on: "+what, func() bool {
		for _, t := range a {
			if err := t.Err(); err != nil {
				l.Fatalf("%s: a connection ended: %v", what, err)
			}
		}
		return a.heardAfter(since)
	})
	l.Note("%s: %d connections talk on, %.1f s later", what, len(a), took.Seconds())
}

func (a talks) stop() {
	for _, t := range a {
		t.Stop()
	}
}

// Connections that were there before a failover talk on after it, with the kernel's synchronisation; without it they are reset.
func TestConnectionsSurvive(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mode   lab.Mode
		daemon string // lvs_sync_daemon: following the instance, or both roles at once
	}{{lab.DR, "lvs_sync_daemon eth0 inst web id 7"}, {lab.NAT, "lvs_sync_daemon eth0 id 8"}} {
		lab.Scenario(t, "connections survive "+string(c.mode), func(l *lab.Lab) {
			s := l.Site(c.mode, 2)
			d1, d2 := s.D[0], s.D[1]
			write := func(global string) {
				for i, d := range s.D {
					d.Write(s.Text(d, lab.Conf{Priority: 150 - 50*i, Global: global, Instance: "preempt_delay 5"}))
				}
			}
			write("")
			d1.Start(lab.Holdfast)
			d2.Start(lab.Holdfast)
			s.Owner(d1)
			full(l, s, d1)
			full(l, s, d2)

			l.Step("without synchronisation a planned stop resets them")
			lost := open(l, s, 3)
			d1.Daemon.Signal(syscall.SIGTERM)
			s.Owner(d2)
			l.Eventually("every connection ends", func() bool {
				return !slices.ContainsFunc(lost, func(t *lab.Talk) bool { return t.Err() == nil })
			})
			l.Note("without: %v", lost[0].Err())
			if !strings.Contains(lost[0].Err().Error(), "reset") {
				l.Errorf("the documentation says reset: %v", lost[0].Err())
			}

			l.Step("with it: a planned stop")
			// A connection is told about at its 3rd and every 50th packet; the settings below tell more often, as the documentation advises.
			for _, d := range s.D {
				d.Sysctl("net/ipv4/vs/sync_threshold=1 5")
			}
			write(c.daemon)
			d2.Daemon.Signal(syscall.SIGHUP)
			d1.Start(lab.Holdfast)
			s.Owner(d1)
			full(l, s, d1)
			full(l, s, d2)
			roles := func(d *lab.Director) string { return d.Run("ipvsadm", "-L", "--daemon") }
			follows := strings.Contains(c.daemon, "inst")
			l.Eventually("the synchronisation daemons run", func() bool {
				one, two := roles(d1), roles(d2)
				if !strings.Contains(one, "master sync daemon") || !strings.Contains(two, "backup sync daemon") {
					return false
				}
				return follows != strings.Contains(one, "backup sync daemon")
			})
			first := open(l, s, 4)
			l.Eventually("the peer knows the connections", func() bool { return learned(d2) >= len(first) })
			stopped := time.Now()
			d1.Daemon.Signal(syscall.SIGTERM)
			d1.Daemon.Wait()
			s.Owner(d2)
			first.survive(l, "planned stop", time.Now())
			if out, _ := d2.Holdfast("status", "--run-dir", d2.RunDir()); !strings.Contains(out, "master eth0") || !strings.Contains(out, "learned") {
				l.Errorf("status of d2 says nothing of the synchronisation:\n%s", out)
			}
			l.Logf("stop to all talking: %.1f s", time.Since(stopped).Seconds())

			l.Step("the return")
			second := open(l, s, 2)
			d1.Start(lab.Holdfast)
			s.Owner(d1)
			all := append(first, second...)
			all.survive(l, "return", time.Now())

			l.Step("kill -9 of everything, and the cables out")
			l.Eventually("the peer knows the connections", func() bool { return learned(d2) >= 2 })
			d1.Daemon.KillAll9()
			s.Front.Unplug(d1.Node, "eth0")
			if s.Back != nil {
				s.Back.Unplug(d1.Node, "eth1")
			}
			l.Eventually("d2 takes over", func() bool { return d2.HasVIP() })
			all.survive(l, "kill", time.Now())
			all.stop()
		})
	}
}

// learned counts the connections that the node's kernel has from its peer.
func learned(n *lab.Director) int {
	var text []byte
	n.Do(func() { text, _ = os.ReadFile("/proc/thread-self/net/ip_vs_conn_sync") })
	return strings.Count(string(text), "SYNC")
}

// A server drains while its connections go on and nobody new comes to it; the wish outlives reload, crash and reboot.
func TestDrain(t *testing.T) {
	t.Parallel()
	lab.Scenario(t, "drain keeps connections", func(l *lab.Lab) {
		s := l.Site(lab.NAT, 2)
		d := s.D[0]
		conf := lab.Conf{Priority: 150, Service: "drain_timeout 3600"}
		d.Write(s.Text(d, conf))
		d.Start(lab.Holdfast)
		s.Owner(d)
		full(l, s, d)
		busy := open(l, s, 4)
		with := func(name string) (n int) {
			for _, t := range busy {
				if t.By() == name {
					n++
				}
			}
			return n
		}
		if with("rs1") != 2 || with("rs2") != 2 {
			l.Fatalf("rr gave rs1 %d and rs2 %d of 4 connections", with("rs1"), with("rs2"))
		}
		drains := func(what string) {
			l.Eventually("weight 0 "+what, func() bool { w, ok := d.InTable(s.ServerAddr(1)); return ok && w == "0" })
			for range 6 {
				if by, err := s.Client.Get(s.Service(), 10*time.Second); err != nil || by != "rs2" {
					l.Errorf("%s: a new client was served by %q, %v", what, by, err)
				}
			}
			busy.survive(l, what, time.Now())
		}
		ctl := func(argv ...string) string {
			out, err := d.Holdfast(append(argv, "--run-dir", d.RunDir())...)
			if err != nil {
				l.Fatalf("holdfast %v: %v: %s", argv, err, out)
			}
			return out
		}
		virtual, real := s.Service(), s.ServerAddr(1).String()+":80"
		ctl("drain", virtual, real, "--why", "a new disk")
		drains("after the command")
		l.Eventually("status tells who, why and what is left", func() bool {
			out := ctl("status")
			return strings.Contains(out, "draining by") && strings.Contains(out, "a new disk") && strings.Contains(out, "2 connections left")
		})
		reloads := d.Daemon.Count(`"config.reload`)
		d.Daemon.Signal(syscall.SIGHUP)
		l.Eventually("the reload is logged", func() bool { return d.Daemon.Count(`"config.reload`) > reloads })
		drains("after a reload")
		d.Daemon.KillAll9()
		d.Start(lab.Holdfast)
		s.Owner(d)
		full(l, s, d)
		drains("after kill -9 of both processes")

		l.Step("a reboot: the run directory is gone, the state directory is not")
		d.Daemon.KillAll9()
		if err := os.RemoveAll(d.RunDir()); err != nil {
			l.Fatalf("%v", err)
		}
		d.Run("ipvsadm", "-C")
		d.Start(lab.Holdfast)
		s.Owner(d)
		l.Eventually("the other server is in the table", func() bool { _, ok := d.InTable(s.ServerAddr(2)); return ok })
		if by, err := s.Client.Get(s.Service(), 10*time.Second); err != nil || by != "rs2" {
			l.Errorf("after a reboot a new client was served by %q, %v", by, err)
		}
		if w, ok := d.InTable(s.ServerAddr(1)); ok && w != "0" {
			l.Errorf("after a reboot the drained server has weight %s", w)
		}
		busy.stop()
		l.Eventually("it has left the table", func() bool { _, ok := d.InTable(s.ServerAddr(1)); return !ok })
		ctl("undrain", virtual, real)
		full(l, s, d)

		l.Step("removal from the file with drain_timeout")
		busy = open(l, s, 4)
		conf.Weights = []int{0, 1}
		d.Write(s.Text(d, conf))
		d.Daemon.Signal(syscall.SIGHUP)
		drains("after removal from the file")
		busy.stop()
		l.Eventually("it has left the table and status", func() bool {
			_, ok := d.InTable(s.ServerAddr(1))
			now, _, _ := strings.Cut(ctl("status"), "LAST EVENTS")
			return !ok && !strings.Contains(now, s.ServerAddr(1).String())
		})
	})
}

// Two directors that are the real servers too: only the one that owns the VIP balances, or packets would go in circles.
func TestOnlyTheMasterBalances(t *testing.T) {
	t.Parallel()
	lab.Scenario(t, "directors that are real servers", func(l *lab.Lab) {
		s := l.Site(lab.None, 0)
		d1, d2 := s.D[0], s.D[1]
		web := map[*lab.Director]*lab.Server{}
		for i, d := range s.D {
			d.Sysctl("net/ipv4/conf/all/arp_ignore=1", "net/ipv4/conf/all/arp_announce=2", "net/ipv4/conf/all/rp_filter=0", "net/ipv4/conf/eth0/rp_filter=0")
			d.IP("addr add " + s.VIP.String() + "/32 dev lo")
			web[d] = d.Serve(":80")
			text := s.Text(d, lab.Conf{Priority: 150 - 50*i}) + fmt.Sprintf("virtual_server %s 80 {\n    ipvs_when master web\n    delay_loop 1\n    lb_algo rr\n    lb_kind DR\n    protocol TCP\n", s.VIP)
			for _, o := range s.D {
				text += fmt.Sprintf("    real_server %s 80 {\n        weight 1\n        %s\n    }\n", o.Addr, lab.TCPCheck)
			}
			d.Write(text + "}\n")
			d.Start(lab.Holdfast)
		}
		balances := func(d *lab.Director, lines int) bool { return len(d.Table()) == lines }
		l.Eventually("d1 alone balances", func() bool {
			return balances(d1, 3) && balances(d2, 0) && d1.Adverts(time.Now().Add(-4*time.Second)) > 0
		})
		ask := s.Client.Ask(s.Service(), 100*time.Millisecond, 15*time.Second)
		both := func() {
			since := time.Now()
			l.Eventually("both serve", func() bool { t := ask.Tally(since, time.Time{}); return t["d1"] > 3 && t["d2"] > 3 })
		}
		both()
		l.Throughout(4*time.Second, "a BACKUP has no table", func() bool { return balances(d2, 0) })
		if t := ask.Tally(time.Time{}, time.Time{}); t.Failed() > 0 {
			l.Errorf("%s; %s", t, ask.Errors(time.Time{}, time.Time{}))
		}

		l.Step("a planned stop")
		d1.Daemon.Signal(syscall.SIGTERM)
		d1.Daemon.Wait()
		l.Eventually("d2 alone balances", func() bool { return balances(d2, 3) && balances(d1, 0) })
		both()
		l.Step("and back")
		d1.Start(lab.Holdfast)
		l.Eventually("d1 alone balances", func() bool { return balances(d1, 3) && balances(d2, 0) })
		both()
		l.Step("d1 dies")
		d1.Daemon.KillAll9()
		s.Front.Unplug(d1.Node, "eth0")
		l.Eventually("d2 balances", func() bool { return balances(d2, 2) })
		if t := after(l, ask, 20); t["d2"] != t.Total() {
			l.Errorf("d2 alone: %s; %s", t, ask.Errors(time.Time{}, time.Time{}))
		}
		ask.Stop()
	})
}

//go:build vm

package suite

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

// modules are what the whole job needs from the kernel of the machine.
const modules = "ip_vs ip_vs_rr ip_vs_wrr ip_vs_lc ip_vs_wlc ip_vs_sh ip_vs_mh ip_vs_dh veth bridge macvlan ipip nf_tables nft_ct nft_nat nft_masq nf_conntrack sch_netem ipvlan vrf"

func init() {
	preparations = append(preparations, func() error {
		lab.Patience, lab.PollEvery = 2*time.Minute, 50*time.Millisecond
		if out, err := exec.Command("modprobe", append([]string{"-a"}, strings.Fields(modules)...)...).CombinedOutput(); err != nil {
			return fmt.Errorf("this suite needs a kernel with IPVS (run it with `make vm`): %w: %s", err, out)
		}
		return nil
	})
}

// TestLab shows that the lab is right, with the daemon everybody knows. Run it by hand when the lab is in doubt: LAB_MODE=NAT.
func TestLab(t *testing.T) {
	t.Parallel()
	for _, mode := range []lab.Mode{lab.DR, lab.NAT, lab.TUN} {
		if os.Getenv("LAB_MODE") == string(mode) {
			lab.Scenario(t, "working day "+string(mode)+" keepalived", func(l *lab.Lab) { day(l, mode, lab.Keepalived, nil) })
		}
	}
}

func TestWorkingDay(t *testing.T) {
	t.Parallel()
	for _, mode := range []lab.Mode{lab.DR, lab.NAT, lab.TUN, lab.FNAT} {
		lab.Scenario(t, "working day "+string(mode), func(l *lab.Lab) {
			var second func(*lab.Site, lab.Conf) string
			if mode == lab.TUN {
				second = (*lab.Site).YAML // the second director says the same in YAML
			}
			day(l, mode, lab.Holdfast, second)
		})
	}
	for _, mode := range []lab.Mode{lab.DR, lab.NAT} {
		lab.Scenario(t, "working day IPv6 "+string(mode), func(l *lab.Lab) { dayOf(l, l.Site6(mode, 2), lab.Conf{Version: 3}, lab.Holdfast, nil) })
	}
}

// full waits until the director's table holds every real server.
func full(l *lab.Lab, s *lab.Site, d *lab.Director) {
	l.Eventually("the table of "+d.Name+" is full", func() bool { return len(d.Table()) == 1+len(s.RS) })
}

// serving builds a site, starts both directors and a client, and waits until everything serves.
func serving(l *lab.Lab, mode lab.Mode, c lab.Conf) (*lab.Site, *lab.Asker) {
	s := l.Site(mode, 2)
	for i, d := range s.D {
		conf := c
		conf.Priority = 150 - 50*i
		d.Write(s.Text(d, conf))
		d.Start(lab.Holdfast)
	}
	s.Owner(s.D[0])
	for _, d := range s.D {
		full(l, s, d)
	}
	ask := s.Client.Ask(s.Service(), 50*time.Millisecond, 5*time.Second)
	bothAnswer(l, ask)
	return s, ask
}

func bothAnswer(l *lab.Lab, ask *lab.Asker) {
	since := time.Now()
	l.Eventually("both real servers answer", func() bool {
		t := ask.Tally(since, time.Time{})
		return t["rs1"] > 3 && t["rs2"] > 3
	})
}

// after waits for n requests that began from now on and returns their tally.
func after(l *lab.Lab, ask *lab.Asker, n int) lab.Tally {
	since := time.Now()
	l.Eventually(fmt.Sprintf("%d more requests", n), func() bool { return ask.Tally(since, time.Time{}).Total() >= n })
	return ask.Tally(since, time.Time{})
}

func TestRealServers(t *testing.T) {
	t.Parallel()
	lab.Scenario(t, "servers die, hang, return; sorry server", func(l *lab.Lab) {
		s, ask := serving(l, lab.DR, lab.Conf{Check: lab.HTTPCheck, Sorry: true})
		d1 := s.D[0]
		in := func(i int) bool { _, ok := d1.InTable(s.ServerAddr(i)); return ok }

		l.Step("rs1 refuses")
		died := time.Now()
		s.Web[0].Refuse()
		l.Eventually("rs1 leaves", func() bool { return !in(1) })
		l.Note("refused: out after %v, %d requests lost", time.Since(died).Round(10*time.Millisecond), ask.Tally(died, time.Time{}).Failed())
		if t := after(l, ask, 20); t.Failed() > 0 {
			l.Errorf("%s after rs1 has left", t)
		}
		s.Web[0].Start()
		l.Eventually("rs1 returns", func() bool { return in(1) })
		bothAnswer(l, ask)

		l.Step("rs2 hangs: packets to it vanish")
		died = time.Now()
		s.RS[1].BlackHole(80)
		l.Eventually("rs2 leaves", func() bool { return !in(2) })
		l.Note("black hole: out after %v, %d requests lost", time.Since(died).Round(10*time.Millisecond), ask.Tally(died, time.Time{}).Failed())
		if t := after(l, ask, 20); t.Failed() > 0 {
			l.Errorf("%s after rs2 has left", t)
		}
		s.RS[1].Heal()
		l.Eventually("rs2 returns", func() bool { return in(2) })
		bothAnswer(l, ask)

		l.Step("rs1 answers garbage: a check that reads it fails")
		s.Web[0].Garble(500, "\x00\xff<html")
		l.Eventually("rs1 leaves", func() bool { return !in(1) })
		s.Web[0].Garble(200, "rs1")
		l.Eventually("rs1 returns", func() bool { return in(1) })

		l.Step("both down: the sorry server answers")
		s.Web[0].Refuse()
		s.Web[1].Refuse()
		l.Eventually("the sorry server answers", func() bool { return after(l, ask, 5)["sorry"] == 5 })
		s.Web[0].Start()
		s.Web[1].Start()
		l.Eventually("the sorry server has gone", func() bool { return in(1) && in(2) && !in(9) })
		bothAnswer(l, ask)
		if n := s.D[1].Adverts(time.Time{}); n > 0 {
			l.Errorf("d2 sent %d adverts: a dead real server is no failover", n)
		}
	})
	lab.Scenario(t, "inhibit on failure and persistence", func(l *lab.Lab) {
		s := l.Site(lab.NAT, 2)
		d1 := s.D[0]
		text := s.Text(d1, lab.Conf{Priority: 150, Scheduler: "wlc", Service: "persistence_timeout 60", Global: "manage_ipvs_sysctls"})
		d1.Write(strings.ReplaceAll(text, "        weight 1\n", "        weight 1\n        inhibit_on_failure\n"))
		d1.Start(lab.Holdfast)
		s.Owner(d1)
		full(l, s, d1)
		if table := d1.Run("ipvsadm", "-Sn"); !strings.Contains(table, "-s wlc -p 60") {
			l.Errorf("the service: %s", table)
		}
		s.Web[0].Refuse()
		l.Eventually("rs1 has weight 0 and stays", func() bool { w, ok := d1.InTable(s.ServerAddr(1)); return ok && w == "0" })
		s.Web[0].Start()
		l.Eventually("rs1 has its weight again", func() bool { w, _ := d1.InTable(s.ServerAddr(1)); return w == "1" })
		first, err := s.Client.Get(s.Service(), 5*time.Second)
		if err != nil {
			l.Fatalf("the client: %v", err)
		}
		for range 5 {
			if again, err := s.Client.Get(s.Service(), 5*time.Second); err != nil || again != first {
				l.Errorf("%q after %q (%v): a persistent client stays with its server", again, first, err)
			}
		}

		l.Step("a persistent client leaves a server that has weight 0")
		dead := map[string]int{"rs1": 0, "rs2": 1}[first]
		s.Web[dead].Refuse()
		l.Eventually("its server has weight 0", func() bool { w, ok := d1.InTable(s.ServerAddr(dead + 1)); return ok && w == "0" })
		other := s.RS[1-dead].Name
		for range 3 {
			if by, err := s.Client.Get(s.Service(), 5*time.Second); err != nil || by != other {
				l.Errorf("%q (%v) instead of %s: its server has weight 0", by, err, other)
			}
		}
	})
}

func TestReloadWithTraffic(t *testing.T) {
	t.Parallel()
	lab.Scenario(t, "SIGHUP while a client asks", func(l *lab.Lab) {
		s, ask := serving(l, lab.NAT, lab.Conf{})
		d1 := s.D[0]
		conf := lab.Conf{Priority: 150}
		since := time.Now()
		connections := func() string {
			out := d1.Run("ipvsadm", "-Ln", "--stats", "--exact")
			return strings.Join(strings.Fields(strings.Join(strings.Split(out, "\n")[3:4], "")), " ")
		}
		before := connections()
		reloads := func() int { return d1.Daemon.Count(`"config.reload`) }
		n := reloads()
		d1.Daemon.Signal(syscall.SIGHUP)
		l.Eventually("the reload is logged", func() bool { return reloads() > n })
		l.Step("a third weight, then another scheduler")
		conf.Weights = []int{1, 5}
		d1.Write(s.Text(d1, conf))
		d1.Daemon.Signal(syscall.SIGHUP)
		l.Eventually("the weight changes", func() bool { w, _ := d1.InTable(s.ServerAddr(2)); return w == "5" })
		after(l, ask, 5)
		first := ask.Tally(since, time.Time{})
		// The kernel itself has a moment without a scheduler when it changes one (ip_vs_edit_service): connections of that moment are refused.
		changing := time.Now()
		conf.Scheduler = "wrr"
		d1.Write(s.Text(d1, conf))
		d1.Daemon.Signal(syscall.SIGHUP)
		l.Eventually("the scheduler changes", func() bool { return strings.Contains(d1.Table()[0], "-s wrr") })
		l.Note("lost while the kernel changed the scheduler: %d", ask.Tally(changing, time.Time{}).Failed())
		after(l, ask, 5)
		since = time.Now()
		l.Step("one server leaves the file")
		conf.Weights = []int{1, 0}
		d1.Write(s.Text(d1, conf))
		d1.Daemon.Signal(syscall.SIGHUP)
		l.Eventually("it leaves the table", func() bool { _, ok := d1.InTable(s.ServerAddr(2)); return !ok })
		t := after(l, ask, 20)
		all := ask.Tally(since, time.Time{})
		if t["rs1"] != t.Total() || all.Failed() > 0 || first.Failed() > 0 {
			l.Errorf("the client: %s before the scheduler's change, %s after it, last %s; %s", first, all, t, ask.Errors(time.Time{}, time.Time{}))
		}
		var was, is int
		if _, err := fmt.Sscanf(strings.Fields(before)[2], "%d", &was); err != nil {
			l.Fatalf("statistics of ipvsadm: %q", before)
		}
		if _, err := fmt.Sscanf(strings.Fields(connections())[2], "%d", &is); err != nil || is < was {
			l.Errorf("the service's counter went from %d to %d: it was made anew", was, is)
		}
		if n := s.D[1].Adverts(time.Time{}); n > 0 {
			l.Errorf("d2 sent %d adverts", n)
		}
		l.Note("%s", all)
	})
}

func TestCrashWithTraffic(t *testing.T) {
	t.Parallel()
	lab.Alone(t, "processes die while a client asks", func(l *lab.Lab) {
		// Adoption is promised for a restart within two intervals; an emulated machine needs long ones.
		s, ask := serving(l, lab.DR, lab.Conf{Advert: "4", Global: "balancer_down_fault 300"})
		d1, d2 := s.D[0], s.D[1]
		losses := d1.Losses()
		since := time.Now()
		check := func(what string) {
			t := after(l, ask, 30)
			n := d1.Adverts(since)
			l.Eventually("adverts go on", func() bool { return d1.Adverts(since) > n && d1.HasVIP() })
			all := ask.Tally(since, time.Time{})
			if gap := s.Tap.LongestGap(d1.Addr, since); gap > 8*time.Second {
				l.Errorf("%s: %v between adverts: a restart within two intervals is promised", what, gap.Round(10*time.Millisecond))
			}
			if all.Failed() > 0 {
				l.Errorf("%s: %s; %s", what, all, ask.Errors(since, time.Time{}))
			}
			if len(s.Tap.Adverts(d2.Addr, since)) > 0 || losses.Of(s.VIP.String()) > 0 {
				l.Errorf("%s: the peer took over or the VIP left", what)
			}
			l.Logf("%s: %s", what, t)
			since = time.Now()
		}
		next := func() {
			n := d1.Adverts(time.Time{})
			l.Eventually("the next advert", func() bool { return d1.Adverts(time.Time{}) > n })
		}
		l.Step("the balancer is killed; meanwhile rs1 dies")
		d1.Daemon.Child(d1.Daemon.SignalChild(syscall.SIGKILL))
		check("balancer killed")

		l.Step("a failed server stays out over a restart")
		s.Web[0].Refuse()
		l.Eventually("rs1 leaves", func() bool { _, ok := d1.InTable(s.ServerAddr(1)); return !ok })
		l.Eventually("the verdict is written down", func() bool {
			text, _ := os.ReadFile(filepath.Join(d1.RunDir(), "checks.json"))
			return strings.Contains(string(text), `"up":false`)
		})
		after(l, ask, 5)
		since = time.Now()
		next()
		d1.Daemon.KillAll9()
		d1.Start(lab.Holdfast)
		check("both killed and restarted")
		l.Eventually("rs1 is still out", func() bool { _, ok := d1.InTable(s.ServerAddr(1)); return !ok })
		if t := after(l, ask, 10); t["rs1"] > 0 {
			l.Errorf("rs1 was asked: %s", t)
		}
		s.Web[0].Start()
		l.Eventually("rs1 returns", func() bool { _, ok := d1.InTable(s.ServerAddr(1)); return ok })
		bothAnswer(l, ask)
		since = time.Now()

		l.Step("the router is killed and started again")
		next()
		d1.Daemon.Kill9()
		d1.Start(lab.Holdfast)
		check("router killed and restarted")

		l.Step("the balancer is stopped")
		child := d1.Daemon.SignalChild(syscall.SIGSTOP)
		check("balancer stopped")
		_ = syscall.Kill(child, syscall.SIGCONT)
	})
	lab.Alone(t, "stop and return while a client asks", func(l *lab.Lab) {
		s, ask := serving(l, lab.DR, lab.Conf{})
		d1, d2 := s.D[0], s.D[1]
		since := time.Now()
		d1.Daemon.Signal(syscall.SIGTERM)
		if status := d1.Daemon.Wait(); status != 0 {
			l.Errorf("exit status %d", status)
		}
		s.Owner(d2)
		bothAnswer(l, ask)
		t := ask.Tally(since, time.Time{})
		l.Note("SIGTERM: %s, silence %v", t, ask.Silence(since.Add(-time.Second), time.Time{}).Round(time.Millisecond))
		if t.Failed() > 3 {
			l.Errorf("a planned stop lost %d requests; %s", t.Failed(), ask.Errors(since, time.Time{}))
		}
		back := time.Now()
		d1.Start(lab.Holdfast)
		l.Eventually("the first advert of d1", func() bool { return d1.Adverts(back) > 0 })
		if n := len(d1.Table()); n != 3 {
			l.Errorf("at the first advert the table had %d lines: %v", n, d1.Table())
		}
		s.Owner(d1)
		bothAnswer(l, ask)
		t = ask.Tally(back, time.Time{})
		l.Note("return: %s", t)
		if t.Failed() > 3 {
			l.Errorf("a return lost %d requests; %s", t.Failed(), ask.Errors(back, time.Time{}))
		}
	})
}

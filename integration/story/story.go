//go:build linux

package story

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

// act is one row of the table at the end.
type act struct {
	what, owner, answers string
	asked, lost          int
	silence              time.Duration
}

// teller keeps what has been told.
type teller struct {
	l     *lab.Lab
	s     *lab.Site
	ask   *lab.Asker
	start time.Time
	acts  []act
	out   func(string)
}

func (t *teller) say(format string, a ...any) {
	t.out(fmt.Sprintf("%7.2f s  %s", time.Since(t.start).Seconds(), fmt.Sprintf(format, a...)))
}

// Tell runs the story once, with this many seconds between advertisements. Lines go to out; the table is its last words.
func Tell(interval int, out func(string)) error {
	quiet := func(line string) {
		if strings.Contains(line, "FAILED") {
			out(line)
		}
	}
	return lab.Once("demo", quiet, func(l *lab.Lab) { tell(l, interval, out) })
}

func tell(l *lab.Lab, interval int, out func(string)) {
	t := &teller{l: l, start: time.Now(), out: out}
	out("")
	out("  client 10.77.0.50 ──┐")
	out("                      ├── one LAN ──┬── d1 10.77.0.11  priority 150 ┐ directors; one of them owns")
	out("  rs1 rs2 rs3 ────────┘             └── d2 10.77.0.12  priority 100 ┘ the VIP 10.77.0.100 (direct routing)")
	out("")
	t.say("building two directors, three real servers and a client")
	s := l.Site(lab.DR, 3)
	t.s = s
	d1, d2 := s.D[0], s.D[1]
	for i, d := range s.D {
		d.Write(s.Text(d, lab.Conf{Priority: 150 - 50*i, Version: 3, Advert: strconv.Itoa(interval)}))
		d.Start(lab.Holdfast)
	}
	t.say("holdfast starts on d1 and d2: VRRPv3, an advertisement every %d s; a TCP check of each real server every second", interval)
	s.Owner(d1)
	t.say("d1 owns the VIP: it announced it, and it alone sends advertisements")
	for _, d := range s.D {
		l.Eventually("the tables are full", func() bool { return len(d.Table()) == 4 })
	}
	t.say("the kernel's IPVS table of both directors holds rs1, rs2 and rs3")
	t.ask = s.Client.Ask(s.VIP.String()+":80", 50*time.Millisecond, 2*time.Second)
	t.say("the client asks the VIP 20 times a second, without pause until the end")

	t.act("an ordinary moment", func() {})
	t.act("rs1 dies", func() {
		died := time.Now()
		s.Web[0].Refuse()
		t.say("rs1 dies: its port refuses connections")
		l.Eventually("rs1 leaves", func() bool { _, in := d1.InTable(s.ServerAddr(1)); return !in })
		t.say("rs1 is out of the table %.1f s later; its retries are used up", time.Since(died).Seconds())
	})
	t.act("rs1 returns", func() {
		s.Web[0].Start()
		t.say("rs1 listens again")
		l.Eventually("rs1 returns", func() bool { _, in := d1.InTable(s.ServerAddr(1)); return in })
		t.say("its check passed: it is in the table again")
	})
	t.act("d1 is stopped (SIGTERM)", func() {
		d1.Daemon.Signal(syscall.SIGTERM)
		t.say("d1 is told to stop")
		status := d1.Daemon.Wait()
		s.Owner(d2)
		t.say("d1 handed over and ended with status %d; d2 owns the VIP", status)
	})
	t.act("d1 comes back", func() {
		back := time.Now()
		d1.Start(lab.Holdfast)
		t.say("d1 starts")
		l.Eventually("d1's first advertisement", func() bool { return d1.Adverts(back) > 0 })
		t.say("d1 takes the VIP back; at its first advertisement its table held %d real servers", len(d1.Table())-1)
		s.Owner(d1)
	})
	t.act("both processes of d1 killed, restarted", func() {
		n := d1.Adverts(time.Time{})
		l.Eventually("the next advert", func() bool { return d1.Adverts(time.Time{}) > n })
		d1.Daemon.KillAll9()
		d1.Start(lab.Holdfast)
		t.say("kill -9 of both processes of d1, started again at once, as systemd would")
		from := time.Now()
		l.Eventually("adverts go on", func() bool { return d1.Adverts(from) >= 4 || d2.Adverts(from) > 0 })
		if d2.Adverts(from) > 0 {
			t.say("d2 took over: the restart took longer than d1's word was good for (two advertisements)")
			s.Owner(d1)
			from = time.Now()
			l.Eventually("d1 stays", func() bool { return d1.Adverts(from) >= 3 })
			t.say("d1 owns the VIP again")
			return
		}
		t.say("d1 went on where it had stopped; d2 heard no gap, the VIP never left")
	})
	t.act("d1 is killed, its cable is out", func() {
		dead := time.Now()
		d1.Daemon.KillAll9()
		s.Front.Unplug(d1.Node, "eth0")
		t.say("kill -9 of everything on d1, and its cable is pulled")
		l.Eventually("d2 takes over", func() bool { return d2.HasVIP() && d2.Adverts(dead) > 0 })
		t.say("d2 owns the VIP %.1f s later: three advertisements were missing", time.Since(dead).Seconds())
	})
	t.act("d1 comes back", func() {
		s.Front.Plug(d1.Node, "eth0")
		d1.Start(lab.Holdfast)
		t.say("d1's cable is in, d1 starts")
		s.Owner(d1)
		t.say("d1 owns the VIP again")
	})
	t.ask.Stop()
	for _, d := range s.D {
		d.Daemon.Signal(syscall.SIGTERM)
	}
	for _, d := range s.D {
		d.Daemon.Wait()
	}
	t.say("both stopped; addresses left: %v, IPVS lines left: %d", d1.HasVIP() || d2.HasVIP(), len(d1.Table())+len(d2.Table()))
	t.table()
}

// act runs one act and adds its row.
func (t *teller) act(what string, f func()) {
	begin := time.Now()
	f()
	// The act lasts until the client is at ease again: a dozen answers in a row.
	calm := time.Now()
	t.l.Eventually("the client is served", func() bool {
		tally := t.ask.Tally(calm, time.Time{})
		return tally.Total()-tally.Failed() >= 12
	})
	end := time.Now()
	tally := t.ask.Tally(begin, end)
	a := act{what: what, asked: tally.Total(), lost: tally.Failed(), silence: t.ask.Silence(begin.Add(-500*time.Millisecond), end), owner: "?"}
	for _, d := range t.s.D {
		if d.HasVIP() {
			a.owner = d.Name
		}
	}
	delete(tally, "failed")
	a.answers = tally.String()
	t.acts = append(t.acts, a)
	t.say("  → owner %s; answers: %s; lost %d of %d; nobody answered for at most %.2f s", a.owner, a.answers, a.lost, a.asked, a.silence.Seconds())
}

func (t *teller) table() {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "what happened\towner after\tasked\tlost\tlongest silence")
	for _, a := range t.acts {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%.2f s\n", a.what, a.owner, a.asked, a.lost, a.silence.Seconds())
	}
	w.Flush()
	t.out("")
	for _, line := range strings.Split(strings.TrimRight(b.String(), "\n"), "\n") {
		t.out(line)
	}
	t.out("")
}

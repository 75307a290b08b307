//go:build netns

package suite

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

// handOvers are the dialects in which Holdfast hands over, at 1 s adverts.
var handOvers = []dialect{
	{name: "v2 PASS", conf: lab.Virtuals{Version: 2, List: []lab.Virtual{web(pass)}}},
	{name: "v3 unicast", conf: lab.Virtuals{List: []lab.Virtual{unicast(web(""))}}},
	{name: "v3 VMAC", conf: lab.Virtuals{List: []lab.Virtual{web("use_vmac")}}, mac: []string{"00:00:5e:00:01:33"}},
	{name: "v3 IPv6", conf: lab.Virtuals{List: []lab.Virtual{web6("")}}},
	{name: "v3 IPv6 VMAC", conf: lab.Virtuals{List: []lab.Virtual{web6("use_vmac")}}, mac: []string{"00:00:5e:00:02:33"}},
	{name: "v3 group IPv4 IPv6", back: true, conf: lab.Virtuals{Group: true, List: []lab.Virtual{web(""), web6(""), inner("")}}},
}

// gapLimit is the longest silence that a kill or a hand-over may cost, over what the machine itself is silent for. A hand-over takes a millisecond or two where
// nothing else runs (make bench).
const gapLimit = 20 * time.Millisecond

// turns are how often a takeover by keepalived, which tells of itself before it has the addresses, waits for its turn or for the kernel until it has announced the first
// of two: each time for what a toiler waits, as a dozen other scenarios run beside it. turnsMost is what that may excuse, far less than a skew time (0.6 s).
// Holdfast as the successor has no such excuse.
const (
	turns     = 3
	turnsMost = 200 * time.Millisecond
)

// audience asks the VIPs 500 times a second, and beside them an address that never moves: what that one loses is the machine's doing.
type audience struct {
	m       *meeting
	pings   []*lab.Pinger
	control *lab.Pinger
	toil    *lab.Toiler
	crowd   []*lab.Node
}

// listen starts asking. The crowd are clients that keep resolving the VIPs, while their owners keep talking to them in the VIPs' names.
func listen(m *meeting) *audience {
	a := &audience{m: m, toil: m.l.Toil(), control: m.Client.Ping(m.bystander(), 2*time.Millisecond)}
	m.l.Eventually("the bystander answers", func() bool { return a.control.Answered(time.Now().Add(-time.Second)) })
	for i := range 3 {
		n := m.l.Node(fmt.Sprintf("crowd%d", i))
		m.Front.Attach(n, "eth0", fmt.Sprintf("10.77.0.6%d/24", i), fmt.Sprintf("fd77::6%d/64", i))
		a.crowd = append(a.crowd, n)
	}
	for _, v := range m.conf.List {
		if v.On() != "eth0" {
			continue
		}
		p := m.Client.Ping(v.Last(), 2*time.Millisecond)
		m.l.Eventually("the VIP answers", func() bool { return p.Answered(time.Now().Add(-time.Second)) })
		a.pings = append(a.pings, p)
	}
	return a
}

// bystander is the address that never moves: that of the switch's own node.
func (m *meeting) bystander() netip.Addr {
	// A bridge without a MAC of its own takes another one with every port.
	m.Front.Node.IP("link set br0 address 02:00:00:00:02:50", "addr add 10.77.0.250/24 dev br0")
	return netip.MustParseAddr("10.77.0.250")
}

// silence is the longest one since then, less what the machine itself was silent for.
func (a *audience) silence(what string, since time.Time) {
	l := a.m.l
	l.Eventually("the VIPs answer", func() bool {
		for _, p := range a.pings {
			if !p.Answered(time.Now().Add(-50 * time.Millisecond)) {
				return false
			}
		}
		return true
	})
	noise := a.control.Since(since.Add(-500 * time.Millisecond)).Longest
	toil := a.toil.Since(since.Add(-500 * time.Millisecond))
	limit := gapLimit + 2*noise
	if slices.ContainsFunc(a.m.D, func(d *lab.Director) bool { return d.Kind() == lab.Keepalived }) {
		limit += min(turns*toil, turnsMost)
	}
	for i, p := range a.pings {
		s := p.Since(since.Add(-500 * time.Millisecond))
		l.Note("%s: silence %v (the machine's own %v, its delay of the same work %v)", what, s.Longest.Round(100*time.Microsecond), noise.Round(100*time.Microsecond),
			toil.Round(100*time.Microsecond))
		if s.Longest > limit {
			l.Errorf("%s: %s was silent for %v (the machine's own silence: %v, its delay of the same work %v)", what, a.m.conf.List[i].Last(), s.Longest, noise, toil)
		}
	}
}

// confuse lets the old owner and a crowd of clients do their worst to the clients' neighbour tables until the new owner has announced itself, and looks 100 ms later.
func (a *audience) confuse(from, to int, act func()) {
	m, l := a.m, a.m.l
	var noise []*lab.Chatter
	for _, v := range m.conf.List {
		if v.On() != "eth0" {
			continue
		}
		var them []netip.Addr
		for i, n := range a.crowd {
			if v.Is6() {
				them = append(them, netip.MustParseAddr(fmt.Sprintf("fd77::6%d", i)))
			} else {
				them = append(them, netip.MustParseAddr(fmt.Sprintf("10.77.0.6%d", i)))
			}
			noise = append(noise, n.Resolve(v.Last(), 20*time.Millisecond))
		}
		noise = append(noise, m.D[from].Chat(v.Last(), them, 5*time.Millisecond))
	}
	since := time.Now()
	act()
	l.Eventually("the successor announces every VIP", func() bool {
		for i, v := range m.conf.List {
			if len(m.wires[to][i].GratuitousARPs(v.Last(), since)) == 0 && len(m.wires[to][i].Announcements(v.Last(), since)) == 0 {
				return false
			}
		}
		return true
	})
	for _, c := range noise {
		c.Stop()
	}
	time.Sleep(100 * time.Millisecond)
	for i, v := range m.conf.List {
		want := m.D[to].MAC("eth0").String()
		if len(m.mac) > 0 && m.mac[i] != "" {
			want = m.mac[i]
		}
		own := ""
		if m.D[to].Kind() == lab.Keepalived {
			own = m.D[to].MAC("eth0").String() // its kernel asks for clients on eth0 in the VIP's name, and they learn from that
		}
		for _, n := range a.crowd {
			if got := n.Neighbor(v.Last()); v.On() == "eth0" && got != want && got != own && got != "" {
				l.Errorf("%s's entry of %s is %s, the successor's is %s", n.Name, v.Last(), got, want)
			}
		}
	}
}

func TestHandOverEverywhere(t *testing.T) {
	t.Parallel()
	for _, c := range handOvers {
		for _, successor := range []lab.Kind{lab.Holdfast, lab.Keepalived} {
			lab.Scenario(t, fmt.Sprintf("hand-over %s to %s", c.name, successor), func(l *lab.Lab) { handOver(l, c, successor) })
		}
	}
}

func handOver(l *lab.Lab, c dialect, successor lab.Kind) {
	m := meet(l, c)
	d1 := m.D[0]
	d1.Start(lab.Holdfast)
	m.D[1].Start(successor)
	m.owner(0)
	a := listen(m)
	m.calm(0, 2)

	l.Step("holdfast handover")
	begin := time.Now()
	a.confuse(0, 1, func() {
		if out, err := d1.Holdfast("handover", "--run-dir", d1.RunDir()); err != nil {
			l.Fatalf("holdfast handover: %v: %s", err, out)
		}
	})
	m.owner(1)
	a.silence("handover", begin)
	m.calm(1, 4)

	l.Step("the old master may return")
	back := time.Now()
	if out, err := d1.Holdfast("handover", "--cancel", "--run-dir", d1.RunDir()); err != nil {
		l.Fatalf("holdfast handover --cancel: %v: %s", err, out)
	}
	m.owner(0)
	if successor == lab.Holdfast {
		a.silence("return", back)
	}
	m.calm(0, 2)

	l.Step("SIGTERM")
	stop := time.Now()
	a.confuse(0, 1, func() {
		d1.Daemon.Signal(syscall.SIGTERM)
		if status := d1.Daemon.Wait(); status != 0 {
			l.Errorf("exit status %d", status)
		}
	})
	m.owner(1)
	a.silence("SIGTERM", stop)
	m.calm(1, 2)
	m.correct(0)
}

func TestHandOverOddly(t *testing.T) {
	t.Parallel()
	fast := func(list ...lab.Virtual) dialect { return dialect{conf: lab.Virtuals{Advert: "0.5", List: list}} }
	lab.Scenario(t, "hand-over without a successor", func(l *lab.Lab) {
		m := gather(l, fast(web("")), 150, 100)
		d1 := m.D[0]
		d1.Start(lab.Holdfast)
		m.owner(0)
		losses := d1.Losses()
		if out, err := d1.Holdfast("handover", "--run-dir", d1.RunDir()); err == nil {
			l.Errorf("a hand-over to nobody succeeded: %s", out)
		}
		m.calm(0, 3)
		if n := losses.Of(m.VIP.String()); n > 0 {
			l.Errorf("the VIP left %d times", n)
		}
		stop := time.Now()
		d1.Daemon.Signal(syscall.SIGTERM)
		if status := d1.Daemon.Wait(); status != 0 || d1.HasVIP() {
			l.Errorf("exit status %d, VIP held %v", status, d1.HasVIP())
		}
		l.Note("SIGTERM without a successor took %v", time.Since(stop).Round(10*time.Millisecond))
	})
	lab.Scenario(t, "hand-over with two successors", func(l *lab.Lab) {
		m := gather(l, fast(web("")), 150, 100, 90)
		for i, d := range m.D {
			d.Start([]lab.Kind{lab.Holdfast, lab.Holdfast, lab.Keepalived}[i])
		}
		m.owner(0)
		a := listen(m)
		m.calm(0, 2)
		begin := time.Now()
		a.confuse(0, 1, func() {
			if out, err := m.D[0].Holdfast("handover", "--run-dir", m.D[0].RunDir()); err != nil {
				l.Fatalf("holdfast handover: %v: %s", err, out)
			}
		})
		m.owner(1)
		a.silence("handover", begin)
		m.calm(1, 4)
		l.Step("the new one hands over too: the one that has yielded does not come back, the third takes it")
		begin = time.Now()
		if out, err := m.D[1].Holdfast("handover", "--run-dir", m.D[1].RunDir()); err != nil {
			l.Fatalf("holdfast handover: %v: %s", err, out)
		}
		l.Eventually("another one serves", func() bool { return !m.D[1].HasVIP() && (m.D[0].HasVIP() || m.D[2].HasVIP()) })
		a.silence("second handover", begin)
	})
	lab.Scenario(t, "hand-over among equals", func(l *lab.Lab) {
		m := gather(l, fast(web("")), 100, 100)
		// The higher address wins among equals.
		m.D[1].Start(lab.Holdfast)
		m.owner(1)
		m.D[0].Start(lab.Holdfast)
		a := listen(m)
		m.calm(1, 4)
		begin := time.Now()
		a.confuse(1, 0, func() {
			if out, err := m.D[1].Holdfast("handover", "--run-dir", m.D[1].RunDir()); err != nil {
				l.Fatalf("holdfast handover: %v: %s", err, out)
			}
		})
		m.owner(0)
		a.silence("handover", begin)
		m.calm(0, 6)
		l.Step("the new master dies: the yielded one serves again")
		m.D[0].Daemon.KillAll9()
		m.Front.Unplug(m.D[0].Node, "eth0")
		l.Eventually("it serves", func() bool { return m.D[1].HasVIP() && len(m.adverts(1, 0, begin.Add(time.Second), true)) > 0 })
	})
}

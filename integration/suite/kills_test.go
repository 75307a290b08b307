//go:build netns

package suite

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

// victims are the sites whose owner gets killed; 1 s adverts.
var victims = []dialect{
	{name: "v2 PASS", conf: lab.Virtuals{Version: 2, List: []lab.Virtual{web(pass)}}},
	{name: "v3 VMAC", conf: lab.Virtuals{List: []lab.Virtual{web("use_vmac")}}, mac: []string{"00:00:5e:00:01:33"}},
	{name: "v3 IPv6 unicast", conf: lab.Virtuals{List: []lab.Virtual{unicast(web6(""))}}},
	{name: "v2 unicast AH", ah: true, conf: lab.Virtuals{Version: 2, List: []lab.Virtual{unicast(web(ah))}}},
	{name: "group IPv4 IPv6 VMAC", back: true, conf: lab.Virtuals{Group: true, List: []lab.Virtual{web("use_vmac"), web6("use_vmac"), inner("")}},
		mac: []string{"00:00:5e:00:01:33", "00:00:5e:00:02:33", ""}},
}

// score is what a run of kills came to.
type score struct {
	sync.Mutex
	kills, outside int
}

// TestKills ends the owner's processes by kill -9 at random moments, HOLDFAST_KILLS times in all (make kills N=200), and starts them again as systemd would. The
// peer must never speak, the addresses never leave, a client never notice. HOLDFAST_SEED repeats a run.
func TestKills(t *testing.T) {
	t.Parallel()
	kills, seed := 10, rand.Uint64()
	if n, err := strconv.Atoi(os.Getenv("HOLDFAST_KILLS")); err == nil {
		kills = n
	}
	if n, err := strconv.ParseUint(os.Getenv("HOLDFAST_SEED"), 10, 64); err == nil {
		seed = n
	}
	fmt.Printf("kills: %d, seed %d (HOLDFAST_SEED=%d repeats them)\n", kills, seed, seed)
	sum := &score{}
	t.Cleanup(func() {
		fmt.Printf("kills: %d done, of which %d were outside the promise (the restart took longer than two adverts), seed %d\n", sum.kills, sum.outside, seed)
	})
	for i, c := range victims {
		n := kills / len(victims)
		if i < kills%len(victims) {
			n++
		}
		lab.Scenario(t, "kills "+c.name, func(l *lab.Lab) { killing(l, c, n, rand.New(rand.NewPCG(seed, uint64(i))), sum) })
	}
}

func killing(l *lab.Lab, c dialect, kills int, dice *rand.Rand, sum *score) {
	m := meet(l, c)
	d1 := m.D[0]
	d1.Start(lab.Holdfast)
	m.D[1].Start(lab.Holdfast)
	m.owner(0)
	m.calm(0, 2)
	control := m.Client.Ping(m.bystander(), 5*time.Millisecond)
	var pings []*lab.Pinger
	for _, v := range c.conf.List {
		if v.On() == "eth0" {
			pings = append(pings, m.Client.Ping(v.Last(), 5*time.Millisecond))
		}
	}
	m.answers(0, pings)
	losses := d1.Losses()
	for n := range kills {
		who := []string{"router", "balancer", "both"}[dice.IntN(3)]
		time.Sleep(time.Duration(dice.IntN(1200)) * time.Millisecond)
		since := time.Now()
		ready := d1.Daemon.Count(`"daemon.ready"`)
		switch who {
		case "router":
			d1.Daemon.Kill9()
			d1.Start(lab.Holdfast)
			ready = 0
		case "balancer":
			d1.Daemon.SignalChild(syscall.SIGKILL)
		case "both":
			d1.Daemon.KillAll9()
			d1.Start(lab.Holdfast)
			ready = 0
		}
		l.Eventually("the balancer is back", func() bool { return d1.Daemon.Count(`"daemon.ready"`) > ready })
		from := time.Now()
		l.Eventually("adverts go on", func() bool {
			for i := range c.conf.List {
				if len(m.adverts(0, i, from, true)) < 2 {
					return false
				}
			}
			return true
		})
		sum.Lock()
		sum.kills++
		sum.Unlock()
		gap := time.Duration(0)
		for i := range c.conf.List {
			last := since.Add(-time.Second)
			for _, a := range m.adverts(0, i, last, true) {
				gap, last = max(gap, a.At.Sub(last)), a.At
			}
		}
		if gap > 2*time.Second {
			// A restart may take as long as two adverts and no longer; a starved machine needs more. The owner is then found anew.
			l.Note("kill %d (%s): outside the promise, %v between adverts", n+1, who, gap.Round(time.Millisecond))
			sum.Lock()
			sum.outside++
			sum.Unlock()
			m.owner(0)
			m.answers(0, pings)
			losses = d1.Losses()
			continue
		}
		what := fmt.Sprintf("kill %d (%s), %v between adverts", n+1, who, gap.Round(time.Millisecond))
		for i, v := range c.conf.List {
			if list := m.adverts(1, i, since, false); len(list) > 0 {
				l.Errorf("%s: the peer spoke: %v", what, list[0])
			}
			if lost := losses.Of(v.Last().String()); lost > 0 || !d1.Holds(v.Last().String()) {
				l.Errorf("%s: %s left %d times", what, v.Last(), lost)
			}
		}
		noise := control.Since(since).Longest
		for i, p := range pings {
			// An answer that only took long is the delay of the asker, held up between looking at the clock and sending; a gap costs as many questions as fit into it.
			if s := p.Since(since); s.Lost >= int(gapLimit/(5*time.Millisecond)) && s.Longest > gapLimit+2*noise {
				l.Errorf("%s: %s was silent for %v, %d questions lost (the machine's own silence: %v)", what, c.conf.List[i].Last(), s.Longest, s.Lost, noise)
			}
		}
		if len(l.Failures()) > 0 {
			return
		}
		l.Logf("%s", what)
	}
	m.correct(0)
}

// TestStaleState spoils what a router left behind, one fact at a time: whoever finds it starts from nothing, and says why.
func TestStaleState(t *testing.T) {
	t.Parallel()
	spoil := func(key, value string) func(l *lab.Lab, s *lab.Site) {
		return func(l *lab.Lab, s *lab.Site) {
			path := filepath.Join(s.D[0].RunDir(), "router.json")
			text, err := os.ReadFile(path)
			if err != nil {
				l.Fatalf("%v", err)
			}
			i := strings.Index(string(text), `"`+key+`":"`)
			if i < 0 {
				l.Fatalf("no %s in %s", key, text)
			}
			i += len(key) + 4
			end := i + strings.IndexByte(string(text[i:]), '"')
			if err := os.WriteFile(path, []byte(string(text[:i])+value+string(text[end:])), 0o600); err != nil {
				l.Fatalf("%v", err)
			}
		}
	}
	for name, c := range map[string]struct {
		f    func(l *lab.Lab, s *lab.Site)
		says string
	}{
		"boot":      {spoil("BootID", "another"), "booted since"},
		"namespace": {spoil("NetNS", "another"), "another network namespace"},
		"interface": {func(l *lab.Lab, s *lab.Site) {
			s.D[0].IP("link set eth0 address 02:00:00:00:77:77")
		}, "interface is another one now"},
		"age": {func(l *lab.Lab, s *lab.Site) {
			l.Eventually("the peer takes over", func() bool { return s.D[1].HasVIP() })
		}, "last sign of life"},
	} {
		lab.Scenario(t, "stale state: "+name, func(l *lab.Lab) {
			s := pair(l, lab.Holdfast, lab.Holdfast, lab.Conf{Version: 3, Advert: "0.5"})
			steady(l, s)
			d1 := s.D[0]
			d1.Daemon.KillAll9()
			c.f(l, s)
			start := time.Now()
			d1.Start(lab.Holdfast)
			l.Eventually("it says why it does not go on", func() bool { return d1.Daemon.Said(c.says) })
			l.Eventually("it starts as BACKUP", func() bool { return d1.Daemon.Said(`"to":"BACKUP"`) })
			// Whoever starts from nothing does not hold the address while it listens.
			l.Eventually("the stale VIP goes, or d1 has won it again", func() bool { return !d1.HasVIP() || d1.Adverts(start) > 0 })
			if d1.Daemon.Said(`"reason":"adopted"`) {
				l.Errorf("it was adopted")
			}
			s.Owner(d1)
		})
	}
}

// TestSleepingMaster stops the owner for 10 s, as a paused virtual machine is: it wakes up as somebody who has to listen first.
func TestSleepingMaster(t *testing.T) {
	t.Parallel()
	for _, c := range []dialect{victims[0], victims[1]} {
		for _, peer := range []lab.Kind{lab.Holdfast, lab.Keepalived} {
			lab.Scenario(t, fmt.Sprintf("a master sleeps 10 s, %s, peer %s", c.name, peer), func(l *lab.Lab) { sleeping(l, c, peer) })
		}
	}
}

func sleeping(l *lab.Lab, c dialect, peer lab.Kind) {
	m := meet(l, c)
	d1 := m.D[0]
	d1.Start(lab.Holdfast)
	m.D[1].Start(peer)
	m.owner(0)
	m.calm(0, 2)
	family := d1.Daemon.Family()
	for _, pid := range family {
		_ = syscall.Kill(pid, syscall.SIGSTOP)
	}
	asleep := time.Now()
	l.Eventually("the peer takes over", func() bool { return len(m.adverts(1, 0, asleep, true)) > 0 })
	l.Eventually("10 s are over", func() bool { return time.Since(asleep) > 10*time.Second })
	awake := time.Now()
	for _, pid := range family {
		_ = syscall.Kill(pid, syscall.SIGCONT)
	}
	l.Eventually("it lets go", func() bool { return !d1.Holds(c.conf.List[0].Last().String()) || len(m.adverts(0, 0, awake, true)) > 0 })
	// The better router comes back in its own time, a master-down interval later, not at once.
	m.owner(0)
	first := m.adverts(0, 0, awake, true)[0].At
	if first.Sub(awake) < 2*time.Second {
		l.Errorf("it spoke %v after waking up", first.Sub(awake))
	}
	m.calm(0, 3)
	changes, last := 0, ""
	for _, a := range m.Tap.Adverts(netip.Addr{}, awake) {
		if a.Priority > 0 && a.Source.String() != last {
			changes, last = changes+1, a.Source.String()
		}
	}
	if changes > 2 {
		l.Errorf("%d changes of the owner after waking up", changes-1)
	}
	l.Note("spoke again %v after waking up", first.Sub(awake).Round(10*time.Millisecond))
}

//go:build netns

package suite

import (
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

// TestFRR lets Holdfast and FRR's vrrpd meet, each once as the better router and once as the other one. vrrpd always uses the virtual MACs, so Holdfast does too.
func TestFRR(t *testing.T) {
	t.Parallel()
	v4 := dialect{name: "v3 IPv4", conf: lab.Virtuals{Advert: "0.5", List: []lab.Virtual{web("use_vmac")}}, mac: []string{"00:00:5e:00:01:33"}}
	v6 := dialect{name: "v3 IPv6", conf: lab.Virtuals{Advert: "0.5", List: []lab.Virtual{{Name: "web6", VRID: 51, VIPs: []string{"fd77::100/64"}, More: "use_vmac"}}}, mac: []string{"00:00:5e:00:02:33"}}
	v2 := dialect{name: "v2", conf: lab.Virtuals{Version: 2, List: []lab.Virtual{web("use_vmac")}}, mac: []string{"00:00:5e:00:01:33"}}
	plain := dialect{name: "v3 IPv4 without VMAC", conf: lab.Virtuals{Advert: "0.5", List: []lab.Virtual{web("")}}}
	for _, c := range []dialect{v4, v6, v2, plain} {
		for _, better := range []lab.Kind{lab.FRR, subject()} {
			lab.Scenario(t, fmt.Sprintf("interop with FRR %s, %s is master", c.name, better), func(l *lab.Lab) { withFRR(l, c, better) })
		}
	}
}

func withFRR(l *lab.Lab, c dialect, better lab.Kind) {
	m := meet(l, c)
	v := c.conf.List[0]
	kinds := []lab.Kind{lab.FRR, subject()}
	if better != lab.FRR {
		kinds = []lab.Kind{subject(), lab.FRR}
	}
	start := func(i int) {
		if kinds[i] != lab.FRR {
			m.D[i].Start(kinds[i])
			return
		}
		interval, version := 500*time.Millisecond, 3
		if c.conf.Version == 2 {
			interval, version = time.Second, 2
		}
		m.D[i].StartFRR(lab.FRRConf{VRID: v.VRID, Priority: 150 - 50*i, Version: version, Interval: interval, VIPs: []netip.Prefix{netip.MustParsePrefix(v.VIPs[0])}})
	}
	// vrrpd keeps the address on a macvlan that is down when it is not master: only the wire tells.
	owner := func(i int) {
		since := time.Now()
		l.Eventually(m.D[i].Name+" alone advertises", func() bool {
			return len(m.adverts(i, 0, since, true)) >= 3 && len(m.adverts(1-i, 0, time.Now().Add(-1200*time.Millisecond), true)) == 0
		})
		if kinds[1-i] != lab.FRR && m.D[1-i].Daemon.Running() && m.D[1-i].Holds(v.Last().String()) {
			l.Errorf("%s still holds the VIP", m.D[1-i].Name)
		}
	}
	heard := func(i int, ping *lab.Pinger) {
		since := time.Now()
		l.Eventually("the client hears the VIP", func() bool { return ping.Answered(since) })
		want := fmt.Sprintf("00:00:5e:00:01:%02x", v.VRID)
		if v.Is6() {
			want = fmt.Sprintf("00:00:5e:00:02:%02x", v.VRID)
		}
		if kinds[i] != lab.FRR && !strings.Contains(v.More, "use_vmac") {
			want = m.D[i].MAC("eth0").String()
		}
		l.Eventually("the client's entry is "+want, func() bool { return m.Client.Neighbor(v.Last()) == want })
	}
	start(0)
	start(1)
	owner(0)
	ping := m.Client.Ping(v.Last(), 20*time.Millisecond)
	heard(0, ping)
	m.calm(0, 6)

	l.Step("%s on d1 loses its cable", kinds[0])
	dead := time.Now()
	m.D[0].Daemon.KillAll9()
	m.Front.Unplug(m.D[0].Node, "eth0")
	l.Eventually("d2 takes over", func() bool { return len(m.adverts(1, 0, dead, true)) > 0 })
	l.Note("take-over by %s %v", kinds[1], m.adverts(1, 0, dead, true)[0].At.Sub(dead).Round(10*time.Millisecond))
	owner(1)
	heard(1, ping)

	l.Step("it comes back and preempts")
	m.Front.Plug(m.D[0].Node, "eth0")
	start(0)
	owner(0)
	heard(0, ping)
	m.calm(0, 4)

	l.Step("it stops cleanly")
	stop := time.Now()
	m.D[0].Daemon.Signal(syscall.SIGTERM)
	m.D[0].Daemon.Wait()
	owner(1)
	heard(1, ping)
	l.Note("hand-over to %s %v, silence %v", kinds[1], m.adverts(1, 0, stop, true)[0].At.Sub(stop).Round(time.Millisecond), ping.Since(stop).Longest.Round(time.Millisecond))
	for i := range m.D {
		if kinds[i] != lab.FRR {
			m.correct(i)
		}
	}
}

//go:build netns

package suite

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

// subject is the daemon under test; LAB_SUBJECT=keepalived shows that the lab is right.
func subject() lab.Kind {
	if os.Getenv("LAB_SUBJECT") == "keepalived" {
		return lab.Keepalived
	}
	return lab.Holdfast
}

// dialect is one way to speak VRRP, with what the wire must show.
type dialect struct {
	name string
	conf lab.Virtuals
	// mac is the sender's address where it is virtual (VMAC); index: the instance. Empty: the director's own.
	mac []string
	ah  bool
	// back needs the second network.
	back bool
}

const (
	pass = "authentication {\n    auth_type PASS\n    auth_pass s3cret\n}"
	ah   = "authentication {\n    auth_type AH\n    auth_pass s3cret\n}"
)

// web and web6 are the usual instances; extra is added to them.
func web(extra string) lab.Virtual {
	return lab.Virtual{Name: "web", VRID: 51, VIPs: []string{"10.77.0.100/24"}, More: extra}
}

func web6(extra string) lab.Virtual {
	return lab.Virtual{Name: "web6", VRID: 51, VIPs: []string{"fe80::77:100/64", "fd77::100/64"}, More: extra}
}

func inner(extra string) lab.Virtual {
	return lab.Virtual{Name: "inner", VRID: 52, Dev: "eth1", VIPs: []string{"10.78.0.1/24"}, More: extra}
}

func unicast(v lab.Virtual) lab.Virtual {
	v.Unicast = true
	return v
}

// dialects cover every axis (version, family, transport, authentication, groups, virtual MACs) and the pairs of them that share code.
var dialects = []dialect{
	{name: "v2 PASS", conf: lab.Virtuals{Version: 2, List: []lab.Virtual{web(pass)}}},
	{name: "v2 AH", ah: true, conf: lab.Virtuals{Version: 2, List: []lab.Virtual{web(ah)}}},
	{name: "v2 unicast PASS", conf: lab.Virtuals{Version: 2, List: []lab.Virtual{unicast(web(pass))}}},
	{name: "v2 unicast AH", ah: true, conf: lab.Virtuals{Version: 2, List: []lab.Virtual{unicast(web(ah))}}},
	{name: "v2 VMAC PASS", conf: lab.Virtuals{Version: 2, List: []lab.Virtual{web("use_vmac\n" + pass)}}, mac: []string{"00:00:5e:00:01:33"}},
	{name: "v2 IPv6", conf: lab.Virtuals{Version: 2, List: []lab.Virtual{web6("version 2")}}},
	{name: "v2 group", back: true, conf: lab.Virtuals{Version: 2, Group: true, List: []lab.Virtual{web(pass), inner(pass)}}},
	{name: "v3", conf: lab.Virtuals{Advert: "0.5", List: []lab.Virtual{web("")}}},
	{name: "v3 unicast", conf: lab.Virtuals{Advert: "0.5", List: []lab.Virtual{unicast(web(""))}}},
	{name: "v3 VMAC", conf: lab.Virtuals{Advert: "0.5", List: []lab.Virtual{web("use_vmac")}}, mac: []string{"00:00:5e:00:01:33"}},
	{name: "v3 VMAC xmit_base", conf: lab.Virtuals{Advert: "0.5", List: []lab.Virtual{web("use_vmac\nvmac_xmit_base")}}},
	{name: "v3 IPv6", conf: lab.Virtuals{Advert: "0.5", List: []lab.Virtual{web6("")}}},
	{name: "v3 IPv6 unicast", conf: lab.Virtuals{Advert: "0.5", List: []lab.Virtual{unicast(web6(""))}}},
	{name: "v3 IPv6 VMAC", conf: lab.Virtuals{Advert: "0.5", List: []lab.Virtual{web6("use_vmac")}}, mac: []string{"00:00:5e:00:02:33"}},
	{name: "v3 group IPv4 IPv6 VMAC", back: true, conf: lab.Virtuals{Advert: "0.5", Group: true, List: []lab.Virtual{web("use_vmac"), web6("use_vmac"), inner("")}},
		mac: []string{"00:00:5e:00:01:33", "00:00:5e:00:02:33", ""}},
}

// meeting is two directors that speak a dialect, and what is asked of the wire about them.
type meeting struct {
	*lab.Site
	l *lab.Lab
	dialect
	// wires are the directors' frames into each instance's network.
	wires [][]*lab.Tap
}

// meet builds the site of a dialect; nothing runs yet.
func meet(l *lab.Lab, c dialect) *meeting { return gather(l, c, 150, 100) }

// gather is meet for as many directors as there are priorities.
func gather(l *lab.Lab, c dialect, priorities ...int) *meeting {
	mode := lab.None
	if c.back {
		mode = lab.NAT
	}
	m := &meeting{Site: l.Site(mode, 0), l: l, dialect: c}
	for len(m.D) < len(priorities) {
		m.AddDirector()
	}
	for i, d := range m.D {
		d.Write(c.conf.Text(m.Site, d, priorities[i]))
		var taps []*lab.Tap
		for _, v := range c.conf.List {
			if v.On() == "eth1" {
				taps = append(taps, m.Back.Tap(d.Node, "eth1"))
			} else {
				taps = append(taps, d.Wire)
			}
		}
		m.wires = append(m.wires, taps)
	}
	return m
}

// adverts are the ones of an instance that a director sent since then; alive counts those with a priority above 0 only.
func (m *meeting) adverts(director, instance int, since time.Time, alive bool) []lab.Advert {
	v := m.conf.List[instance]
	var list []lab.Advert
	for _, a := range m.wires[director][instance].Adverts(netip.Addr{}, since) {
		if a.VRID == v.VRID && a.Source.Is6() == v.Is6() && (!alive || a.Priority > 0) {
			list = append(list, a)
		}
	}
	return list
}

// owner waits until a director owns every VIP of every instance and the others hold none.
func (m *meeting) owner(director int) time.Time {
	m.l.Eventually(m.D[director].Name+" owns everything", func() bool {
		for i, v := range m.conf.List {
			if len(m.adverts(director, i, time.Now().Add(-4*time.Second), true)) == 0 {
				return false
			}
			for _, a := range v.VIPs {
				addr := netip.MustParsePrefix(a).Addr().String()
				for n, d := range m.D {
					if d.Holds(addr) != (n == director) {
						return false
					}
				}
			}
		}
		return true
	})
	return time.Now()
}

// calm watches for some adverts that one director alone speaks.
func (m *meeting) calm(director, adverts int) {
	since := time.Now()
	m.l.Eventually(fmt.Sprintf("%d calm adverts of %s", adverts, m.D[director].Name), func() bool {
		for i := range m.conf.List {
			if len(m.adverts(director, i, since, true)) < adverts {
				return false
			}
		}
		return true
	})
	for i := range m.conf.List {
		for n, d := range m.D {
			if list := m.adverts(n, i, since, false); n != director && len(list) > 0 {
				m.l.Errorf("%s sent %v while %s was master", d.Name, list[0], m.D[director].Name)
			}
		}
	}
}

// answers waits until the client hears each VIP, and that its neighbor entry is the owner's.
func (m *meeting) answers(director int, pings []*lab.Pinger) {
	since := time.Now()
	for i, p := range pings {
		v := m.conf.List[i]
		m.l.Eventually("the client hears "+v.Last().String(), func() bool { return p.Answered(since) })
		want := m.D[director].MAC(v.On()).String()
		if len(m.mac) > 0 && m.mac[i] != "" {
			want = m.mac[i]
		} else if strings.Contains(v.More, "use_vmac") {
			want = fmt.Sprintf("00:00:5e:00:01:%02x", v.VRID)
		}
		got := ""
		m.l.Eventually(fmt.Sprintf("the client's entry of %s is %s", v.Last(), want), func() bool {
			got = m.Client.Neighbor(v.Last())
			return got == want
		})
	}
}

// correct checks every advert and announcement a director ever sent.
func (m *meeting) correct(director int) {
	d := m.D[director]
	for i, v := range m.conf.List {
		mac := d.MAC(v.On()).String()
		if len(m.mac) > 0 && m.mac[i] != "" {
			mac = m.mac[i]
		}
		var vips []netip.Addr
		for _, a := range v.VIPs {
			vips = append(vips, netip.MustParsePrefix(a).Addr())
		}
		version := max(2, m.conf.Version)
		if m.conf.Version == 0 {
			version = 3
		}
		ttl := 255
		if d.Kind() == lab.Keepalived && v.Unicast && v.Is6() {
			ttl = 64 // keepalived leaves it to the kernel
		}
		for _, a := range m.adverts(director, i, time.Time{}, false) {
			switch {
			case !a.Checksum, a.TTL != ttl, a.Version != version, a.AH != m.ah:
				m.l.Errorf("%s: a wrong advert: %v, right checksum %v, AH %v", d.Name, a, a.Checksum, a.AH)
				return
			case a.MAC != mac:
				m.l.Errorf("%s: an advert from %s, not %s: %v", d.Name, a.MAC, mac, a)
				return
			case !slices.Equal(a.VIPs, vips):
				m.l.Errorf("%s: an advert with %v, not %v", d.Name, a.VIPs, vips)
				return
			case a.To.IsMulticast() == v.Unicast:
				m.l.Errorf("%s: an advert to %v", d.Name, a.To)
				return
			}
		}
	}
}

// announced checks that a director announced each VIP since then, with the right flags.
func (m *meeting) announced(director int, since time.Time) {
	for i, v := range m.conf.List {
		wire := m.wires[director][i]
		for _, prefix := range v.VIPs {
			addr := netip.MustParsePrefix(prefix).Addr()
			m.l.Eventually(fmt.Sprintf("%s announces %s", m.D[director].Name, addr), func() bool {
				return len(wire.GratuitousARPs(addr, since)) > 0 || len(wire.Announcements(addr, since)) > 0
			})
			for _, n := range wire.Announcements(addr, since) {
				if !n.Override || n.Solicited || n.Link != n.MAC || n.To != netip.MustParseAddr("ff02::1") {
					m.l.Errorf("%s: a wrong neighbor advertisement: %+v", m.D[director].Name, n)
				}
			}
		}
	}
}

// TestInterop lets Holdfast and keepalived meet in every dialect, each once as the better router and once as the other one.
func TestInterop(t *testing.T) {
	t.Parallel()
	for _, c := range dialects {
		for _, kinds := range [][]lab.Kind{{lab.Keepalived, subject()}, {subject(), lab.Keepalived}} {
			lab.Scenario(t, fmt.Sprintf("interop %s, %s is master", c.name, kinds[0]), func(l *lab.Lab) { interop(l, c, kinds) })
		}
	}
}

func interop(l *lab.Lab, c dialect, kinds []lab.Kind) {
	m := meet(l, c)
	for i, d := range m.D {
		d.Start(kinds[i])
	}
	m.owner(0)
	var pings []*lab.Pinger
	for _, v := range c.conf.List {
		if v.On() == "eth0" {
			pings = append(pings, m.Client.Ping(v.Last(), 20*time.Millisecond))
		}
	}
	m.answers(0, pings)
	m.announced(0, time.Time{})
	m.calm(0, 4)

	l.Step("%s on d1 is killed and loses its cable", kinds[0])
	dead := time.Now()
	m.D[0].Daemon.KillAll9()
	m.Front.Unplug(m.D[0].Node, "eth0")
	if c.back {
		m.Back.Unplug(m.D[0].Node, "eth1")
	}
	l.Eventually("d2 takes over", func() bool {
		for i := range c.conf.List {
			if len(m.adverts(1, i, dead, true)) == 0 || !m.D[1].Holds(c.conf.List[i].Last().String()) {
				return false
			}
		}
		return true
	})
	took := m.adverts(1, 0, dead, true)[0].At.Sub(dead)
	l.Note("take-over by %s %v", kinds[1], took.Round(10*time.Millisecond))
	m.answers(1, pings)
	m.announced(1, dead)
	m.calm(1, 3)

	l.Step("it comes back and preempts")
	back := time.Now()
	m.Front.Plug(m.D[0].Node, "eth0")
	if c.back {
		m.Back.Plug(m.D[0].Node, "eth1")
	}
	m.D[0].Start(kinds[0])
	m.owner(0)
	m.announced(0, back)
	m.answers(0, pings)
	m.calm(0, 3)

	l.Step("it stops cleanly")
	stop := time.Now()
	m.D[0].Daemon.Signal(syscall.SIGTERM)
	if status := m.D[0].Daemon.Wait(); status != 0 {
		l.Errorf("%s: exit status %d", kinds[0], status)
	}
	m.owner(1)
	m.answers(1, pings)
	m.calm(1, 2)
	for i := range c.conf.List {
		if list := m.adverts(0, i, stop, false); len(list) == 0 || list[len(list)-1].Priority != 0 {
			l.Errorf("%s: the last word of instance %d was not priority 0: %v", kinds[0], i, list)
		}
	}
	l.Note("hand-over to %s %v, silence %v", kinds[1], m.adverts(1, 0, stop, true)[0].At.Sub(stop).Round(time.Millisecond), pings[0].Since(stop).Longest.Round(time.Millisecond))
	for i := range m.D {
		m.correct(i)
		for n := range c.conf.List {
			if len(m.adverts(i, n, time.Time{}, true)) == 0 {
				l.Errorf("%s never advertised instance %d", m.D[i].Name, n)
			}
		}
	}
	l.Step("the other one stops: nothing is left")
	m.D[1].Daemon.Signal(syscall.SIGTERM)
	if status := m.D[1].Daemon.Wait(); status != 0 {
		l.Errorf("%s: exit status %d", kinds[1], status)
	}
	for _, d := range m.D {
		for _, v := range c.conf.List {
			for _, a := range v.VIPs {
				if d.Holds(netip.MustParsePrefix(a).Addr().String()) {
					l.Errorf("%s still holds %s", d.Name, a)
				}
			}
		}
	}
}

package ipvssync_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/ipvssync"
)

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

var vip = ipvssync.AddrKey(ipvssync.TCP, netip.MustParseAddrPort("192.0.2.1:80"))

func real(n, weight int, checks ...string) ipvssync.RealServer {
	return ipvssync.RealServer{ID: fmt.Sprint("s", n), Checks: checks,
		Server: ipvssync.Server{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(n)}), 80), Weight: weight}}
}

func spec(servers ...ipvssync.RealServer) ipvssync.VirtualServer {
	return ipvssync.VirtualServer{ID: "v", Keys: []ipvssync.Key{vip}, Template: ipvssync.Service{Scheduler: "rr"}, Servers: servers, Quorum: 1}
}

var up, down = ipvssync.Health{Up: true}, ipvssync.Health{}

// table is what the pool wants of its first service: "1:3 2:0" is server 1 with weight 3 and server 2 with weight 0.
func want(p *ipvssync.Pool) string {
	var parts []string
	for _, s := range p.Want()[0].Servers {
		parts = append(parts, fmt.Sprintf("%d:%d", s.Addr.Addr().As4()[3], s.Weight))
	}
	return strings.Join(parts, " ")
}

func kinds(changes []ipvssync.Change) string {
	var parts []string
	for _, c := range changes {
		parts = append(parts, strings.TrimSpace(c.Kind.String()+" "+c.Server))
	}
	return strings.Join(parts, ", ")
}

// story plays steps and compares what changed and what is wanted after each.
type story struct {
	t *testing.T
	p *ipvssync.Pool
}

func (s story) step(what string, changes []ipvssync.Change, change, table string) {
	s.t.Helper()
	if got := kinds(changes); got != change {
		s.t.Errorf("%s: changes are %q, not %q", what, got, change)
	}
	if got := want(s.p); got != table {
		s.t.Errorf("%s: the table is %q, not %q", what, got, table)
	}
}

func TestPoolOfKeepalived(t *testing.T) {
	v := spec(real(1, 1, "tcp", "http"), real(2, 2, "tcp"), real(3, 1))
	v.Servers[1].InhibitOnFailure = true
	p, changes := ipvssync.NewPool(t0, v)
	s := story{t, p}
	s.step("start: all serve before any check", changes, "", "1:1 2:2 3:1")
	s.step("one check of two fails", p.SetHealth(t0, "s1", "tcp", down), "server down s1", "2:2 3:1")
	s.step("the other fails too", p.SetHealth(t0, "s1", "http", down), "", "2:2 3:1")
	s.step("one is back", p.SetHealth(t0, "s1", "tcp", up), "", "2:2 3:1")
	s.step("both are back", p.SetHealth(t0, "s1", "http", up), "server up s1", "1:1 2:2 3:1")
	s.step("inhibit", p.SetHealth(t0, "s2", "tcp", down), "server down s2", "1:1 2:0 3:1")
	s.step("back from inhibit", p.SetHealth(t0, "s2", "tcp", up), "server up s2", "1:1 2:2 3:1")
	s.step("unknown server", p.SetHealth(t0, "s9", "tcp", down), "", "1:1 2:2 3:1")
	s.step("unknown check", p.SetHealth(t0, "s1", "old", down), "", "1:1 2:2 3:1")
	s.step("dynamic weight", p.SetHealth(t0, "s1", "http", ipvssync.Health{Up: true, HasWeight: true, Weight: 7}), "weight changed s1", "1:7 2:2 3:1")
	s.step("and a delta", p.SetHealth(t0, "s1", "tcp", ipvssync.Health{Up: true, Delta: -3}), "weight changed s1", "1:4 2:2 3:1")
	s.step("clamped below", p.SetHealth(t0, "s1", "tcp", ipvssync.Health{Up: true, Delta: -30}), "weight changed s1", "1:0 2:2 3:1")
	s.step("clamped above", p.SetHealth(t0, "s1", "tcp", ipvssync.Health{Up: true, Delta: 1 << 20}), "weight changed s1", "1:65535 2:2 3:1")
	s.step("an operator's weight", p.SetWeight(t0, "s2", 9), "weight changed s2", "1:65535 2:9 3:1")
	s.step("taken back", p.SetWeight(t0, "s2", -1), "weight changed s2", "1:65535 2:2 3:1")
}

func TestPoolAlpha(t *testing.T) {
	v := spec(real(1, 1, "a", "b"), real(2, 1, "a"))
	v.Servers[0].Alpha, v.Servers[1].Alpha = true, true
	p, changes := ipvssync.NewPool(t0, v)
	s := story{t, p}
	s.step("start", changes, "quorum lost", "")
	s.step("one check passes", p.SetHealth(t0, "s1", "a", up), "", "")
	s.step("all pass", p.SetHealth(t0, "s1", "b", up), "server up s1, quorum gained", "1:1")
}

// The start is keepalived's: the quorum has to be gained, also where a sum that low would not lose it. A restart continues what was.
func TestPoolStartsBetweenThresholds(t *testing.T) {
	v := spec(real(1, 1, "c"), real(2, 1, "c"), real(3, 2, "c"))
	v.Quorum, v.Hysteresis = 3, 1
	v.Sorry = &ipvssync.Server{Addr: netip.MustParseAddrPort("10.0.0.99:80")}
	p, changes := ipvssync.NewPool(t0, v)
	s := story{t, p}
	s.step("4 of 4 gain it", changes, "", "1:1 2:1 3:2")
	s.step("3 keep it", p.SetHealth(t0, "s1", "c", down), "server down s1", "2:1 3:2")
	v.Servers[0].Alpha = true
	p, changes = ipvssync.NewPool(t0, v)
	s = story{t, p}
	s.step("3 do not gain it", changes, "quorum lost, sorry server on", "99:1")
	s.step("the process before had it", p.RestoreQuorum(t0, true), "sorry server off", "2:1 3:2")
	s.step("and so it is lost below 2", p.SetHealth(t0, "s3", "c", down), "server down s3, quorum lost, sorry server on", "99:1")
	s.step("the process before cannot have it with 1", p.RestoreQuorum(t0, true), "quorum lost", "99:1")
	v.Hysteresis = 2 // 5 of 4: it cannot be gained, as in keepalived
	v.Servers[0].Alpha = false
	_, changes = ipvssync.NewPool(t0, v)
	if kinds(changes) != "quorum lost, sorry server on" {
		t.Errorf("out of reach: %s", kinds(changes))
	}
}

func TestPoolSorry(t *testing.T) {
	for _, inhibitSorry := range []bool{false, true} {
		v := spec(real(1, 1, "c"), real(2, 1, "c"), real(3, 1, "c"))
		v.Servers[2].InhibitOnFailure = true
		v.Quorum = 2
		v.Sorry, v.SorryInhibit = &ipvssync.Server{Addr: netip.MustParseAddrPort("10.0.0.99:0")}, inhibitSorry
		idle := ""
		if inhibitSorry {
			idle = " 99:0"
		}
		p, changes := ipvssync.NewPool(t0, v)
		s := story{t, p}
		s.step("start", changes, "", "1:1 2:1 3:1"+idle)
		s.step("one down", p.SetHealth(t0, "s1", "c", down), "server down s1", "2:1 3:1"+idle)
		s.step("quorum lost", p.SetHealth(t0, "s2", "c", down), "server down s2, quorum lost, sorry server on", "99:1 3:0")
		s.step("the last", p.SetHealth(t0, "s3", "c", down), "server down s3", "99:1 3:0")
		s.step("one back is not enough", p.SetHealth(t0, "s3", "c", up), "server up s3", "99:1 3:0")
		s.step("quorum", p.SetHealth(t0, "s1", "c", up), "server up s1, quorum gained, sorry server off", "1:1 3:1"+idle)
		if got := p.Want()[0].Servers; inhibitSorry && got[len(got)-1].Addr.Port() != 80 {
			t.Error("the sorry server did not take the service's port")
		}
	}
}

func TestPoolDrain(t *testing.T) {
	p, _ := ipvssync.NewPool(t0, spec(real(1, 1, "c"), real(2, 1, "c")))
	s := story{t, p}
	s.step("drain", p.Drain(t0, "s1", ipvssync.Drain{By: "root"}), "drain started s1", "1:0 2:1")
	s.step("connections", p.SetConnections(t0, "s1", 3), "", "1:0 2:1")
	if _, ok := p.Next(); ok {
		t.Error("a drain without a timeout has a deadline")
	}
	s.step("undrain", p.Undrain(t0, "s1"), "drain ended s1", "1:1 2:1")
	p.Drain(t0, "s1", ipvssync.Drain{})
	s.step("the last connection ends", p.SetConnections(t0, "s1", 0), "drained s1", "2:1")
	s.step("verdicts do not bring it back", p.SetHealth(t0, "s1", "c", down), "server down s1", "2:1")
	s.step("nor this", p.SetHealth(t0, "s1", "c", up), "server up s1", "2:1")
	s.step("undrain again", p.Undrain(t0, "s1"), "drain ended s1", "1:1 2:1")
	s.step("a second drain counts anew", p.Drain(t0, "s1", ipvssync.Drain{}), "drain started s1", "1:0 2:1")
	s.step("what it counts", p.SetConnections(t0, "s1", 0), "drained s1", "2:1")
	p.Undrain(t0, "s1")
	p.SetConnections(t0, "s1", 5)
	p.Drain(t0, "s1", ipvssync.Drain{Timeout: time.Minute})
	if at, ok := p.Next(); !ok || !at.Equal(t0.Add(time.Minute)) {
		t.Errorf("next step at %v, %v", at, ok)
	}
	s.step("almost", p.Step(t0.Add(time.Minute-1)), "", "1:0 2:1")
	s.step("time is up", p.Step(t0.Add(time.Minute)), "drained s1", "2:1")
	s.step("the last server drains too", p.Drain(t0, "s2", ipvssync.Drain{}), "drain started s2, quorum lost", "2:0")

	sorry := spec(real(1, 1, "c"), real(2, 1, "c"))
	sorry.Sorry = &ipvssync.Server{Addr: netip.MustParseAddrPort("10.0.0.99:80")}
	p, _ = ipvssync.NewPool(t0, sorry)
	s = story{t, p}
	p.SetHealth(t0, "s2", "c", down)
	s.step("the last one keeps its connections beside the sorry server", p.Drain(t0, "s1", ipvssync.Drain{}), "drain started s1, quorum lost, sorry server on", "99:1 1:0")
	s.step("until the last one ends", p.SetConnections(t0, "s1", 0), "drained s1", "99:1")

	v := spec(real(1, 1), real(2, 1))
	for _, c := range []struct {
		sched string
		flags ipvssync.Flags
		table string
	}{{"sh", 0, "2:1"}, {"mh", ipvssync.Sched2, "2:1"}, {"dh", ipvssync.Sched1, "2:1"}, {"sh", ipvssync.Sched1, "1:0 2:1"}, {"mh", ipvssync.Sched1, "1:0 2:1"}, {"wlc", 0, "1:0 2:1"}} {
		v.Template.Scheduler, v.Template.Flags = c.sched, c.flags
		p, _ := ipvssync.NewPool(t0, v)
		p.Drain(t0, "s1", ipvssync.Drain{})
		if got := want(p); got != c.table {
			t.Errorf("draining under %s with flags %#x: %q", c.sched, c.flags, got)
		}
	}

	p, _ = ipvssync.NewPool(t0, spec(real(1, 1, "agent"), real(2, 1)))
	s = story{t, p}
	s.step("an agent asks", p.SetHealth(t0, "s1", "agent", ipvssync.Health{Up: true, Drain: true}), "drain started s1", "1:0 2:1")
	s.step("and takes it back", p.SetHealth(t0, "s1", "agent", up), "drain ended s1", "1:1 2:1")
}

func TestPoolSlowStart(t *testing.T) {
	v := spec(real(1, 100, "c"), real(2, 3, "c"))
	v.Servers[0].SlowStart, v.Servers[1].SlowStart = 10*time.Second, 10*time.Second
	p, _ := ipvssync.NewPool(t0, v)
	if got := want(p); got != "1:100 2:3" {
		t.Errorf("at the start: %s", got)
	}
	p.SetHealth(t0, "s1", "c", down)
	p.SetHealth(t0, "s2", "c", down)
	p.SetHealth(t0, "s1", "c", up)
	p.SetHealth(t0, "s2", "c", up)
	var got []string
	for now, n := t0, 0; ; n++ {
		got = append(got, want(p))
		at, ok := p.Next()
		if !ok {
			break
		}
		if !at.After(now) || n > 50 {
			t.Fatalf("the next step at %v is not after %v", at, now)
		}
		now = at
		if len(p.Step(now)) == 0 {
			if _, more := p.Next(); more {
				t.Fatalf("nothing changed at %v", now)
			}
		}
	}
	expect := "1:10 2:1|1:20 2:1|1:30 2:1|1:40 2:2|1:50 2:2|1:60 2:2|1:70 2:3|1:80 2:3|1:90 2:3|1:100 2:3"
	if strings.Join(slices.Compact(got), "|") != expect {
		t.Errorf("weights were %s", strings.Join(got, "|"))
	}
}

func TestPoolPanic(t *testing.T) {
	v := spec(real(1, 2, "c"), real(2, 1, "c"), real(3, 1, "c"), real(4, 1, "c"))
	v.PanicThreshold = 50
	p, _ := ipvssync.NewPool(t0, v)
	s := story{t, p}
	p.SetHealth(t0, "s1", "c", down)
	s.step("half up", p.SetHealth(t0, "s2", "c", down), "server down s2", "3:1 4:1")
	s.step("too few", p.SetHealth(t0, "s3", "c", down), "server down s3, panic on", "1:2 2:1 3:1 4:1")
	s.step("none", p.SetHealth(t0, "s4", "c", down), "server down s4, quorum lost", "1:2 2:1 3:1 4:1")
	p.SetHealth(t0, "s1", "c", up)
	s.step("enough", p.SetHealth(t0, "s2", "c", up), "server up s2, panic off", "1:2 2:1")
}

func TestPoolReconfigure(t *testing.T) {
	v := spec(real(1, 1, "a"), real(2, 1, "a"), real(3, 1, "a"))
	v.Servers[2].DrainTimeout = time.Minute
	p, _ := ipvssync.NewPool(t0, v)
	s := story{t, p}
	p.SetHealth(t0, "s1", "a", down)
	s.step("nothing new", p.Reconfigure(t0, v), "", "2:1 3:1")
	v.Servers = []ipvssync.RealServer{real(1, 1, "b"), real(2, 5, "a", "b"), real(4, 1, "a")}
	s.step("another check keeps a failed server out", p.Reconfigure(t0, v), "server added s4, drain started s3, weight changed s2", "2:5 4:1 3:0")
	p.SetConnections(t0, "s3", 4)
	s.step("the new check passes", p.SetHealth(t0, "s1", "b", up), "server up s1", "1:1 2:5 4:1 3:0")
	back := v
	back.Servers = append(slices.Clone(v.Servers), real(3, 1, "a"))
	s.step("it comes back before it is gone", p.Reconfigure(t0, back), "drain ended s3", "1:1 2:5 4:1 3:1")
	back.Servers[3].DrainTimeout = time.Minute
	p.Reconfigure(t0, back)
	p.Drain(t0, "s3", ipvssync.Drain{})
	p.SetConnections(t0, "s3", 0)
	p.Undrain(t0, "s3")
	s.step("gone again, with connections since it was drained", p.Reconfigure(t0, v), "drain started s3", "1:1 2:5 4:1 3:0")
	s.step("time is up", p.Step(t0.Add(time.Minute)), "drained s3, server removed s3", "1:1 2:5 4:1")
	v.Servers = v.Servers[:1]
	s.step("without drain_timeout", p.Reconfigure(t0, v), "server removed s2, server removed s4", "1:1")
	p.Suspend(true)
	if len(p.Want()) != 0 {
		t.Error("suspended and wants")
	}
}

func TestPoolServices(t *testing.T) {
	v := spec(real(1, 1), real(2, 1))
	v.Keys = append(v.Keys, ipvssync.AddrKey(ipvssync.UDP, netip.MustParseAddrPort("192.0.2.1:8080")), ipvssync.MarkKey(ipvssync.IPv4, 5))
	v.Servers[0].Addr = netip.MustParseAddrPort("10.0.0.1:0")
	v.Servers[1].Forward = ipvssync.DR
	p, _ := ipvssync.NewPool(t0, v)
	for i, ports := range [][2]uint16{{80, 80}, {8080, 8080}, {0, 0}} {
		s := p.Want()[i]
		if s.Key != v.Keys[i] || s.Servers[0].Addr.Port() != ports[0] || s.Servers[1].Addr.Port() != ports[1] {
			t.Errorf("service %d: %+v", i, s)
		}
	}
	p.Drain(t0, "s1", ipvssync.Drain{})
	state := func(a string, n uint32) ipvssync.ServerState {
		return ipvssync.ServerState{Server: ipvssync.Server{Addr: netip.MustParseAddrPort(a)}, Active: n, Inactive: 1}
	}
	p.Observe(t0, map[ipvssync.Key][]ipvssync.ServerState{v.Keys[0]: {state("10.0.0.1:80", 2), state("10.0.0.2:80", 9)}, v.Keys[1]: {state("10.0.0.1:8080", 1)}})
	if got := p.Status().Servers[0]; got.Connections != 5 || !got.Draining || got.Drained {
		t.Errorf("%+v", got)
	}
	v.Servers[1].Addr, v.Servers[1].Forward = v.Servers[0].Addr, ipvssync.NAT // the same server twice
	p.Reconfigure(t0, v)
	if got := p.Want()[0].Servers; len(got) != 1 {
		t.Errorf("a server twice: %v", got)
	}
}

// TestPoolExhaustive walks through every state that two checked servers, quorum, hysteresis, sorry server and inhibit allow, and
// compares with a second statement of the rules.
func TestPoolExhaustive(t *testing.T) {
	states := 0
	for bits := range 1 << 6 {
		for quorum := 1; quorum <= 6; quorum++ {
			for hysteresis := range quorum {
				v := spec(real(1, 1+bits&1*2, "c"), real(2, 2, "c"))
				v.Quorum, v.Hysteresis = quorum, hysteresis
				v.Servers[0].InhibitOnFailure, v.Servers[1].InhibitOnFailure = bits&2 != 0, bits&4 != 0
				if bits&8 != 0 {
					v.Sorry = &ipvssync.Server{Addr: netip.MustParseAddrPort("10.0.0.99:80"), Weight: 1}
				}
				v.SorryInhibit = bits&16 != 0
				v.Servers[0].Alpha = bits&32 != 0
				p, _ := ipvssync.NewPool(t0, v)
				alive := [2]bool{!v.Servers[0].Alpha, true}
				q := min(quorum, v.Servers[0].Weight+v.Servers[1].Weight)
				h := min(hysteresis, q-1)
				held := v.Servers[1].Weight >= q+h || alive[0] && v.Servers[0].Weight+v.Servers[1].Weight >= q+h
				for n := range 24 { // every flip from every state, several times over
					if n > 0 {
						i := []int{0, 1, 0, 0, 1, 1, 0, 1, 1, 0}[n%10]
						alive[i] = !alive[i]
						p.SetHealth(t0, v.Servers[i].ID, "c", ipvssync.Health{Up: alive[i]})
					}
					states++
					sum := 0
					for i, a := range alive {
						if a {
							sum += v.Servers[i].Weight
						}
					}
					switch {
					case held && (sum == 0 || sum < q-h):
						held = false
					case !held && sum >= q+h:
						held = true
					}
					var expect []string
					sorry := !held && v.Sorry != nil
					if sorry {
						expect = append(expect, "99:1")
					}
					for i, a := range alive {
						switch {
						case a && !sorry:
							expect = append(expect, fmt.Sprintf("%d:%d", i+1, v.Servers[i].Weight))
						case v.Servers[i].InhibitOnFailure:
							expect = append(expect, fmt.Sprintf("%d:0", i+1))
						}
					}
					if !sorry && v.Sorry != nil && v.SorryInhibit {
						expect = append(expect, "99:0")
					}
					if got := want(p); got != strings.Join(expect, " ") || p.Status().Quorum != held {
						t.Fatalf("bits %b quorum %d hysteresis %d step %d alive %v: %q and quorum %v, not %q and %v", bits, quorum, hysteresis, n, alive,
							got, p.Status().Quorum, strings.Join(expect, " "), held)
					}
				}
			}
		}
	}
	t.Logf("%d states", states)
}

// FuzzPool plays any sequence of calls: the wanted table is always one the kernel takes, changes tell of every difference of the
// table, and time always moves on.
func FuzzPool(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})
	f.Add([]byte("drain and drain again"))
	f.Fuzz(func(t *testing.T, b []byte) {
		v := spec(real(1, 1, "c"), real(2, 2, "c"), real(3, 3))
		v.Quorum, v.PanicThreshold = 2, 40
		for i := range v.Servers {
			v.Servers[i].SlowStart, v.Servers[i].DrainTimeout = time.Duration(i)*time.Second, time.Minute
		}
		if len(b) > 0 && b[0]&1 != 0 {
			v.Sorry = &ipvssync.Server{Addr: netip.MustParseAddrPort("10.0.0.2:80")}
		}
		now := t0
		p, _ := ipvssync.NewPool(now, v)
		before := want(p)
		for _, c := range b {
			id := fmt.Sprint("s", 1+c>>4%3)
			now = now.Add(time.Duration(c) * 20 * time.Millisecond)
			changes := p.Step(now)
			switch c & 7 {
			case 0:
				changes = append(changes, p.SetHealth(now, id, "c", ipvssync.Health{Up: c&8 != 0})...)
			case 1:
				changes = append(changes, p.SetHealth(now, id, "c", ipvssync.Health{Up: true, Delta: int(c) - 100, Drain: c&8 != 0})...)
			case 2:
				changes = append(changes, p.Drain(now, id, ipvssync.Drain{Timeout: time.Duration(c) * time.Second})...)
			case 3:
				changes = append(changes, p.Undrain(now, id)...)
			case 4:
				changes = append(changes, p.SetConnections(now, id, int(c>>3&3))...)
			case 5:
				w := v
				w.Servers = slices.Delete(slices.Clone(v.Servers), int(c>>4%3), int(c>>4%3)+1)
				changes = append(changes, p.Reconfigure(now, w)...)
			case 6:
				changes = append(changes, p.Reconfigure(now, v)...)
			case 7:
				changes = append(changes, p.SetWeight(now, id, int(c)-64)...)
			}
			after := want(p)
			if after != before && len(changes) == 0 {
				t.Fatalf("the table went from %q to %q and nothing was told", before, after)
			}
			before = after
			for _, op := range ipvssync.Diff(p.Want(), nil) {
				if err := op.Validate(); err != nil {
					t.Fatal(err)
				}
			}
			if at, ok := p.Next(); ok && !at.After(now) {
				t.Fatalf("the next step is due at %v, now is %v", at, now)
			}
		}
	})
}

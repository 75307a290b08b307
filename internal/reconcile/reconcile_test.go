package reconcile

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/ipvssync"
	"github.com/holdfast-ha/holdfast/ipvssync/ipvstest"
)

// rig is a reconciler on IPVS in memory, under synctest.
type rig struct {
	t    *testing.T
	k    *ipvstest.Kernel
	r    *Reconciler
	ctx  context.Context
	mu   sync.Mutex
	seen []event.Event
}

func in(t *testing.T, k *ipvstest.Kernel, dir string, f func(*testing.T, *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		g := &rig{t: t, k: k, ctx: ctx}
		bus := &event.Bus{}
		bus.Add(func(e event.Event) { g.mu.Lock(); defer g.mu.Unlock(); g.seen = append(g.seen, e) })
		g.r = New(k, Options{Bus: bus, Dir: dir, Slice: 4, Writers: func() []string { return []string{"kube-proxy[7]"} }})
		done := make(chan struct{})
		go func() { defer close(done); _ = g.r.Run(ctx) }()
		defer func() { cancel(); <-done }()
		f(t, g)
	})
}

func (g *rig) count(id string) (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range g.seen {
		if e.ID == id {
			n++
		}
	}
	return n
}

func (g *rig) set(d Desired) Result {
	g.t.Helper()
	res, err := g.r.Set(g.ctx, d)
	if err != nil {
		g.t.Fatal(err)
	}
	return res
}

// pass lets a few read-backs happen.
func (g *rig) pass() { time.Sleep(20 * time.Second); synctest.Wait() }

func (g *rig) is(want ...ipvssync.Service) {
	g.t.Helper()
	if ops := ipvssync.Diff(want, g.k.Table()); len(ops) > 0 {
		g.t.Fatalf("the table still needs %v; it is\n%s", ops, g.k)
	}
}

// quiet runs f and fails if it makes anything be written.
func (g *rig) quiet(what string, f func()) {
	g.t.Helper()
	before := g.k.Writes()
	f()
	synctest.Wait()
	if n := g.k.Writes() - before; n != 0 {
		g.t.Fatalf("%s wrote %d times: %v", what, n, g.k.Log())
	}
}

func (g *rig) by(kind ipvssync.OpKind, s ipvssync.Service, d ipvssync.Server) {
	g.t.Helper()
	if err := g.k.Do(ipvssync.Op{Kind: kind, Service: s, Server: d}); err != nil {
		g.t.Fatal(err)
	}
}

func key(n int) ipvssync.Key {
	return ipvssync.AddrKey(ipvssync.TCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}), 80))
}

func srv(n, weight int) ipvssync.Server {
	return ipvssync.Server{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(n)}), 80), Weight: weight}
}

func svc(n int, servers ...ipvssync.Server) ipvssync.Service {
	return ipvssync.Service{Key: key(n), Scheduler: "rr", Servers: servers}
}

func pools(list ...ipvssync.Service) Desired {
	d := Desired{Pools: map[string][]ipvssync.Service{}}
	for i, s := range list {
		d.Pools[fmt.Sprintf("p%02d", i)] = []ipvssync.Service{s}
	}
	return d
}

func TestFillVerdictReloadStop(t *testing.T) {
	dir := t.TempDir()
	in(t, ipvstest.New(), dir, func(t *testing.T, g *rig) {
		a, b := svc(1, srv(1, 1), srv(2, 2)), svc(2, srv(1, 1))
		if res := g.set(pools(a, b)); res.Writes != 5 || len(res.Problems) != 0 {
			t.Fatalf("filling: %+v", res)
		}
		g.is(a, b)
		g.quiet("a reload without changes", func() { g.set(pools(a, b)) })
		g.quiet("read-backs", g.pass)

		a1 := svc(1, srv(2, 2))
		g.r.Update("p00", []ipvssync.Service{a1})
		if err := g.r.Flush(g.ctx); err != nil {
			t.Fatal(err)
		}
		g.is(a1, b)
		g.r.Update("nobody", []ipvssync.Service{svc(9)})
		g.r.Update("p01", []ipvssync.Service{a}) // the key of another pool
		_ = g.r.Flush(g.ctx)
		g.is(a1)
		g.r.Update("p01", []ipvssync.Service{b})
		_ = g.r.Flush(g.ctx)
		g.is(a1, b)

		c := svc(3, srv(3, 1))
		d := pools(a, c)
		d.Keep = true
		g.set(d)
		g.is(a, b, c)
		g.pass()
		g.is(a, b, c)
		d.Keep = false
		g.set(d)
		g.is(a, c)

		if err := g.r.Stop(g.ctx, false); err != nil {
			t.Fatal(err)
		}
		g.is()
		g.quiet("the time after the stop", g.pass)
		if _, err := os.Stat(filepath.Join(dir, "ipvs.json")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the record after the stop: %v", err)
		}
	})
}

func TestAdoption(t *testing.T) {
	dir := t.TempDir()
	k := ipvstest.New()
	a, b, foreign := svc(1, srv(1, 1), srv(2, 1)), svc(2, srv(1, 1)), svc(99, srv(9, 1))
	in(t, k, dir, func(t *testing.T, g *rig) {
		g.set(pools(a, b))
		g.by(ipvssync.AddService, foreign, ipvssync.Server{})
		if err := g.r.Stop(g.ctx, true); err != nil {
			t.Fatal(err)
		}
		g.quiet("a stop that keeps", g.pass)
	})
	in(t, k, dir, func(t *testing.T, g *rig) { // the next process: b is gone from the file, a has another server and weight
		a2 := svc(1, srv(1, 5), srv(3, 1))
		k.Log()
		g.set(pools(a2))
		g.is(a2, svc(99))
		for _, op := range k.Log() {
			if op.Kind == ipvssync.AddService || op.Kind == ipvssync.DeleteService && op.Service.Key != b.Key {
				t.Errorf("not in place: %s", op)
			}
		}
		if g.count("ipvs.adopted") != 1 {
			t.Error("adoption was not told")
		}
	})
	in(t, k, "", func(t *testing.T, g *rig) { // without a record leftovers are foreign, but what is wanted is adopted
		g.set(pools(svc(2)))
		g.is(svc(1, srv(1, 5), srv(3, 1)), svc(2), svc(99))
		d := pools(svc(2))
		d.Flush = true
		g.set(d) // flush counts at the start only
		g.is(svc(1, srv(1, 5), srv(3, 1)), svc(2), svc(99))
	})
	in(t, k, "", func(t *testing.T, g *rig) {
		d := pools(svc(2))
		d.Flush = true
		g.set(d)
		g.is(svc(2))
	})
}

func TestRecordOfAnotherBoot(t *testing.T) {
	dir := t.TempDir()
	k := ipvstest.New()
	in(t, k, dir, func(t *testing.T, g *rig) { g.set(pools(svc(1))); _ = g.r.Stop(g.ctx, true) })
	if r := loadRecord(dir, "another boot"); len(r.owned) != 0 {
		t.Error("a record of another boot is believed")
	}
	if r := loadRecord(dir, ""); !r.owned[key(1)] {
		t.Error("the record was lost")
	}
	if err := os.WriteFile(filepath.Join(dir, "ipvs.json"), []byte(`{"version":1,"services":[{"family":9}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := loadRecord(dir, ""); len(r.owned) != 0 {
		t.Error("half a record is believed")
	}
}

func TestDrift(t *testing.T) {
	in(t, ipvstest.New(), t.TempDir(), func(t *testing.T, g *rig) {
		var want []ipvssync.Service
		for i := range 11 { // more than two slices
			want = append(want, svc(i, srv(1, 1), srv(2, 1)))
		}
		g.set(pools(want...))
		for name, drift := range map[string]func(){
			"wiped":           g.k.Clear,
			"service deleted": func() { g.by(ipvssync.DeleteService, svc(3), ipvssync.Server{}) },
			"server deleted":  func() { g.by(ipvssync.DeleteServer, svc(10), srv(1, 1)) },
			"server added":    func() { g.by(ipvssync.AddServer, svc(7), srv(77, 1)) },
			"scheduler":       func() { s := svc(5); s.Scheduler = "sh"; g.by(ipvssync.UpdateService, s, ipvssync.Server{}) },
			"method":          func() { s := srv(1, 1); s.Forward = ipvssync.DR; g.by(ipvssync.UpdateServer, svc(0), s) },
		} {
			n := g.count("ipvs.repaired")
			drift()
			g.pass()
			g.is(want...)
			if g.count("ipvs.repaired") == n {
				t.Errorf("%s: not told", name)
			}
			time.Sleep(2 * time.Minute)
		}
		g.by(ipvssync.AddService, svc(99), ipvssync.Server{})
		g.quiet("a foreign service", g.pass)
	})
}

func TestListingsThatLie(t *testing.T) {
	in(t, ipvstest.New(), t.TempDir(), func(t *testing.T, g *rig) {
		var want []ipvssync.Service
		for i := range 10 {
			want = append(want, svc(i, srv(1, 1)))
		}
		g.set(pools(want...))
		r := rand.New(rand.NewPCG(1, 2))
		g.k.ListWith(func(list []ipvssync.Service) []ipvssync.Service {
			var lie []ipvssync.Service
			for _, s := range list {
				for range r.IntN(3) { // missing, once, twice
					lie = append(lie, s)
				}
			}
			return lie
		})
		g.quiet("lying lists", func() { time.Sleep(5 * time.Minute) })
		g.set(pools(append(slices.Clone(want), svc(20))...))
		g.is(append(slices.Clone(want), svc(20))...)
	})
}

func TestWeightSetByHand(t *testing.T) {
	in(t, ipvstest.New(), t.TempDir(), func(t *testing.T, g *rig) {
		want := svc(1, srv(1, 1), srv(2, 1))
		g.set(pools(want))
		hand := func() {
			g.t.Helper()
			n := g.count("ipvs.override")
			g.by(ipvssync.UpdateServer, want, srv(1, 50))
			g.quiet("keeping the weight", g.pass)
			g.is(svc(1, srv(1, 50), srv(2, 1)))
			if g.count("ipvs.override") != n+1 {
				g.t.Fatalf("%d events for one change", g.count("ipvs.override")-n)
			}
			if len(g.r.Status().Overrides) != 1 {
				g.t.Fatal("status does not show it")
			}
		}
		hand()
		g.r.Update("p00", []ipvssync.Service{svc(1, srv(1, 1), srv(2, 7))}) // a verdict about the other server
		_ = g.r.Flush(g.ctx)
		g.is(svc(1, srv(1, 50), srv(2, 7)))
		g.r.Update("p00", []ipvssync.Service{svc(1, srv(1, 2), srv(2, 1))})
		_ = g.r.Flush(g.ctx)
		g.is(svc(1, srv(1, 2), srv(2, 1)))
		g.r.Update("p00", []ipvssync.Service{want})
		_ = g.r.Flush(g.ctx)

		hand()
		g.set(pools(want))
		g.is(want)
		hand()
		if res, err := g.r.Reconcile(g.ctx); err != nil || res.Writes != 1 {
			t.Fatalf("%+v, %v", res, err)
		}
		g.is(want)
		hand()
		g.by(ipvssync.UpdateServer, want, srv(1, 1)) // taken back by the same hand
		g.quiet("the weight taken back", g.pass)
		if len(g.r.Status().Overrides) != 0 {
			t.Error("an override remains")
		}
	})
}

func TestContended(t *testing.T) {
	in(t, ipvstest.New(), t.TempDir(), func(t *testing.T, g *rig) {
		a, b := svc(1, srv(1, 1)), svc(2, srv(1, 1))
		g.set(pools(a, b))
		n := 0
		for range 200 { // somebody deletes a's server every second
			if g.k.Do(ipvssync.Op{Kind: ipvssync.DeleteServer, Service: a, Server: srv(1, 1)}) == nil {
				n++
			}
			time.Sleep(time.Second)
		}
		if n > 6 {
			t.Errorf("repaired %d times in 200 s", n)
		}
		if g.count("ipvs.contended") == 0 {
			t.Fatal("not told")
		}
		for _, e := range g.seen {
			if e.ID == "ipvs.contended" && (e.Field("writers") != "kube-proxy[7]" || e.Field("service") != "TCP 192.0.2.1:80") {
				t.Errorf("told %v", e)
			}
		}
		g.by(ipvssync.DeleteServer, b, srv(1, 1)) // the other one is repaired all the same
		g.pass()
		if ops := ipvssync.Diff([]ipvssync.Service{b}, slices.DeleteFunc(g.k.Table(), func(s ipvssync.Service) bool { return s.Key == a.Key })); len(ops) != 0 {
			t.Errorf("b needs %v", ops)
		}
		time.Sleep(15 * time.Minute)
		g.is(a, b)
	})
}

func TestNoModule(t *testing.T) {
	k := ipvstest.New()
	k.SetMissing(true)
	in(t, k, t.TempDir(), func(t *testing.T, g *rig) {
		a := svc(1, srv(1, 1))
		if res := g.set(pools(a)); len(res.Problems) != 1 || !strings.Contains(res.Problems[0], "modprobe ip_vs") {
			t.Fatalf("%+v", res)
		}
		if st := g.r.Status(); st.Ready || st.Error == "" {
			t.Errorf("%+v", st)
		}
		g.r.Update("p00", []ipvssync.Service{svc(1, srv(1, 3))})
		g.pass()
		k.SetMissing(false)
		g.pass()
		g.is(svc(1, srv(1, 3)))
		k.SetMissing(true)
		g.pass()
		k.SetMissing(false)
		g.pass()
		g.is(svc(1, srv(1, 3)))
		if g.count("ipvs.missing") != 2 || g.count("ipvs.back") != 2 || g.count("ipvs.contended") != 0 {
			t.Errorf("told %d missing, %d back", g.count("ipvs.missing"), g.count("ipvs.back"))
		}
		if st := g.r.Status(); !st.Ready {
			t.Errorf("%+v", st)
		}
		k.SetMissing(true)
		if err := g.r.Stop(g.ctx, false); err != nil {
			t.Errorf("stop without the module: %v", err)
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		for _, e := range g.seen {
			if e.ID == "ipvs.stopped" && e.Field("services") != "0" {
				t.Errorf("nothing was there to release, told: %v", e.Values)
			}
		}
	})
}

func TestNothingToBalanceMissesNoModule(t *testing.T) {
	k := ipvstest.New()
	k.SetMissing(true)
	in(t, k, t.TempDir(), func(t *testing.T, g *rig) {
		if res := g.set(Desired{}); len(res.Problems) != 0 {
			t.Errorf("%+v", res)
		}
	})
}

func TestRefusedAndHealed(t *testing.T) {
	k := ipvstest.New()
	in(t, k, t.TempDir(), func(t *testing.T, g *rig) {
		var refuse atomic.Bool
		refuse.Store(true)
		k.FailWith(func(op ipvssync.Op) error {
			if refuse.Load() && op.Service.Scheduler == "mh" {
				return fmt.Errorf("%s: no scheduler mh: %w", op, ipvssync.ErrRefused)
			}
			return nil
		})
		bad := svc(1, srv(1, 1))
		bad.Scheduler = "mh"
		if res := g.set(pools(bad, svc(2, srv(1, 1)))); len(res.Problems) != 1 {
			t.Fatalf("%+v", res)
		}
		g.is(svc(2, srv(1, 1)))
		g.pass()
		if n := g.count("ipvs.failed"); n != 1 {
			t.Errorf("told %d times", n)
		}
		if len(g.r.Status().Problems) != 1 {
			t.Errorf("status: %+v", g.r.Status())
		}
		refuse.Store(false)
		g.pass()
		g.is(bad, svc(2, srv(1, 1)))
		if len(g.r.Status().Problems) != 0 || g.count("ipvs.contended") != 0 || g.count("ipvs.repaired") != 0 {
			t.Errorf("status: %+v", g.r.Status())
		}
	})
}

func TestFullNATSysctls(t *testing.T) {
	dir := t.TempDir()
	k := ipvstest.New()
	full := svc(1, ipvssync.Server{Addr: srv(1, 1).Addr, Weight: 1, Forward: ipvssync.FULLNAT})
	full.FullNAT = true
	sysctl := func(name, want string) {
		t.Helper()
		if v, _ := k.Sysctl(name); v != want {
			t.Errorf("%s is %s, not %s", name, v, want)
		}
	}
	in(t, k, dir, func(t *testing.T, g *rig) {
		g.set(pools(full))
		if len(k.FullNATTable()) != 1 {
			t.Fatal("no rule")
		}
		sysctl("net.ipv4.vs.conntrack", "1")
		sysctl("net.ipv4.ip_forward", "1")
		sysctl("net.ipv6.conf.all.forwarding", "0")
		g.quiet("read-backs", g.pass)
		k.FlushRuleset()
		time.Sleep(time.Second)
		synctest.Wait()
		if len(k.FullNATTable()) != 1 {
			t.Error("not restored within a second")
		}
		down := full
		down.Servers = nil // every server is down: the rule stays
		g.r.Update("p00", []ipvssync.Service{down})
		g.pass()
		if len(k.FullNATTable()) != 1 {
			t.Error("the rule went with the servers")
		}
	})
	in(t, k, dir, func(t *testing.T, g *rig) { // after a crash
		_ = k.SetSysctl("net.ipv4.ip_forward", "1")
		g.set(pools(svc(1, srv(1, 1))))
		if len(k.FullNATTable()) != 0 {
			t.Error("the rule stayed")
		}
		sysctl("net.ipv4.vs.conntrack", "0")
		sysctl("net.ipv4.ip_forward", "0")
		d := pools(full)
		d.Sysctls = map[string]string{"net.ipv4.vs.expire_nodest_conn": "1"}
		g.set(d)
		sysctl("net.ipv4.vs.expire_nodest_conn", "1")
		_ = k.SetSysctl("net.ipv4.ip_forward", "2") // somebody's, and set back to ours by the next read-back
		g.pass()
		sysctl("net.ipv4.ip_forward", "1")
		_ = k.SetSysctl("net.ipv4.ip_forward", "3")
		if err := g.r.Stop(g.ctx, false); err != nil {
			t.Fatal(err)
		}
		sysctl("net.ipv4.ip_forward", "3") // not ours any more
		sysctl("net.ipv4.vs.conntrack", "0")
		sysctl("net.ipv4.vs.expire_nodest_conn", "0")
		if len(k.FullNATTable()) != 0 {
			t.Error("the rule stayed")
		}
	})
}

func TestDaemonsAndTimeouts(t *testing.T) {
	dir := t.TempDir()
	k := ipvstest.New()
	master := ipvssync.SyncDaemon{Role: ipvssync.SyncMaster, Interface: "eth0", ID: 5}
	backup := master
	backup.Role = ipvssync.SyncBackup
	other := ipvssync.SyncDaemon{Role: ipvssync.SyncBackup, Interface: "eth9", ID: 9}
	running := func(want ...ipvssync.SyncDaemon) {
		t.Helper()
		got, _ := k.SyncDaemons(context.Background())
		if !slices.EqualFunc(got, want, func(a, b ipvssync.SyncDaemon) bool { return b.Same(a) }) {
			t.Errorf("running %+v, not %+v", got, want)
		}
	}
	in(t, k, dir, func(t *testing.T, g *rig) {
		d := pools(svc(1))
		d.Daemons = []ipvssync.SyncDaemon{backup}
		d.Timeouts = ipvssync.Timeouts{TCP: 10 * time.Second}
		g.set(d)
		running(backup)
		if now, _ := k.Timeouts(g.ctx); now.TCP != 10*time.Second || now.UDP != 300*time.Second {
			t.Errorf("timeouts %v", now)
		}
		g.r.SetDaemons([]ipvssync.SyncDaemon{backup}) // overtaken by the next
		g.r.SetDaemons([]ipvssync.SyncDaemon{master})
		synctest.Wait()
		if n := g.count("ipvs.sync"); n != 3 {
			t.Errorf("%d events of daemons, not start, stop, start", n)
		}
		running(master)
		g.quiet("read-backs", g.pass)
		_ = k.StopSync(g.ctx, master)
		g.pass()
		running(master)
		if got := g.r.Status().Daemons; len(got) != 1 || !master.Same(got[0]) {
			t.Errorf("status shows %v", got)
		}
	})
	in(t, k, dir, func(t *testing.T, g *rig) { // after a crash as master the instance is backup
		d := pools(svc(1))
		d.Daemons = []ipvssync.SyncDaemon{backup}
		g.set(d)
		running(backup)
		if now, _ := k.Timeouts(g.ctx); now.TCP != 900*time.Second {
			t.Errorf("timeouts %v", now)
		}
		if err := g.r.Stop(g.ctx, false); err != nil {
			t.Fatal(err)
		}
		running()
	})
	_ = k.StartSync(context.Background(), other)
	in(t, k, "", func(t *testing.T, g *rig) { // somebody else's stays, and is a problem
		d := pools(svc(1))
		d.Daemons = []ipvssync.SyncDaemon{backup}
		if res := g.set(d); len(res.Problems) == 0 {
			t.Error("no problem")
		}
		running(other)
		if got := g.r.Status().Daemons; len(got) != 1 || !other.Same(got[0]) {
			t.Errorf("status shows %v", got)
		}
		_ = g.r.Stop(g.ctx, false)
		running(other)
	})
}

// TestAnyDrift plays operators, verdicts and other writers at random; when they stop, the table is as wanted.
func TestAnyDrift(t *testing.T) {
	for seed := range uint64(30) {
		in(t, ipvstest.New(), t.TempDir(), func(t *testing.T, g *rig) {
			r := rand.New(rand.NewPCG(seed, 3))
			random := func(i int) ipvssync.Service {
				s := svc(i)
				s.Scheduler = []string{"rr", "wlc"}[r.IntN(2)]
				for j := range 3 {
					if r.IntN(4) > 0 {
						s.Servers = append(s.Servers, srv(j, r.IntN(3)))
					}
				}
				return s
			}
			want := map[int]ipvssync.Service{}
			for i := range 6 {
				want[i] = random(i)
			}
			list := func() (l []ipvssync.Service) {
				for i := range 6 {
					l = append(l, want[i])
				}
				return l
			}
			g.set(pools(list()...))
			for range 60 {
				i := r.IntN(6)
				switch r.IntN(5) {
				case 0:
					want[i] = random(i)
					g.r.Update(fmt.Sprintf("p%02d", i), []ipvssync.Service{want[i]})
				case 1:
					g.set(pools(list()...))
				case 2:
					_ = g.k.Do(ipvssync.Op{Kind: ipvssync.DeleteService, Service: svc(i)})
				case 3:
					_ = g.k.Do(ipvssync.Op{Kind: []ipvssync.OpKind{ipvssync.AddServer, ipvssync.UpdateServer, ipvssync.DeleteServer}[r.IntN(3)], Service: svc(i), Server: srv(r.IntN(4), r.IntN(9))})
				case 4:
					time.Sleep(time.Duration(r.IntN(20)) * time.Second)
				}
			}
			time.Sleep(40 * time.Minute)
			if _, err := g.r.Reconcile(g.ctx); err != nil {
				t.Fatal(err)
			}
			g.is(list()...)
			g.quiet("the end", g.pass)
		})
	}
}

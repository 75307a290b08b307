package reconcile

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/holdfast-ha/holdfast/ipvssync"
	"github.com/holdfast-ha/holdfast/ipvssync/ipvstest"
)

func privateService(mark uint32, server string, f ipvssync.Forward) ipvssync.Service {
	a := netip.MustParseAddrPort(server)
	return ipvssync.Service{Key: ipvssync.MarkKey(ipvssync.FamilyOf(a.Addr()), mark), Scheduler: "rr", Servers: []ipvssync.Server{{Addr: a, Weight: 1, Forward: f}}}
}

const (
	acceptLocal = "net.ipv4.conf.eth0.accept_local"
	rpFilter    = "net.ipv4.conf.eth0.rp_filter"
	rpFilterAll = "net.ipv4.conf.all.rp_filter"
)

func receiving(k *ipvstest.Kernel, own, all string) {
	for name, v := range map[string]string{acceptLocal: "0", rpFilter: own, rpFilterAll: all} {
		k.Provide(name, v)
	}
}

func held(t *testing.T, k *ipvstest.Kernel) map[ipvssync.Key]bool {
	t.Helper()
	list, err := k.Services(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	got := map[ipvssync.Key]bool{}
	for _, s := range list {
		got[s.Key] = true
	}
	return got
}

// run starts an owner of the kernel.
func run(t *testing.T, k *ipvstest.Kernel, dir string) *Reconciler {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := New(k, Options{Dir: dir})
	done := make(chan struct{})
	go func() { defer close(done); _ = r.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return r
}

func TestPrivateServices(t *testing.T) {
	ctx, dir, k := context.Background(), t.TempDir(), ipvstest.New()
	receiving(k, "1", "0")
	a, b := privateService(1001, "192.0.2.21:80", ipvssync.DR), privateService(1002, "192.0.2.22:80", ipvssync.NAT)
	public := ipvssync.Service{Key: ipvssync.AddrKey(ipvssync.TCP, netip.MustParseAddrPort("192.0.2.1:80")), Scheduler: "rr", Servers: a.Servers}
	want := Desired{Pools: map[string][]ipvssync.Service{"p": {public}}, Private: []ipvssync.Service{a, b}}
	r := run(t, k, dir)
	if res, err := r.Set(ctx, want); err != nil || len(res.Problems) > 0 {
		t.Fatalf("%+v, %v", res, err)
	}
	if got := held(t, k); len(got) != 3 || !got[a.Key] || !got[b.Key] {
		t.Fatalf("the kernel holds %v", got)
	}
	if st := r.Status(); st.Services != 1 || st.Servers != 1 || st.Foreign != 0 {
		t.Errorf("private services show in the status: %+v", st)
	}
	if stats, err := r.Stats(ctx); err != nil || len(stats) != 1 {
		t.Errorf("private services show in the counters: %v, %v", stats, err)
	}
	if v, _ := k.Sysctl(acceptLocal); v != "1" {
		t.Errorf("accept_local is %s", v)
	}
	if v, _ := k.Sysctl(rpFilter); v != "2" {
		t.Errorf("rp_filter is %s", v)
	}

	// Wiped between two read-backs: the next attempt finds its service again.
	k.Clear()
	if err := r.Hold(ctx, a.Key); err != nil || !held(t, k)[a.Key] {
		t.Errorf("a wiped service is not held: %v", err)
	}
	if _, err := r.Reconcile(ctx); err != nil {
		t.Fatal(err)
	}
	// A weight set by hand is nobody's wish here.
	changed := a.Servers[0]
	changed.Weight = 0
	if err := k.Do(ipvssync.Op{Kind: ipvssync.UpdateServer, Service: a, Server: changed}); err != nil {
		t.Fatal(err)
	}
	if err := r.Hold(ctx, a.Key); err != nil {
		t.Error(err)
	}
	if s, _ := k.Servers(ctx, a.Key); len(s) != 1 || s[0].Weight != 1 {
		t.Errorf("the server is %v", s)
	}
	if err := r.Hold(ctx, ipvssync.MarkKey(ipvssync.IPv4, 9)); err == nil {
		t.Error("a service that nobody wants is held")
	}

	// Nothing is written twice; a server less takes its service away.
	if _, err := r.Set(ctx, want); err != nil {
		t.Fatal(err)
	}
	n := k.Writes()
	if res, err := r.Set(ctx, want); err != nil || res.Writes != 0 || k.Writes() != n {
		t.Errorf("the same again: %+v, %v, %d writes", res, err, k.Writes()-n)
	}
	want.Private = want.Private[:1]
	if _, err := r.Set(ctx, want); err != nil || held(t, k)[b.Key] {
		t.Errorf("%v, a service stays that no check wants", err)
	}

	// The next process knows them by the record and stops cleanly.
	next := run(t, k, dir)
	n, _ = k.Writes(), k.Log()
	if res, err := next.Set(ctx, want); err != nil || res.Writes != 0 || k.Writes() != n {
		t.Errorf("adoption: %+v, %v, %v", res, err, k.Log())
	}
	if err := next.Stop(ctx, false); err != nil || len(held(t, k)) != 0 {
		t.Errorf("%v, left: %v", err, held(t, k))
	}
	for name, want := range map[string]string{acceptLocal: "0", rpFilter: "1"} {
		if v, _ := k.Sysctl(name); v != want {
			t.Errorf("%s is %s after the stop", name, v)
		}
	}
}

// A service of somebody else under a private mark is neither changed nor removed; the check says why it cannot be made. When that service has
// gone the mark is ours.
func TestPrivateMarkOfSomebodyElse(t *testing.T) {
	ctx, k := context.Background(), ipvstest.New()
	receiving(k, "0", "0")
	mine := privateService(1001, "192.0.2.21:80", ipvssync.DR)
	theirs := privateService(1001, "198.51.100.1:80", ipvssync.NAT)
	for _, op := range ipvssync.Diff([]ipvssync.Service{theirs}, nil) {
		if err := k.Do(op); err != nil {
			t.Fatal(err)
		}
	}
	r := run(t, k, t.TempDir())
	res, err := r.Set(ctx, Desired{Private: []ipvssync.Service{mine}})
	if err != nil || len(res.Problems) != 1 || !strings.Contains(res.Problems[0], "forward_check_marks") {
		t.Errorf("%+v, %v", res, err)
	}
	if err := r.Hold(ctx, mine.Key); !errors.Is(err, errTaken) {
		t.Errorf("hold: %v", err)
	}
	if s, _ := k.Servers(ctx, mine.Key); len(s) != 1 || s[0].Addr != theirs.Servers[0].Addr {
		t.Errorf("their server is %v", s)
	}
	if st := r.Status(); st.Foreign != 1 {
		t.Errorf("foreign: %d", st.Foreign)
	}
	if _, err := r.Set(ctx, Desired{}); err != nil || !held(t, k)[mine.Key] {
		t.Errorf("%v, their service is gone", err)
	}
	if _, err := r.Set(ctx, Desired{Private: []ipvssync.Service{mine}}); err != nil {
		t.Fatal(err)
	}
	k.Clear()
	if _, err := r.Reconcile(ctx); err != nil {
		t.Fatal(err)
	}
	if err := r.Hold(ctx, mine.Key); err != nil {
		t.Errorf("hold after they left: %v", err)
	}
	if err := r.Stop(ctx, false); err != nil || len(held(t, k)) != 0 {
		t.Errorf("%v, left: %v", err, held(t, k))
	}
}

func TestReceivingSysctls(t *testing.T) {
	for _, c := range []struct {
		name         string
		server       string
		forward      ipvssync.Forward
		own, all     string
		local, after string // accept_local and rp_filter while the check runs
	}{
		{"DR, strict on the interface", "192.0.2.21:80", ipvssync.DR, "1", "0", "1", "2"},
		{"DR, strict by all", "192.0.2.21:80", ipvssync.DR, "0", "1", "1", "2"},
		{"TUN, loose by all", "192.0.2.21:80", ipvssync.TUN, "1", "2", "1", "1"},
		{"DR, no filter", "192.0.2.21:80", ipvssync.DR, "0", "0", "1", "0"},
		{"NAT needs nothing", "192.0.2.21:80", ipvssync.NAT, "1", "1", "0", "1"},
		{"FULLNAT needs nothing", "192.0.2.21:80", ipvssync.FULLNAT, "1", "1", "0", "1"},
		{"IPv6 has no such filter", "[2001:db8::21]:80", ipvssync.DR, "1", "1", "0", "1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, k := context.Background(), ipvstest.New()
			receiving(k, c.own, c.all)
			r := run(t, k, t.TempDir())
			for range 2 { // the second time it finds its own values
				if res, err := r.Set(ctx, Desired{Private: []ipvssync.Service{privateService(1001, c.server, c.forward)}}); err != nil || len(res.Problems) > 0 {
					t.Fatalf("%+v, %v", res, err)
				}
				local, _ := k.Sysctl(acceptLocal)
				rp, _ := k.Sysctl(rpFilter)
				if local != c.local || rp != c.after {
					t.Errorf("accept_local %s, rp_filter %s", local, rp)
				}
			}
			if err := r.Stop(ctx, false); err != nil {
				t.Fatal(err)
			}
			local, _ := k.Sysctl(acceptLocal)
			if rp, _ := k.Sysctl(rpFilter); local != "0" || rp != c.own {
				t.Errorf("after the stop: accept_local %s, rp_filter %s", local, rp)
			}
		})
	}
	t.Run("NAT from an address of another network", func(t *testing.T) {
		ctx, k := context.Background(), ipvstest.New()
		const outer = "net.ipv4.conf.eth1."
		receiving(k, "1", "1")
		k.Provide(outer+"rp_filter", "1")
		k.Provide(outer+"accept_local", "0")
		r := run(t, k, t.TempDir())
		d := Desired{Private: []ipvssync.Service{privateService(1001, "10.0.0.21:80", ipvssync.NAT)}, Sources: []netip.Addr{netip.MustParseAddr("192.0.2.11")}}
		is := func(when, want string) {
			t.Helper()
			rp, _ := k.Sysctl(outer + "rp_filter")
			local, _ := k.Sysctl(outer + "accept_local")
			if inner, _ := k.Sysctl(rpFilter); rp != want || local != "0" || inner != "1" {
				t.Errorf("%s: rp_filter %s, accept_local %s, rp_filter towards the server %s", when, rp, local, inner)
			}
		}
		for range 2 {
			if res, err := r.Set(ctx, d); err != nil || len(res.Problems) > 0 {
				t.Fatalf("%+v, %v", res, err)
			}
			is("while the check runs", "2")
		}
		d.Sources = nil
		if _, err := r.Set(ctx, d); err != nil {
			t.Fatal(err)
		}
		is("without the address", "1")
	})
	t.Run("a setting that cannot be made refuses the check", func(t *testing.T) {
		ctx, k := context.Background(), ipvstest.New() // has no such setting
		r := run(t, k, t.TempDir())
		mine := privateService(1001, "192.0.2.21:80", ipvssync.DR)
		if _, err := r.Set(ctx, Desired{Private: []ipvssync.Service{mine}}); err != nil {
			t.Fatal(err)
		}
		if err := r.Hold(ctx, mine.Key); err == nil || !strings.Contains(err.Error(), "accept_local") && !strings.Contains(err.Error(), "rp_filter") {
			t.Errorf("hold: %v", err)
		}
		receiving(k, "0", "0")
		if _, err := r.Reconcile(ctx); err != nil {
			t.Fatal(err)
		}
		if err := r.Hold(ctx, mine.Key); err != nil {
			t.Errorf("hold once it can be made: %v", err)
		}
	})
}

package pools

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

// kernel remembers what it was told.
type kernel struct {
	updates []string
	held    map[ipvssync.Key][]ipvssync.ServerState
}

func (k *kernel) Update(pool string, _ []ipvssync.Service) { k.updates = append(k.updates, pool) }

func (k *kernel) Servers(context.Context, string) (map[ipvssync.Key][]ipvssync.ServerState, error) {
	return k.held, nil
}

// spec is a virtual server on this address with one server per address, down until its check passes.
func spec(vip string, servers ...string) ipvssync.VirtualServer {
	v := ipvssync.VirtualServer{ID: "TCP " + vip, Keys: []ipvssync.Key{{Family: ipvssync.IPv4, Protocol: ipvssync.TCP, Addr: netip.MustParseAddrPort(vip).Addr(), Port: netip.MustParseAddrPort(vip).Port()}},
		Template: ipvssync.Service{Scheduler: "rr"}, Quorum: 1}
	for _, a := range servers {
		v.Servers = append(v.Servers, ipvssync.RealServer{ID: a, Server: ipvssync.Server{Addr: netip.MustParseAddrPort(a), Weight: 1}, Checks: []string{"tcp"}, Alpha: true})
	}
	return v
}

type world struct {
	*Set
	kernel *kernel
	posted chan func()
	events []string
	heard  []ipvssync.ChangeKind
	quorum map[string]bool
}

func newWorld(t *testing.T, dir string) *world {
	w := &world{kernel: &kernel{}, posted: make(chan func(), 16), quorum: map[string]bool{}}
	bus := &event.Bus{}
	bus.Add(func(e event.Event) { w.events = append(w.events, e.ID) })
	w.Set = New(t.Context(), Options{Kernel: w.kernel, Bus: bus, StateDir: dir, Post: func(f func()) { w.posted <- f },
		OnChange: func(_ string, c ipvssync.Change) { w.heard = append(w.heard, c.Kind) }, OnQuorum: func(id string, ok bool) { w.quorum[id] = ok }})
	return w
}

func (w *world) load(specs ...ipvssync.VirtualServer) { w.Reconfigure(specs) }

func (w *world) health(v ipvssync.VirtualServer, server string, up bool) {
	w.SetHealth(checkers.ID{Virtual: v.ID, Real: server}, up, checkers.Weight{})
}

func TestVerdictThatOverlapsAWriteIsRepeated(t *testing.T) {
	w, v := newWorld(t, ""), spec("192.0.2.1:80", "10.0.0.1:80")
	w.load(v)
	w.Begin(false)
	w.health(v, "10.0.0.1:80", true)
	if !slices.Equal(w.kernel.updates, []string{v.ID}) {
		t.Fatalf("a verdict reaches the kernel at once: %v", w.kernel.updates)
	}
	w.End()
	if len(w.kernel.updates) != 2 {
		t.Errorf("the write may have overtaken it: %v", w.kernel.updates)
	}
	w.Begin(false)
	w.End()
	if len(w.kernel.updates) != 2 {
		t.Errorf("repeated without need: %v", w.kernel.updates)
	}
}

func TestRemovedPoolsStayWantedUntilForgotten(t *testing.T) {
	w, a, b := newWorld(t, ""), spec("192.0.2.1:80", "10.0.0.1:80"), spec("192.0.2.2:80", "10.0.0.1:80")
	w.load(a, b)
	w.load(b)
	if want := w.Begin(true); len(want) != 2 {
		t.Errorf("kept during a reload: %d virtual servers", len(want))
	}
	w.Forget()
	if want := w.Begin(true); len(want) != 1 {
		t.Errorf("gone at its end: %d virtual servers", len(want))
	}
}

func TestTrackedQuorumNeedsEveryPool(t *testing.T) {
	w, a, b := newWorld(t, ""), spec("192.0.2.1:80", "10.0.0.1:80"), spec("192.0.2.2:80", "10.0.0.2:80")
	w.load(a, b)
	w.Track(map[string][]string{"virtual_server/x": {a.ID, b.ID}})
	w.health(a, "10.0.0.1:80", true)
	if ok, told := w.quorum["virtual_server/x"]; ok || !told {
		t.Errorf("one of two: told %v, quorum %v", told, ok)
	}
	w.health(b, "10.0.0.2:80", true)
	if q := w.Quorums(); !w.quorum["virtual_server/x"] || len(q) != 1 || !q[0].OK {
		t.Errorf("both have it: %v, %+v", w.quorum, q)
	}
	w.health(a, "10.0.0.1:80", false)
	if w.quorum["virtual_server/x"] {
		t.Error("the loss is told")
	}
}

func TestNothingQuietIsNews(t *testing.T) {
	w, v := newWorld(t, ""), spec("192.0.2.1:80", "10.0.0.1:80")
	w.load(v)
	w.events, w.heard = nil, nil
	w.Quietly(func() { w.health(v, "10.0.0.1:80", true) })
	if len(w.events) > 0 || len(w.heard) > 0 || len(w.kernel.updates) != 1 {
		t.Errorf("events %v, changes %v, updates %v", w.events, w.heard, w.kernel.updates)
	}
	w.health(v, "10.0.0.1:80", false)
	if len(w.events) == 0 || len(w.heard) == 0 {
		t.Error("afterwards it is news again")
	}
}

// A server with alpha is down until it has passed; that it was up in the process before comes a moment later, and in between nothing is lost.
func TestHowAContinuedPoolBeginsIsNotNews(t *testing.T) {
	w, v, fresh := newWorld(t, ""), spec("192.0.2.1:80", "10.0.0.1:80"), spec("192.0.2.2:80", "10.0.0.1:80")
	v.Servers[0].Alpha, fresh.Servers[0].Alpha = true, true
	w.Continue([]ipvssync.VirtualServer{v, fresh}, map[string]bool{v.ID: true})
	if len(w.heard) != 1 {
		t.Errorf("of two pools that begin without quorum one was there before: heard %v", w.heard)
	}
}

func TestWishesOutliveTheSet(t *testing.T) {
	dir, v := t.TempDir(), spec("192.0.2.1:80", "10.0.0.1:80", "10.0.0.2:80")
	w := newWorld(t, dir)
	w.load(v)
	if err := w.Weigh("192.0.2.1:80", "10.0.0.2:80", 7, "me"); err != nil {
		t.Fatal(err)
	}
	if err := w.Drain("tcp 192.0.2.1:80", "10.0.0.1:80", ipvssync.Drain{By: "me", Timeout: time.Hour}); err != nil {
		t.Fatal(err)
	}
	w = newWorld(t, dir)
	w.LoadIntent()
	w.load(v)
	for p := range w.All() {
		s := p.Status().Servers
		if !s[0].Draining || s[0].Drain.By != "me" || s[1].Override != 7 {
			t.Errorf("%+v", s)
		}
	}
	w.PruneIntent(false)
	if err := w.Undrain(v.ID, "10.0.0.1:80", "me"); err != nil {
		t.Fatal(err)
	}
	for p := range w.All() {
		if p.Status().Servers[0].Draining {
			t.Error("taken back")
		}
	}
}

func TestDrainedServerIsCountedOut(t *testing.T) {
	w, v := newWorld(t, ""), spec("192.0.2.1:80", "10.0.0.1:80")
	w.load(v)
	w.health(v, "10.0.0.1:80", true)
	addr := netip.MustParseAddrPort("10.0.0.1:80")
	w.kernel.held = map[ipvssync.Key][]ipvssync.ServerState{v.Keys[0]: {{Server: ipvssync.Server{Addr: addr}, Active: 2, Inactive: 1}}}
	if err := w.Drain(v.ID, "10.0.0.1:80", ipvssync.Drain{By: "me"}); err != nil {
		t.Fatal(err)
	}
	(<-w.posted)()
	whole := w.kernel.held
	w.kernel.held = map[ipvssync.Key][]ipvssync.ServerState{v.Keys[0]: {}} // a listing that missed it
	w.CountConnections()
	(<-w.posted)()
	for p := range w.All() {
		if s := p.Status().Servers[0]; s.Drained || s.Connections != 3 {
			t.Errorf("a listing without the server ended its drain: %+v", s)
		}
	}
	w.kernel.held = whole
	for p := range w.All() {
		if s := p.Status().Servers[0]; s.Connections != 3 || s.Drained {
			t.Errorf("three are left: %+v", s)
		}
	}
}

func TestDrainThatGetsATimeLaterEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, v := newWorld(t, ""), spec("192.0.2.1:80", "10.0.0.1:80")
		w.load(v)
		w.health(v, "10.0.0.1:80", true)
		w.kernel.held = map[ipvssync.Key][]ipvssync.ServerState{v.Keys[0]: {{Server: ipvssync.Server{Addr: netip.MustParseAddrPort("10.0.0.1:80")}, Active: 1}}}
		for _, d := range []ipvssync.Drain{{By: "me"}, {By: "me", Timeout: 10 * time.Second}} {
			if err := w.Drain(v.ID, "10.0.0.1:80", d); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		for p := w.Get(v.ID); !p.Status().Servers[0].Drained; w.Step() {
			<-w.Due()
		}
		if took := time.Since(began); took > 11*time.Second {
			t.Errorf("the drain ended after %v", took)
		}
	})
}

func TestNamesAreResolved(t *testing.T) {
	all := []string{"TCP 192.0.2.1:80", "UDP 192.0.2.1:80", "TCP 192.0.2.2:80", "TCP [2001:db8::1]:80", "FWM 7", "group web TCP", "10.0.0.1:8080"}
	for _, c := range []struct{ name, want, err string }{
		{"tcp 192.0.2.1:80", "TCP 192.0.2.1:80", ""},
		{"192.0.2.2:80", "TCP 192.0.2.2:80", ""},
		{"192.0.2.1:80", "", "could be TCP 192.0.2.1:80 or UDP 192.0.2.1:80"},
		{"192.0.2.2", "TCP 192.0.2.2:80", ""},
		{"192.0.2.1", "", "could be TCP 192.0.2.1:80 or UDP 192.0.2.1:80"},
		{"192.0.2.9", "", "there is no virtual server"},
		{"2001:DB8::1", "TCP [2001:db8::1]:80", ""},
		{"10.0.0.1", "10.0.0.1:8080", ""},
		{"", "", "holdfast status"},
		{"192.0.2.9:80", "", "there is no virtual server"},
	} {
		got, err := resolve("virtual server", c.name, all)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%q: %q, %v", c.name, got, err)
		}
	}
}

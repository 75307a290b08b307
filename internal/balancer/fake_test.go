package balancer

import (
	"context"
	"io/fs"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/checkers/probe"
	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/outside"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/internal/state"
	"github.com/holdfast-ha/holdfast/ipvssync/ipvstest"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// soonEnough is how long a test waits for what must happen.
const soonEnough = 20 * time.Second

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	eventuallyWithin(t, soonEnough, what, ok)
}

func eventuallyWithin(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

// servers is a Prober whose answers a test chooses: what is not down is up.
type servers struct {
	mu     sync.Mutex
	down   map[netip.AddrPort]bool
	hold   chan struct{}        // attempts wait for it when it is not nil
	onFail func(netip.AddrPort) // sees attempts that are about to fail
}

func (s *servers) Probe(ctx context.Context, p *checkers.Probe) checkers.Result {
	s.mu.Lock()
	down, hold, onFail := s.down[p.Target], s.hold, s.onFail
	s.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
		}
	}
	if down {
		if onFail != nil {
			onFail(p.Target)
		}
		return checkers.Fail(checkers.Refused, "fake")
	}
	return checkers.Pass()
}

func (s *servers) set(addr string, down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down[netip.MustParseAddrPort(addr)] = down
}

// world is a balancer with everything around it fake.
type world struct {
	t       testing.TB
	kernel  *ipvstest.Kernel
	servers *servers
	router  *seam.Conn
	dir     string
	state   string
	exit    chan int
	done    chan struct{}
	cancel  context.CancelFunc

	mu       sync.Mutex
	model    *config.Model
	lastGood *config.Model // what the kept files say
	diags    config.Diagnostics
	got      []seam.Message // from the balancer
	writes   []int          // of the kernel, when the message of the same index came
	events   []event.Event
	released int
	programs *outside.Programs
	silent   bool                 // the router does not answer Apply
	every    time.Duration        // between two read-backs
	reread   func() *config.Model // reads anew instead of answering with model
}

func newWorld(t testing.TB, m *config.Model) *world {
	return &world{t: t, kernel: ipvstest.New(), servers: &servers{down: map[netip.AddrPort]bool{}}, dir: t.TempDir(), state: t.TempDir(), model: m, every: 50 * time.Millisecond}
}

func (w *world) start(first seam.Snapshot) {
	w.t.Helper()
	a, b := net.Pipe()
	w.mu.Lock()
	w.router = seam.NewConn(a)
	w.got, w.writes, w.events = nil, nil, nil
	w.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	bus := &event.Bus{}
	bus.Add(func(e event.Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.events = append(w.events, e)
	})
	exit, done := make(chan int, 1), make(chan struct{})
	w.exit, w.done = exit, done
	go func() {
		defer close(done)
		exit <- Run(ctx, seam.NewConn(b), Options{
			Version: "test", ConfigFile: "/etc/test.conf", RunDir: w.dir, StateDir: w.state, Host: "h", Kernel: w.kernel, Prober: w.servers, Clock: probe.Clock{}, Bus: bus,
			Files: fstest.MapFS{"etc/test.conf": {Data: []byte("the file")}},
			Read: func(files fs.FS) (*config.Model, config.Diagnostics) {
				text, err := fs.ReadFile(files, "etc/test.conf")
				w.mu.Lock()
				defer w.mu.Unlock()
				if _, original := files.(*state.Recorder); !original && err == nil && string(text) == "the file" {
					return w.lastGood, nil
				}
				if w.reread != nil {
					return w.reread(), nil
				}
				return w.model, w.diags
			},
			Release: func(context.Context) ([]string, error) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.released++
				return []string{"192.0.2.1/24"}, nil
			},
			ReconcileEvery: w.every, Programs: w.programs,
		})
	}()
	go w.answer(w.router)
	w.router.Send(seam.Message{Snapshot: &first})
	w.t.Cleanup(func() { cancel(); <-done })
}

// answer is the router's side: it takes everything and applies at once.
func (w *world) answer(conn *seam.Conn) {
	for {
		m, err := conn.Receive()
		if err != nil {
			return
		}
		w.mu.Lock()
		if m.Heartbeat == nil && w.router == conn {
			w.got = append(w.got, m)
			w.writes = append(w.writes, w.kernel.Writes())
		}
		silent := w.silent
		w.mu.Unlock()
		switch {
		case m.Apply != nil && !silent:
			conn.Send(seam.Message{Applied: &seam.Applied{Gen: m.Apply.Gen}})
		case m.Query != nil:
			conn.Send(seam.Message{Status: &seam.Status{Token: m.Query.Token, Router: seam.RouterStatus{PID: 42}}})
		case m.Handover != nil:
			conn.Send(seam.Message{HandoverDone: &seam.HandoverDone{Token: m.Handover.Token, Error: "nobody took over"}})
		}
	}
}

func (w *world) set(m *config.Model, diags config.Diagnostics) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.model, w.diags = m, diags
}

func (w *world) messages() []seam.Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.got)
}

func (w *world) has(id string) bool { return w.count(id) > 0 }

func (w *world) count(id string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.ID == id {
			n++
		}
	}
	return n
}

func (w *world) applies() (all []seam.Apply) {
	for _, m := range w.messages() {
		if m.Apply != nil {
			all = append(all, *m.Apply)
		}
	}
	return all
}

func (w *world) lastReady() (r vrrp.Ready) {
	for _, m := range w.messages() {
		if m.Ready != nil {
			r = *m.Ready
		}
	}
	return r
}

func (w *world) up() {
	w.t.Helper()
	eventually(w.t, "the configuration is in force and this director ready", func() bool {
		return w.has("config.loaded") && w.lastReady().OK
	})
}

func (w *world) table() string { return w.kernel.String() }

func (w *world) holds(server string) bool { return strings.Contains(w.table(), server) }

func (w *world) ended() int {
	w.t.Helper()
	select {
	case code := <-w.exit:
		return code
	case <-time.After(soonEnough):
		w.t.Fatal("the balancer did not end")
		return -1
	}
}

func (w *world) status() (s control.Status) {
	w.t.Helper()
	if err := control.Do(w.t.Context(), w.dir, control.Request{Op: control.OpStatus}, &s); err != nil {
		w.t.Fatal(err)
	}
	return s
}

// model is one instance and one virtual server with these real servers on port 80.
func model(realServers ...string) *config.Model {
	m := &config.Model{
		Instances: []config.VRRPInstance{{Name: "VI_1", Interface: "eth0", VRID: 51, Priority: 100, Version: 3, AdvertInt: 20 * time.Millisecond,
			VIPs: []config.Address{{Prefix: netip.MustParsePrefix("192.0.2.1/24")}}}},
		VirtualServers: []config.VirtualServer{{Addr: netip.MustParseAddr("192.0.2.1"), Port: 80, Protocol: "tcp", Scheduler: "rr", Quorum: 1}},
	}
	vs := &m.VirtualServers[0]
	for _, a := range realServers {
		addr := netip.MustParseAddr(a)
		vs.RealServers = append(vs.RealServers, config.RealServer{Addr: addr, Port: 80, Weight: 1, Method: config.Method{Forward: config.DR},
			Checks: []config.Check{{Kind: config.TCPCheck, ConnectIP: addr, ConnectPort: 80, DelayLoop: 20 * time.Millisecond, DelayBeforeRetry: time.Millisecond}}})
	}
	return m
}

func master(m *config.Model) seam.Event {
	return seam.Event{Event: event.Transition.With("VI_1", "BACKUP", "MASTER", 100, "test"),
		Transition: &vrrp.Transition{ID: vrrp.ID{Interface: "eth0", Family: vrrp.IPv4, VRID: 51}, Name: "VI_1", From: vrrp.Backup, To: vrrp.Master, Priority: 100}}
}

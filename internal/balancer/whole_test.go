package balancer

import (
	"context"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/checkers/probe"
	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/router"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/ipvssync/ipvstest"
	"github.com/holdfast-ha/holdfast/vrrp"
	"github.com/holdfast-ha/holdfast/vrrp/vrrpnet"
)

// quietWire is a network on which nobody else speaks.
type quietWire struct {
	mu   sync.Mutex
	sent []uint8 // priorities
}

func (w *quietWire) Readable() <-chan struct{}                      { return nil }
func (w *quietWire) Listen(map[vrrpnet.Endpoint][]netip.Addr) error { return nil }
func (w *quietWire) Gather(time.Duration)                           {}
func (w *quietWire) Drain(func(vrrp.Packet))                        {}
func (w *quietWire) Close()                                         {}
func (w *quietWire) Send(_ vrrpnet.Endpoint, _ netip.Addr, out vrrp.Outgoing) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, out.Payload[2])
	return nil
}

func (w *quietWire) SendFrom(_ int, _ net.HardwareAddr, src netip.Addr, out vrrp.Outgoing) error {
	return w.Send(vrrpnet.Endpoint{}, src, out)
}

func (w *quietWire) zeros() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.sent {
		if p == 0 {
			n++
		}
	}
	return n
}

// memoryKernel holds addresses.
type memoryKernel struct {
	router.Kernel // what it has beyond the methods here is not used
	changes       chan vrrpnet.Change
	mu            sync.Mutex
	held          map[string][]vrrpnet.Held
}

func (k *memoryKernel) Changes() <-chan vrrpnet.Change { return k.changes }
func (k *memoryKernel) Hold(owner string, want []vrrpnet.Held) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.held[owner] = slices.Clone(want)
	return nil
}
func (k *memoryKernel) MakeVMACs([]vrrpnet.MACVLAN) (map[string]string, error) { return nil, nil }
func (k *memoryKernel) SwitchVMAC(string, bool) error                          { return nil }
func (k *memoryKernel) RestoreSettings(map[string]string) error                { return nil }
func (k *memoryKernel) Restore(string, netip.Prefix) (bool, error)             { return true, nil }
func (k *memoryKernel) HoldRoutes(string, []vrrp.Route, []vrrp.Rule) error     { return nil }
func (k *memoryKernel) Shield([]netip.Addr) error                              { return nil }
func (k *memoryKernel) RefreshRoutes() ([]vrrpnet.RestoredRoute, error)        { return nil, nil }
func (k *memoryKernel) Forget(string, netip.Prefix)                            {}
func (k *memoryKernel) RemoveRoutes([]vrrp.Route, []vrrp.Rule) error           { return nil }
func (k *memoryKernel) Refresh() error                                         { return nil }
func (k *memoryKernel) Remove([]vrrp.Address) error                            { return nil }
func (k *memoryKernel) Sender(int, netip.Addr, time.Duration) (net.HardwareAddr, error) {
	return nil, nil
}
func (k *memoryKernel) Announce(int, net.HardwareAddr, netip.Addr) error { return nil }
func (k *memoryKernel) Close()                                           {}
func (k *memoryKernel) Denied() []vrrp.DeniedAddress                     { return nil }

func (k *memoryKernel) addresses() (n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, h := range k.held {
		n += len(h)
	}
	return n
}

// forgetful is a router's memory that nobody reads.
type forgetful struct{}

func (forgetful) Load() (router.Saved, time.Duration, bool, error) {
	return router.Saved{}, 0, false, nil
}
func (forgetful) Save(router.Saved) {}
func (forgetful) Stamp()            {}
func (forgetful) Clear()            {}

func (forgetful) Sequences() ([]vrrp.Sequences, error) { return nil, nil }
func (forgetful) SaveSequences([]vrrp.Sequences)       {}

// director is the whole daemon in one process: the real router and the real balancer over a pipe, with a fake network and kernel.
type director struct {
	t       *testing.T
	wire    *quietWire
	kernel  *memoryKernel
	ipvs    *ipvstest.Kernel
	servers *servers
	dir     string
	signals chan os.Signal
	ended   chan error

	mu     sync.Mutex
	model  *config.Model
	events []event.Event
	kill   func()
	starts int
}

func newDirector(t *testing.T, m *config.Model) *director {
	d := &director{t: t, wire: &quietWire{}, kernel: &memoryKernel{changes: make(chan vrrpnet.Change, 1), held: map[string][]vrrpnet.Held{}}, ipvs: ipvstest.New(),
		servers: &servers{down: map[netip.AddrPort]bool{}}, dir: t.TempDir(), signals: make(chan os.Signal, 4), ended: make(chan error, 1), model: m}
	d.kernel.changes <- vrrpnet.Change{Interfaces: []vrrpnet.Interface{{Name: "eth0", Index: 2, Up: true, Addrs: []netip.Prefix{netip.MustParsePrefix("192.0.2.7/24")}}}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.ended <- router.Run(ctx, router.Deps{Wire: d.wire, Kernel: d.kernel, Store: forgetful{}, Start: d.start, Signals: d.signals, Bus: d.bus(), BootID: "b", NetNS: "n"})
	}()
	t.Cleanup(func() { cancel(); <-done; d.killBalancer() })
	return d
}

func (d *director) bus() *event.Bus {
	b := &event.Bus{}
	b.Add(func(e event.Event) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.events = append(d.events, e)
	})
	return b
}

// start is the router's way to a balancer.
func (d *director) start() (router.Child, error) {
	a, b := net.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	exited, done := make(chan router.Exit, 1), make(chan struct{})
	go func() {
		defer close(done)
		code := Run(ctx, seam.NewConn(b), Options{ConfigFile: "f", RunDir: d.dir, Host: "h", Kernel: d.ipvs, Prober: d.servers, Clock: probe.Clock{}, Bus: d.bus(),
			Files: os.DirFS(d.dir), Read: d.read, ReconcileEvery: 50 * time.Millisecond})
		exited <- router.Exit{Code: code, Reason: "ended"}
	}()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.starts++
	d.kill = func() { cancel(); <-done }
	return router.Child{PID: d.starts, Conn: a, Exited: exited, Kill: cancel}, nil
}

func (d *director) read(fs.FS) (*config.Model, config.Diagnostics) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.model, nil
}

func (d *director) killBalancer() {
	d.mu.Lock()
	kill := d.kill
	d.mu.Unlock()
	if kill != nil {
		kill()
	}
}

func (d *director) happened(id string) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.events {
		if e.ID == id {
			n++
		}
	}
	return n
}

func (d *director) status() (s control.Status) {
	d.t.Helper()
	if err := control.Do(d.t.Context(), d.dir, control.Request{Op: control.OpStatus}, &s); err != nil {
		d.t.Fatal(err)
	}
	return s
}

func TestWholeDaemon(t *testing.T) {
	d := newDirector(t, model("10.0.0.1", "10.0.0.2"))
	eventually(t, "the address is held", func() bool { return d.kernel.addresses() == 1 })
	eventually(t, "this director is ready", func() bool { return d.happened("daemon.ready") == 1 })
	if s := d.status(); len(s.Instances) != 1 || s.Instances[0].State != "MASTER" || !s.Ready {
		t.Errorf("status %+v", s)
	}

	// A reload that takes a server out and an address in.
	next := model("10.0.0.1")
	next.Instances[0].VIPs = append(next.Instances[0].VIPs, config.Address{Prefix: netip.MustParsePrefix("192.0.2.2/24")})
	d.mu.Lock()
	d.model = next
	d.mu.Unlock()
	d.signals <- syscall.SIGHUP
	eventually(t, "both addresses are held", func() bool { return d.kernel.addresses() == 2 })
	eventually(t, "the reload has ended", func() bool { return d.happened("config.loaded") == 2 })

	// The balancer dies: the router stays MASTER and a new balancer takes over what there is.
	moves, writes := d.happened("vrrp.transition"), d.ipvs.Writes()
	d.killBalancer()
	eventually(t, "a new balancer is ready", func() bool { return d.happened("daemon.ready") == 2 })
	if n := d.happened("vrrp.transition"); n != moves || d.wire.zeros() != 0 {
		t.Errorf("%d transitions and %d advertisements of priority 0 because the balancer died", n-moves, d.wire.zeros())
	}
	if n := d.ipvs.Writes(); n != writes {
		t.Errorf("the new balancer wrote %d times to tables that were right", n-writes)
	}

	d.signals <- syscall.SIGTERM
	select {
	case err := <-d.ended:
		if err != nil {
			t.Error(err)
		}
		d.ended <- nil
	case <-time.After(soonEnough):
		t.Fatal("the daemon did not end")
	}
	if d.kernel.addresses() != 0 || d.ipvs.String() != "" || d.wire.zeros() == 0 {
		t.Errorf("a stop says goodbye and leaves nothing: %d addresses, %d goodbyes, %s", d.kernel.addresses(), d.wire.zeros(), d.ipvs)
	}
}

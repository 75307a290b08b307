package router

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/vrrp"
	"github.com/holdfast-ha/holdfast/vrrp/vrrpnet"
)

// patience is how long a test waits for what should come at once.
const patience = 20 * time.Second

// sent is one packet on the fake wire.
type sent struct {
	iface    string
	src      netip.Addr
	priority uint8
}

type fakeWire struct {
	mu       sync.Mutex
	readable chan struct{}
	in       []vrrp.Packet
	out      []sent
	open     map[vrrpnet.Endpoint][]netip.Addr
	gather   time.Duration
}

func newFakeWire() *fakeWire { return &fakeWire{readable: make(chan struct{}, 1)} }

func (w *fakeWire) Readable() <-chan struct{} { return w.readable }

func (w *fakeWire) Gather(most time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gather = most
}

func (w *fakeWire) Listen(want map[vrrpnet.Endpoint][]netip.Addr) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open = want
	return nil
}

func (w *fakeWire) Drain(deliver func(vrrp.Packet)) {
	w.mu.Lock()
	in := w.in
	w.in = nil
	w.mu.Unlock()
	for _, p := range in {
		deliver(p)
	}
}

func (w *fakeWire) Send(e vrrpnet.Endpoint, src netip.Addr, out vrrp.Outgoing) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.open[e]; !ok {
		return fmt.Errorf("%v is not open", e)
	}
	w.out = append(w.out, sent{e.Interface, src, out.Payload[2]})
	return nil
}

func (w *fakeWire) SendFrom(_ int, mac net.HardwareAddr, src netip.Addr, out vrrp.Outgoing) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out = append(w.out, sent{mac.String(), src, out.Payload[2]})
	return nil
}

func (w *fakeWire) Close() {}

func (w *fakeWire) arrive(p vrrp.Packet) {
	w.mu.Lock()
	w.in = append(w.in, p)
	w.mu.Unlock()
	select {
	case w.readable <- struct{}{}:
	default:
	}
}

func (w *fakeWire) adverts(priority uint8) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, s := range w.out {
		if s.priority == priority {
			n++
		}
	}
	return n
}

// fakeKernel holds addresses in memory.
type fakeKernel struct {
	mu        sync.Mutex
	changes   chan vrrpnet.Change
	owners    map[string][]vrrpnet.Held
	present   map[string]bool // "prefix on interface"
	announced map[netip.Addr]int
	asked     []netip.Addr
	claims    map[netip.Addr][]net.HardwareAddr
	refreshes int
	shielded  []netip.Addr
	slow      chan struct{} // not nil: Hold waits for it
	deny      map[netip.Prefix]error
	denied    []vrrp.DeniedAddress
	routes    map[string]int
	restored  []vrrpnet.RestoredRoute
}

func newFakeKernel(interfaces ...vrrpnet.Interface) *fakeKernel {
	k := &fakeKernel{changes: make(chan vrrpnet.Change, 16), owners: map[string][]vrrpnet.Held{}, present: map[string]bool{}, announced: map[netip.Addr]int{}}
	for _, i := range interfaces {
		for _, p := range i.Addrs {
			k.present[key(i.Name, p)] = true
		}
	}
	k.changes <- vrrpnet.Change{Interfaces: interfaces}
	return k
}

func key(iface string, p netip.Prefix) string { return p.String() + " on " + iface }

func (k *fakeKernel) Changes() <-chan vrrpnet.Change { return k.changes }

func (k *fakeKernel) Hold(owner string, want []vrrpnet.Held) error {
	k.mu.Lock()
	slow := k.slow
	k.mu.Unlock()
	if slow != nil {
		<-slow
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	had := k.owners[owner]
	k.owners[owner] = want
	var errs []error
	k.denied = slices.DeleteFunc(k.denied, func(d vrrp.DeniedAddress) bool {
		return slices.ContainsFunc(had, func(h vrrpnet.Held) bool { return h.Prefix == d.Prefix })
	})
	for _, h := range want {
		if err := k.deny[h.Prefix]; err != nil {
			errs = append(errs, err)
			k.denied = append(k.denied, vrrp.DeniedAddress{Prefix: h.Prefix, Interface: h.Interface, Reason: err.Error()})
			continue
		}
		k.present[key(h.Interface, h.Prefix)] = true
	}
	for _, h := range had {
		if !slices.Contains(want, h) {
			delete(k.present, key(h.Interface, h.Prefix))
		}
	}
	return errors.Join(errs...)
}

func (k *fakeKernel) Denied() []vrrp.DeniedAddress {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.denied)
}

func (k *fakeKernel) HoldRoutes(owner string, routes []vrrp.Route, _ []vrrp.Rule) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.routes == nil {
		k.routes = map[string]int{}
	}
	k.routes[owner] = len(routes)
	return nil
}

func (k *fakeKernel) RefreshRoutes() ([]vrrpnet.RestoredRoute, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	restored := k.restored
	k.restored = nil
	return restored, nil
}

func (k *fakeKernel) Forget(iface string, p netip.Prefix) {}

func (k *fakeKernel) RemoveRoutes([]vrrp.Route, []vrrp.Rule) error { return nil }

func (k *fakeKernel) MakeVMACs([]vrrpnet.MACVLAN) (map[string]string, error) { return nil, nil }
func (k *fakeKernel) SwitchVMAC(string, bool) error                          { return nil }
func (k *fakeKernel) RestoreSettings(map[string]string) error                { return nil }
func (k *fakeKernel) Restore(iface string, p netip.Prefix) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	missing := !k.present[key(iface, p)]
	k.present[key(iface, p)] = true
	return missing, nil
}

func (k *fakeKernel) Refresh() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refreshes++
	return nil
}

func (k *fakeKernel) Remove(addrs []vrrp.Address) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, a := range addrs {
		delete(k.present, key(a.Interface, a.Prefix))
	}
	return nil
}

func (k *fakeKernel) Shield(addrs []netip.Addr) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.shielded = addrs
	return nil
}

func (k *fakeKernel) Ask(_ int, _ net.HardwareAddr, src, addr netip.Addr) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked = append(k.asked, addr)
	return nil
}

func (k *fakeKernel) Announce(_ int, _ net.HardwareAddr, addr netip.Addr) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.announced[addr]++
	return nil
}

func (k *fakeKernel) Sender(int, netip.Addr, time.Duration) (net.HardwareAddr, error) {
	return net.HardwareAddr{2, 0, 0, 0, 0, 9}, nil
}

func (k *fakeKernel) Answers(_ int, _ net.HardwareAddr, _, addr netip.Addr, _ time.Duration) ([]net.HardwareAddr, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.claims[addr], nil
}

func (k *fakeKernel) Close() {}

func (k *fakeKernel) has(iface, prefix string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.present[key(iface, netip.MustParsePrefix(prefix))]
}

// refuse makes the kernel deny an address, nil ends that.
func (k *fakeKernel) refuse(prefix string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.deny == nil {
		k.deny = map[netip.Prefix]error{}
	}
	k.deny[netip.MustParsePrefix(prefix)] = err
}

// told is how often an address was announced.
func (k *fakeKernel) told(prefix string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.announced[netip.MustParsePrefix(prefix).Addr()]
}

func (k *fakeKernel) steal(iface, prefix string) {
	p := netip.MustParsePrefix(prefix)
	k.mu.Lock()
	delete(k.present, key(iface, p))
	k.mu.Unlock()
	k.changes <- vrrpnet.Change{Lost: []vrrpnet.LostAddress{{Interface: iface, Prefix: p}}}
}

type memoryStore struct {
	mu      sync.Mutex
	saved   *Saved
	age     time.Duration
	stamps  int
	cleared bool
	marks   []vrrp.Sequences
}

func (s *memoryStore) Load() (Saved, time.Duration, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.saved == nil {
		return Saved{}, 0, false, nil
	}
	return *s.saved, s.age, true, nil
}

func (s *memoryStore) Save(v Saved) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saved = &v
}

func (s *memoryStore) Sequences() ([]vrrp.Sequences, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.marks, nil
}

func (s *memoryStore) SaveSequences(all []vrrp.Sequences) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marks = all
}

func (s *memoryStore) Stamp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stamps++
}

func (s *memoryStore) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saved, s.cleared = nil, true
}

// rig is a router between fakes.
type rig struct {
	t        *testing.T
	wire     *fakeWire
	kernel   *fakeKernel
	store    *memoryStore
	signals  chan os.Signal
	children chan *balancerEnd
	stop     context.CancelFunc
	done     chan error

	mu     sync.Mutex
	events []event.Event
	// scheduled are the wishes for the process.
	scheduled []vrrp.Process
	notified  []string // what the service manager was told
}

// balancerEnd is the test's end of the seam.
type balancerEnd struct {
	t      *testing.T
	conn   *seam.Conn
	in     chan seam.Message
	exit   chan Exit
	killed chan struct{}
	once   sync.Once
}

func (b *balancerEnd) send(m seam.Message) { b.conn.Send(m) }

// wait reads until a message fits.
func (b *balancerEnd) wait(what string, fits func(seam.Message) bool) seam.Message {
	b.t.Helper()
	limit := time.After(patience)
	for {
		select {
		case m, ok := <-b.in:
			if !ok {
				b.t.Fatalf("the router closed the seam while waiting for %s", what)
			}
			if fits(m) {
				return m
			}
		case <-limit:
			b.t.Fatalf("no %s", what)
		}
	}
}

func (b *balancerEnd) apply(gen uint64, c vrrp.Config) seam.Applied {
	b.t.Helper()
	b.send(seam.Message{Apply: &seam.Apply{Gen: gen, Config: c}})
	b.send(seam.Message{Ready: &vrrp.Ready{OK: true}})
	return *b.wait("Applied", func(m seam.Message) bool { return m.Applied != nil && m.Applied.Gen == gen }).Applied
}

func eth0() vrrpnet.Interface {
	return vrrpnet.Interface{Name: "eth0", Index: 2, MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, Up: true, Addrs: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24")}}
}

func oneInstance() vrrp.Config {
	return vrrp.Config{Instances: []vrrp.Instance{{Name: "VI_1", Interface: "eth0", Family: vrrp.IPv4, VRID: 51, Version: 3, Priority: 100, Interval: 10 * time.Millisecond,
		DownTimerAdverts: 3, Addresses: []vrrp.Address{{Prefix: netip.MustParsePrefix("192.0.2.100/24")}}, Gratuitous: vrrp.Gratuitous{Repeat: 2}}}}
}

// start runs a router; whatever the store has is what a former router left.
func start(t *testing.T, store *memoryStore, interfaces ...vrrpnet.Interface) *rig {
	r := &rig{t: t, wire: newFakeWire(), kernel: newFakeKernel(interfaces...), store: store, signals: make(chan os.Signal, 4), children: make(chan *balancerEnd, 16),
		done: make(chan error, 1)}
	var bus event.Bus
	bus.Add(func(e event.Event) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.events = append(r.events, e)
	})
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	go func() {
		r.done <- Run(ctx, Deps{Wire: r.wire, Kernel: r.kernel, Store: store, Start: r.child, Signals: r.signals, Bus: &bus, BootID: "boot", NetNS: "net",
			Notify: func(s string) {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.notified = append(r.notified, s)
			},
			Schedule: func(p vrrp.Process) error {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.scheduled = append(r.scheduled, p)
				return nil
			}})
	}()
	t.Cleanup(func() {
		cancel()
		if t.Failed() {
			r.mu.Lock()
			defer r.mu.Unlock()
			for _, e := range r.events {
				t.Log(e.ID, e.Values)
			}
		}
	})
	return r
}

func (r *rig) child() (Child, error) {
	own, other := net.Pipe()
	b := &balancerEnd{t: r.t, conn: seam.NewConn(other), in: make(chan seam.Message, 4096), exit: make(chan Exit, 1), killed: make(chan struct{})}
	go func() {
		defer close(b.in)
		for {
			m, err := b.conn.Receive()
			if err != nil {
				return
			}
			b.in <- m
		}
	}()
	r.children <- b
	return Child{PID: 1, Conn: own, Exited: b.exit, Kill: func() {
		b.once.Do(func() {
			close(b.killed)
			b.exit <- Exit{Code: -1, Reason: "killed"}
		})
	}}, nil
}

func (r *rig) balancer() *balancerEnd {
	r.t.Helper()
	select {
	case b := <-r.children:
		b.wait("first Snapshot", func(m seam.Message) bool {
			if m.Snapshot == nil {
				r.t.Errorf("the first message is the Snapshot, got %+v", m)
			}
			return true
		})
		return b
	case <-time.After(patience):
		r.t.Fatal("no balancer was started")
		return nil
	}
}

func (r *rig) until(what string, ok func() bool) {
	r.t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

func (r *rig) saw(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.events, func(e event.Event) bool { return e.ID == id })
}

func (r *rig) sawField(id, field, value string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.events, func(e event.Event) bool { return e.ID == id && e.Field(field) == value })
}

func (r *rig) ended() error {
	r.t.Helper()
	select {
	case err := <-r.done:
		return err
	case <-time.After(patience):
		r.t.Fatal("the router did not end")
		return nil
	}
}

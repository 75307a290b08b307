package reconcile

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

// Options say how a Reconciler works. The zero value is usable.
type Options struct {
	// Bus receives the events; nil for none.
	Bus *event.Bus
	// Dir is the run directory for ipvs.json; "" records nothing, and then a restart cannot tell its own leftovers.
	Dir string
	// Every is the time between two read-backs, 3 s by default.
	Every time.Duration
	// Slice is how many services' servers one read-back looks at, 500 by default; every service has its turn.
	Slice int
	// Host identifies the boot and network namespace; a record of another one is not believed. "" is always believed.
	Host string
	// Writers names programs on this host that are known to write IPVS, for ipvs.contended; nil looks in /proc.
	Writers func() []string
}

// Desired is everything the kernel should hold.
type Desired struct {
	// Pools are the services by the id of their pool. No key may be in two pools; the first in order of ids wins.
	Pools map[string][]ipvssync.Service
	// Private are services of firewall marks, one for each real server that is checked through the forwarding path, with exactly that
	// server. They are shown nowhere.
	Private []ipvssync.Service
	// Sources are addresses of this director from which checks through NAT come, if the file names any: a BACKUP hears the answer by way of its
	// peer, so on the interface that has the address.
	Sources []netip.Addr
	// Daemons are the connection synchronisation daemons, at most one of each role.
	Daemons []ipvssync.SyncDaemon
	// Timeouts are the connection timeouts, 0 where the kernel's stay.
	Timeouts ipvssync.Timeouts
	// Sysctls are kernel settings by dotted name, besides those which FULLNAT needs.
	Sysctls map[string]string
	// Flush removes also services of other owners, at the first Set only (lvs_flush).
	Flush bool
	// Keep leaves in place what is wanted no more, until the next Set without it.
	Keep bool
}

// Result is what one call did.
type Result struct {
	// Writes is how many operations were written.
	Writes int
	// Problems are what the kernel refused, in its words; it is tried again.
	Problems []string
}

// Status is what people see.
type Status struct {
	// Ready says that the kernel answers and a Set was tried.
	Ready bool `json:"ready"`
	// Error is why not, "" when Ready.
	Error string `json:"error,omitempty"`
	// Services and Servers are how many are wanted.
	Services int `json:"services"`
	Servers  int `json:"servers"`
	// Foreign are the services of other owners, as last listed.
	Foreign int `json:"foreign"`
	// Writes and Repairs count since the start.
	Writes  uint64 `json:"writes"`
	Repairs uint64 `json:"repairs"`
	// LastCheck is when a read-back of the list of services last succeeded, LastRound when every server had been looked at.
	LastCheck time.Time `json:"last_check"`
	LastRound time.Time `json:"last_round"`
	// Overrides are weights set by hand: "TCP 192.0.2.1:80 10.0.0.1:80" to the weight.
	Overrides map[string]int `json:"overrides,omitempty"`
	// Contended are keys whose repair pauses.
	Contended []string `json:"contended,omitempty"`
	// Problems are the operations the kernel refuses at present.
	Problems []string `json:"problems,omitempty"`
	// Daemons are the synchronisation daemons that run, ours or not, where the configuration wants any.
	Daemons []ipvssync.SyncDaemon `json:"daemons,omitempty"`
}

// Reconciler is the owner of IPVS. Its methods are safe for concurrent use; the work is done by Run.
type Reconciler struct {
	kernel *attended
	opt    Options

	mu      sync.Mutex
	pending map[string][]ipvssync.Service
	order   []string
	daemons *[]ipvssync.SyncDaemon // what SetDaemons wants and nobody has done yet
	wake    chan struct{}
	calls   chan func(context.Context)
	status  Status

	// Everything below belongs to the goroutine of Run.
	record   record
	entries  map[ipvssync.Key]*entry
	ordered  []ipvssync.Key // the keys of entries, nil when they have to be ordered anew
	pools    map[string][]ipvssync.Key
	desired  Desired
	set      bool // a Set was made
	stopped  bool
	down     error
	downFrom time.Time
	downTold bool                  // ipvs.missing was published and ipvs.back was not
	failing  map[string]string     // what it is about -> error, as published
	ways     map[netip.Addr]string // by which interface servers of private services are reached
	waysAt   time.Time
	shut     map[netip.Addr]string // why their answers cannot come in
	pass     pass
	writes   uint64
	repairs  uint64
	running  []ipvssync.SyncDaemon // as last listed, with what was done since; listed only where some are wanted or ours
}

// entry is one service that is wanted.
type entry struct {
	pool      string
	want      ipvssync.Service
	have      ipvssync.Service
	present   bool // have is in the kernel
	known     bool // have and present are believed
	borrowed  bool // have's servers are somebody's list of wanted ones, not to be changed in place
	overrides map[netip.AddrPort]int
	repairs   []time.Time
	muted     time.Time
	strikes   int
	private   bool // of checks through the forwarding path
	taken     bool // a private one that somebody else has
}

// New is the owner of this kernel. It writes nothing before the first Set.
func New(k ipvssync.Kernel, o Options) *Reconciler {
	if o.Every <= 0 {
		o.Every = 3 * time.Second
	}
	if o.Slice <= 0 {
		o.Slice = 500
	}
	if o.Writers == nil {
		o.Writers = writers
	}
	r := &Reconciler{kernel: &attended{Kernel: k}, opt: o, pending: map[string][]ipvssync.Service{}, wake: make(chan struct{}, 1),
		calls: make(chan func(context.Context)), entries: map[ipvssync.Key]*entry{}, pools: map[string][]ipvssync.Key{}, failing: map[string]string{},
		ways: map[netip.Addr]string{}, shut: map[netip.Addr]string{}}
	r.record = loadRecord(o.Dir, o.Host)
	return r
}

// Run does the work until ctx ends. It leaves IPVS as it is; Stop removes it.
func (r *Reconciler) Run(ctx context.Context) error {
	watching, end := context.WithCancel(ctx)
	defer end()
	go r.watch(watching)
	timer := time.NewTimer(r.opt.Every)
	defer timer.Stop()
	for {
		select { // a verdict goes before everything else
		case <-r.wake:
			r.takeUpdates(ctx)
			continue
		default:
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.wake:
			r.takeUpdates(ctx)
		case f := <-r.calls:
			f(ctx)
		case <-timer.C:
			timer.Reset(r.step(ctx))
		}
	}
}

// do runs f on the owner's goroutine and waits for it.
func (r *Reconciler) do(ctx context.Context, f func(context.Context)) error {
	done := make(chan struct{})
	select {
	case r.calls <- func(c context.Context) { f(c); close(done) }:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Set makes d what the kernel should hold and answers when it was tried once. The first one adopts what is there already. It
// ends all weights set by hand. What the kernel refuses is no error but a problem that is tried again.
func (r *Reconciler) Set(ctx context.Context, d Desired) (Result, error) {
	var res Result
	err := r.do(ctx, func(ctx context.Context) { res = r.apply(ctx, d) })
	return res, err
}

// Update is what one pool wants after a verdict. It returns at once; of several updates of a pool the last one counts. A pool
// that the last Set did not have is ignored, and so are keys that it did not have there.
func (r *Reconciler) Update(pool string, want []ipvssync.Service) {
	r.mu.Lock()
	if _, ok := r.pending[pool]; !ok {
		r.order = append(r.order, pool)
	}
	r.pending[pool] = want
	r.mu.Unlock()
	r.poke()
}

func (r *Reconciler) poke() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Flush waits until every update made before has been tried.
func (r *Reconciler) Flush(ctx context.Context) error {
	return r.do(ctx, func(ctx context.Context) { r.takeUpdates(ctx) })
}

// SetDaemons changes which connection synchronisation daemons should run, as when an instance changes its state. It returns at once; of
// several calls the last one counts.
func (r *Reconciler) SetDaemons(d []ipvssync.SyncDaemon) {
	r.mu.Lock()
	r.daemons = &d
	r.mu.Unlock()
	r.poke()
}

// Sync counts what the synchronisation daemons did; false where none runs that the configuration wants. It does not wait for the owner.
func (r *Reconciler) Sync(ctx context.Context) (ipvssync.SyncState, bool) {
	if len(r.Status().Daemons) == 0 {
		return ipvssync.SyncState{}, false
	}
	s, err := r.kernel.SyncState(ctx)
	return s, err == nil
}

// Reconcile reads everything back now, repairs what differs and ends all weights set by hand.
func (r *Reconciler) Reconcile(ctx context.Context) (Result, error) {
	var res Result
	err := r.do(ctx, func(ctx context.Context) { res = r.reconcileAll(ctx) })
	return res, err
}

// Servers reads the servers of a pool's services with their connections from the kernel.
func (r *Reconciler) Servers(ctx context.Context, pool string) (map[ipvssync.Key][]ipvssync.ServerState, error) {
	held := map[ipvssync.Key][]ipvssync.ServerState{}
	var failed error
	err := r.do(ctx, func(ctx context.Context) {
		for _, k := range r.pools[pool] {
			servers, err := r.kernel.Servers(ctx, k)
			if err != nil {
				failed = err
				return
			}
			held[k] = servers
		}
	})
	return held, errors.Join(err, failed)
}

// Stats reads the counters of all services that are ours, ordered by key. It asks for each service by itself, so that verdicts
// do not wait.
func (r *Reconciler) Stats(ctx context.Context) ([]ipvssync.ServiceStats, error) {
	var keys []ipvssync.Key
	if err := r.do(ctx, func(context.Context) {
		keys = slices.DeleteFunc(slices.Clone(r.keys()), func(k ipvssync.Key) bool { return r.entries[k].private })
	}); err != nil {
		return nil, err
	}
	const batch = 50
	all := make([]ipvssync.ServiceStats, 0, len(keys))
	for chunk := range slices.Chunk(keys, batch) {
		var failed error
		err := r.do(ctx, func(ctx context.Context) {
			for _, k := range chunk {
				st, err := r.kernel.Stats(ctx, k)
				switch {
				case errors.Is(err, ipvssync.ErrNotFound):
				case err != nil:
					failed = err
					return
				default:
					all = append(all, st)
				}
			}
		})
		if err := errors.Join(err, failed); err != nil {
			return all, err
		}
	}
	return all, nil
}

// Status is how things are; it never waits for the kernel.
func (r *Reconciler) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	st := r.status
	if c, text := r.kernel.hanging(time.Now()); c != nil {
		st.Ready, st.Error = false, text
	}
	return st
}

// Stop removes everything that is ours, or with keep leaves it and its record for the next start. Nothing is written afterwards.
func (r *Reconciler) Stop(ctx context.Context, keep bool) error {
	var failed error
	err := r.do(ctx, func(ctx context.Context) { failed = r.release(ctx, keep) })
	return errors.Join(err, failed)
}

// keys are all wanted keys, ordered. Nobody changes the list.
func (r *Reconciler) keys() []ipvssync.Key {
	if r.ordered == nil {
		r.ordered = slices.SortedFunc(maps.Keys(r.entries), ipvssync.Key.Compare)
	}
	return r.ordered
}

func (r *Reconciler) put(k ipvssync.Key, e *entry) { r.entries[k], r.ordered = e, nil }

func (r *Reconciler) publish(e event.Event) { r.opt.Bus.Publish(e) }

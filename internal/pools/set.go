package pools

import (
	"context"
	"iter"
	"reflect"
	"slices"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/state"
	"github.com/holdfast-ha/holdfast/internal/tell"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

// Kernel is who owns IPVS.
type Kernel interface {
	// Update says what one virtual server wants now. It does not block.
	Update(pool string, want []ipvssync.Service)
	// Servers reads back what the kernel holds of a virtual server.
	Servers(ctx context.Context, pool string) (map[ipvssync.Key][]ipvssync.ServerState, error)
}

// Options are the surroundings of a Set.
type Options struct {
	Kernel Kernel
	Bus    *event.Bus
	// StateDir has the operators' intent; "" keeps it in memory.
	StateDir string
	// Post has a function run later on the goroutine that the Set belongs to.
	Post func(func())
	// OnChange hears of every change after its event.
	OnChange func(pool string, c ipvssync.Change)
	// OnQuorum hears whether all virtual servers that are tracked under id have their quorum.
	OnQuorum func(id string, ok bool)
}

// Set is every virtual server of the configuration in force.
type Set struct {
	o     Options
	ctx   context.Context
	order []string // ids as the configuration has them
	pools map[string]*ipvssync.Pool
	// moving are those in which time does something: a drain or a slow start is under way.
	moving map[string]*ipvssync.Pool
	// gone are those that a reload under way removes at its end.
	gone map[string]*ipvssync.Pool

	// tracked are the pools of tracked virtual servers by track id, quorums what was told of them.
	tracked map[string][]string
	quorums map[string]quorum

	// setting counts the writes of the whole table under way; overtaken are the pools that changed meanwhile.
	setting   int
	overtaken map[string]bool

	intent state.Intent
	quiet  bool // verdicts are being restored: nothing of it is news
	known  map[string]bool
	timer  *time.Timer
	due    time.Time // when timer fires
}

// New makes an empty Set. Readings of the kernel end with ctx.
func New(ctx context.Context, o Options) *Set {
	return &Set{o: o, ctx: ctx, pools: map[string]*ipvssync.Pool{}, gone: map[string]*ipvssync.Pool{}, moving: map[string]*ipvssync.Pool{}, overtaken: map[string]bool{},
		timer: time.NewTimer(idle), due: time.Now().Add(idle)}
}

// Len is how many virtual servers there are.
func (s *Set) Len() int { return len(s.pools) }

// All are the virtual servers as the configuration orders them.
func (s *Set) All() iter.Seq[*ipvssync.Pool] {
	return func(yield func(*ipvssync.Pool) bool) {
		for _, id := range s.order {
			if !yield(s.pools[id]) {
				return
			}
		}
	}
}

// IDs are those of the virtual servers as the configuration orders them. The caller does not change them; they stay as they are when the
// configuration changes.
func (s *Set) IDs() []string { return s.order }

// Get is the virtual server with this id, nil when there is none.
func (s *Set) Get(id string) *ipvssync.Pool { return s.pools[id] }

// Reconfigure brings the pools to the configuration, in which a real server names its checks in the order of their index. Those that are
// gone are still wanted by Begin(true) until Forget.
func (s *Set) Reconfigure(specs []ipvssync.VirtualServer) {
	now := time.Now()
	old := s.pools
	clear(s.moving)
	s.pools, s.order = make(map[string]*ipvssync.Pool, len(specs)), make([]string, 0, len(specs))
	for _, spec := range specs {
		p := old[spec.ID]
		delete(old, spec.ID)
		var changes []ipvssync.Change
		switch {
		case p == nil:
			p, changes = ipvssync.NewPool(now, spec)
		case !reflect.DeepEqual(p.Spec(), spec):
			changes = p.Reconfigure(now, spec)
		}
		s.pools[spec.ID] = p
		s.order = append(s.order, spec.ID)
		changes = append(changes, s.intent.Impose(now, p)...)
		s.watch(spec.ID, p)
		s.tell(spec.ID, changes)
	}
	s.gone = old
	s.arm()
}

// Continue is Reconfigure for the pools of a process before, of which known are those that it had: how they begin, before their state is
// restored, is not news.
func (s *Set) Continue(specs []ipvssync.VirtualServer, known map[string]bool) {
	s.known = known
	defer func() { s.known = nil }()
	s.Reconfigure(specs)
}

// Forget lets go of what the last Reconfigure removed.
func (s *Set) Forget() { s.gone = nil }

// Begin is everything that IPVS should hold now; with keep also what was removed and not forgotten. The caller writes it as a whole and says
// End afterwards, however that went.
func (s *Set) Begin(keep bool) map[string][]ipvssync.Service {
	want := make(map[string][]ipvssync.Service, len(s.pools))
	for id, p := range s.pools {
		want[id] = p.Want()
	}
	if keep {
		for id, p := range s.gone {
			want[id] = p.Want()
		}
	}
	s.setting++
	return want
}

// End repeats what verdicts wanted since Begin: the write of the whole may have overtaken it.
func (s *Set) End() {
	s.setting--
	for id := range s.overtaken {
		if p := s.pools[id]; p != nil {
			s.o.Kernel.Update(id, p.Want())
		}
	}
	if s.setting == 0 {
		clear(s.overtaken)
	}
}

// Quietly does f while no change of any pool is news.
func (s *Set) Quietly(f func()) {
	s.quiet = true
	defer func() { s.quiet = false }()
	f()
}

// Held is which virtual servers have their quorum.
func (s *Set) Held() map[string]bool {
	held := make(map[string]bool, len(s.pools))
	for id, p := range s.pools {
		held[id] = p.HasQuorum()
	}
	return held
}

// Restore continues what a process before held of the quorums.
func (s *Set) Restore(held map[string]bool) {
	now := time.Now()
	for _, id := range s.order {
		if was, ok := held[id]; ok {
			s.changed(s.pools[id], s.pools[id].RestoreQuorum(now, was))
		}
	}
}

// SetHealth takes a check's state. The check of a server that is not here is ignored.
func (s *Set) SetHealth(id checkers.ID, up bool, w checkers.Weight) {
	p := s.pools[id.Virtual]
	if p == nil {
		return
	}
	servers := p.Spec().Servers
	i := slices.IndexFunc(servers, func(rs ipvssync.RealServer) bool { return rs.ID == id.Real })
	if i < 0 || id.Index >= len(servers[i].Checks) {
		return
	}
	s.changed(p, p.SetHealth(time.Now(), id.Real, servers[i].Checks[id.Index], health(up, w, servers[i].Weight)))
}

// health is a check's state as the pool takes it.
func health(up bool, w checkers.Weight, configured int) ipvssync.Health {
	// An agent's 0% is a drain, as in HAProxy: weight 0 under a scheduler that hashes would lose connections.
	h := ipvssync.Health{Up: up, Drain: w.Drain || w.Mode == checkers.Percent && w.Value == 0}
	switch w.Mode {
	case checkers.Absolute, checkers.Percent:
		h.HasWeight, h.Weight = true, checkers.EffectiveWeight(configured, w)
	case checkers.Added:
		h.Delta = w.Value
	}
	return h
}

// Suspend lets the virtual servers rest of which rests says so, and wakes the others. The kernel's owner hears of those that changed at the next
// Begin, or of each one by Update.
func (s *Set) Suspend(rests func(id string) bool) (changed []string) {
	for id, p := range s.pools {
		if r := rests(id); p.Suspended() != r {
			p.Suspend(r)
			changed = append(changed, id)
		}
	}
	return changed
}

// Update hands what one virtual server wants now to the kernel's owner.
func (s *Set) Update(id string) {
	if p := s.pools[id]; p != nil {
		s.update(id, p)
	}
}

// watch keeps the pools in mind in which time does something: thousands of others need no look every second.
func (s *Set) watch(id string, p *ipvssync.Pool) {
	at, waits := p.Next()
	if waits || p.Draining() {
		s.moving[id] = p
	} else {
		delete(s.moving, id)
	}
	if waits && at.Before(s.due) {
		s.arm()
	}
}

// changed tells what happened to a pool and hands what it wants now to the kernel's owner.
func (s *Set) changed(p *ipvssync.Pool, changes []ipvssync.Change) {
	id := p.Spec().ID
	s.watch(id, p)
	if len(changes) == 0 {
		return
	}
	s.tell(id, changes)
	s.update(id, p)
	s.tellQuorums(false)
}

func (s *Set) update(id string, p *ipvssync.Pool) {
	s.o.Kernel.Update(id, p.Want())
	if s.setting > 0 {
		s.overtaken[id] = true
	}
}

func (s *Set) tell(pool string, changes []ipvssync.Change) {
	if _, known := s.known[pool]; s.quiet || known {
		return
	}
	for _, c := range changes {
		if c.Kind == ipvssync.Drained {
			s.noteDrained(pool, c.Server)
		}
		tell.Pool(s.o.Bus, pool, c)
		s.o.OnChange(pool, c)
	}
}

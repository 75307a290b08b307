package vrrptest

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/holdfast-ha/holdfast/vrrp"
)

// LAN is one broadcast domain per interface name. Not safe for concurrent use.
type LAN struct {
	Now     time.Time
	Rand    *rand.Rand
	Routers []*Router
	// Loss, Double are probabilities for each receiver; packets take between MinDelay and MaxDelay, so they may overtake each other.
	Loss, Double       float64
	MinDelay, MaxDelay time.Duration
	// Late is the most a router's timers run late.
	Late time.Duration
	// Problems are broken promises, with the time.
	Problems []string
	// Trace, when set, gets a line for everything that happens.
	Trace func(string)

	flying flight
	seq    uint64
	start  time.Time
}

// Router is one router on the LAN.
type Router struct {
	Name string
	Addr netip.Addr
	// Addr6 is its link-local address.
	Addr6    netip.Addr
	Config   vrrp.Config
	Machines *vrrp.Machines
	// Held are the addresses it has in its kernel, by instance.
	Held map[vrrp.ID][]vrrp.Address
	// Down: powered off or killed. Paused until: the process does not run but the kernel collects packets.
	Down        bool
	PausedUntil time.Time
	// Cut is the number of the partition the router is in, by interface.
	Cut map[string]int
	// Transitions are all transitions it told.
	Transitions []vrrp.Transition
	// Notices are all notices it told.
	Notices  []vrrp.Notice
	Released bool

	lan    *LAN
	links  map[string]vrrp.Link
	ready  vrrp.Ready
	tracks map[string]vrrp.Track
	buffer []vrrp.Packet
	lateBy time.Duration
	// stopping: it has been told to stop.
	stopping bool
}

type packet struct {
	at  time.Time
	seq uint64
	to  *Router
	p   vrrp.Packet
}

type flight []packet

func (f flight) Len() int { return len(f) }
func (f flight) Less(i, j int) bool {
	if !f[i].at.Equal(f[j].at) {
		return f[i].at.Before(f[j].at)
	}
	return f[i].seq < f[j].seq
}
func (f flight) Swap(i, j int) { f[i], f[j] = f[j], f[i] }

// Push is for container/heap.
func (f *flight) Push(x any) { *f = append(*f, x.(packet)) }

// Pop is for container/heap.
func (f *flight) Pop() any {
	old := *f
	x := old[len(old)-1]
	*f = old[:len(old)-1]
	return x
}

// New makes an empty LAN without loss and with a delay of 0.1 to 0.5 ms.
func New(seed uint64) *LAN {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return &LAN{
		Now: start, start: start, Rand: rand.New(rand.NewPCG(seed, 9568)),
		MinDelay: 100 * time.Microsecond, MaxDelay: 500 * time.Microsecond, Late: time.Millisecond,
	}
}

// Add puts a router with this configuration on the LAN; its addresses are 192.0.2.n and fe80::n. All interfaces it names are up, and it is READY.
func (l *LAN) Add(n byte, cfg vrrp.Config) *Router {
	r := &Router{
		Name: fmt.Sprintf("r%d", n), Addr: netip.AddrFrom4([4]byte{192, 0, 2, n}), Addr6: netip.AddrFrom16([16]byte{0xfe, 0x80, 15: n}),
		Config: cfg, Cut: map[string]int{}, lan: l, links: map[string]vrrp.Link{}, tracks: map[string]vrrp.Track{}, ready: vrrp.Ready{OK: true},
	}
	for _, i := range cfg.Instances {
		r.links[i.Interface] = vrrp.Link{Name: i.Interface, Exists: true, Up: true, Source4: r.Addr, Source6: r.Addr6}
	}
	l.Routers = append(l.Routers, r)
	r.boot(nil)
	return r
}

// boot starts the process, adopting what a former one was if that is given.
func (r *Router) boot(adopt *vrrp.Adopt) {
	r.Machines = vrrp.New()
	if adopt == nil {
		r.Held = map[vrrp.ID][]vrrp.Address{}
	}
	r.Down, r.Released, r.stopping, r.buffer = false, false, false, nil
	r.lateBy = time.Duration(r.lan.Rand.Int64N(int64(r.lan.Late) + 1))
	for _, name := range sortedLinks(r.links) {
		r.step(r.links[name])
	}
	r.did(r.Machines.Apply(r.lan.Now, r.Config))
	if adopt != nil {
		r.step(*adopt)
	}
	r.step(r.ready)
	for _, id := range sortedTracks(r.tracks) {
		r.step(r.tracks[id])
	}
	r.check()
}

func sortedLinks(m map[string]vrrp.Link) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func sortedTracks(m map[string]vrrp.Track) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// PowerOff takes the router away with everything it has.
func (l *LAN) PowerOff(r *Router) {
	l.trace("%s power off", r.Name)
	r.Down, r.Held = true, map[vrrp.ID][]vrrp.Address{}
}

// PowerOn boots a router that was off; it does nothing to one that runs.
func (l *LAN) PowerOn(r *Router) {
	if r.Down || r.Released {
		l.trace("%s power on", r.Name)
		r.boot(nil)
	}
}

// Kill ends the process and starts it again after d with adoption; d must be below twice the shortest advert interval.
func (l *LAN) Kill(r *Router, d time.Duration) {
	if r.Down || r.Released {
		return
	}
	l.trace("%s killed for %s", r.Name, d)
	var a vrrp.Adopt
	for _, s := range r.Machines.Snapshot() {
		a.Instances = append(a.Instances, vrrp.Adopted{ID: s.ID, State: s.State, Priority: s.Priority})
	}
	r.Down = true
	l.Run(d)
	l.trace("%s adopts", r.Name)
	r.boot(&a)
}

// Pause stops the process for d from now; packets are kept for it as a socket would.
func (l *LAN) Pause(r *Router, d time.Duration) {
	l.trace("%s paused for %s", r.Name, d)
	r.PausedUntil = l.Now.Add(d)
}

// SetLink changes the link of one interface.
func (l *LAN) SetLink(r *Router, name string, up bool) {
	l.trace("%s %s up=%t", r.Name, name, up)
	k := r.links[name]
	k.Up = up
	r.links[name] = k
	if r.runs() {
		r.step(k)
		r.check()
	}
}

// SetTrack changes the value of a tracker.
func (l *LAN) SetTrack(r *Router, t vrrp.Track) {
	l.trace("%s track %+v", r.Name, t)
	r.tracks[t.ID] = t
	if r.runs() {
		r.step(t)
		r.check()
	}
}

// SetReady changes whether the router could serve.
func (l *LAN) SetReady(r *Router, ready vrrp.Ready) {
	l.trace("%s ready %+v", r.Name, ready)
	r.ready = ready
	if r.runs() {
		r.step(ready)
		r.check()
	}
}

// Reload applies another configuration.
func (l *LAN) Reload(r *Router, cfg vrrp.Config) {
	l.trace("%s reload", r.Name)
	r.Config = cfg
	if r.runs() {
		r.did(r.Machines.Apply(l.Now, cfg))
		r.check()
	}
}

// Do hands the router an event.
func (l *LAN) Do(r *Router, ev vrrp.Event) {
	if r.runs() {
		l.trace("%s does %T%+v", r.Name, ev, ev)
		r.step(ev)
		r.check()
	}
}

func (r *Router) runs() bool { return !r.Down && !r.lan.Now.Before(r.PausedUntil) }

func (r *Router) step(ev vrrp.Event) { r.did(r.Machines.Step(r.lan.Now, ev)) }

// did carries actions out.
func (r *Router) did(actions []vrrp.Action) {
	for _, a := range actions {
		switch a := a.(type) {
		case vrrp.Send:
			src := r.Addr
			if a.ID.Family == vrrp.IPv6 {
				src = r.Addr6
			}
			r.lan.trace("%s %s sends %d", r.Name, a.ID, a.Priority)
			for _, o := range r.Machines.Packet(a, src) {
				r.lan.send(r, a.ID, src, o)
			}
		case vrrp.Hold:
			r.lan.trace("%s %s holds %d", r.Name, a.ID, len(a.Addresses))
			if len(a.Addresses) == 0 {
				delete(r.Held, a.ID)
			} else {
				r.Held[a.ID] = slices.Clone(a.Addresses)
			}
		case vrrp.Transition:
			r.lan.trace("%s %s %s>%s %d: %s", r.Name, a.ID, a.From, a.To, a.Priority, a.Reason)
			r.Transitions = append(r.Transitions, a)
		case vrrp.Notice:
			r.lan.trace("%s %s notice %s: %s", r.Name, a.ID, a.Kind, a.Detail)
			r.Notices = append(r.Notices, a)
		case vrrp.Refused:
			r.lan.trace("%s %s refused: %s", r.Name, a.ID, a.Refusal.Error())
		case vrrp.Released:
			r.lan.trace("%s released", r.Name)
			r.Released = true
		}
	}
}

func (l *LAN) send(from *Router, id vrrp.ID, src netip.Addr, o vrrp.Outgoing) {
	if from.Down || !from.links[id.Interface].Up {
		return
	}
	for _, to := range l.Routers {
		if to == from || to.Cut[id.Interface] != from.Cut[id.Interface] || !o.Dst.IsMulticast() && o.Dst != to.Addr && o.Dst != to.Addr6 {
			continue
		}
		p := vrrp.Packet{Interface: id.Interface, Family: id.Family, Src: src, Dst: o.Dst, TTL: o.TTL, Proto: o.Proto, IPID: o.IPID, Payload: o.Payload}
		copies := 1
		if l.Double > 0 && l.Rand.Float64() < l.Double {
			copies = 2
		}
		for range copies {
			if l.Loss > 0 && l.Rand.Float64() < l.Loss {
				continue
			}
			l.seq++
			at := l.Now.Add(l.MinDelay + time.Duration(l.Rand.Int64N(int64(l.MaxDelay-l.MinDelay)+1)))
			heap.Push(&l.flying, packet{at: at, seq: l.seq, to: to, p: p})
		}
	}
}

// Run lets d pass.
func (l *LAN) Run(d time.Duration) {
	end := l.Now.Add(d)
	for {
		at, what := end, -2
		if len(l.flying) > 0 && l.flying[0].at.Before(at) {
			at, what = l.flying[0].at, -1
		}
		for i, r := range l.Routers {
			if r.Down {
				continue
			}
			due, ok := r.Machines.Deadline()
			due = due.Add(r.lateBy)
			if len(r.buffer) > 0 {
				due, ok = r.PausedUntil, true
			}
			if !ok {
				continue
			}
			if due.Before(r.PausedUntil) {
				due = r.PausedUntil
			}
			if due.Before(l.Now) {
				due = l.Now
			}
			if due.Before(at) {
				at, what = due, i
			}
		}
		l.Now = at
		switch what {
		case -2:
			return
		case -1:
			p := heap.Pop(&l.flying).(packet)
			l.deliver(p)
		default:
			r := l.Routers[what]
			// Sockets are read empty before a timer is believed.
			buffered := r.buffer
			r.buffer = nil
			for _, p := range buffered {
				r.did(r.Machines.Receive(l.Now, p))
			}
			r.step(vrrp.Tick{})
			r.lateBy = time.Duration(l.Rand.Int64N(int64(l.Late) + 1))
			r.check()
		}
	}
}

func (l *LAN) deliver(p packet) {
	r := p.to
	switch {
	case r.Down || !r.links[p.p.Interface].Up:
	case l.Now.Before(r.PausedUntil):
		if len(r.buffer) < 64 {
			r.buffer = append(r.buffer, p.p)
		}
	default:
		r.did(r.Machines.Receive(l.Now, p.p))
		r.check()
	}
}

func (l *LAN) trace(format string, args ...any) {
	if l.Trace != nil {
		l.Trace(fmt.Sprintf("%10.4f ", l.Now.Sub(l.start).Seconds()) + fmt.Sprintf(format, args...))
	}
}

// Problem records a broken promise.
func (l *LAN) Problem(format string, args ...any) {
	l.trace("PROBLEM "+format, args...)
	l.Problems = append(l.Problems, fmt.Sprintf("%.4f s: ", l.Now.Sub(l.start).Seconds())+fmt.Sprintf(format, args...))
}

// check holds what must hold for every router after every step: addresses are held exactly while MASTER, and the members of a sync group
// are in one state.
func (r *Router) check() {
	groups := map[string]vrrp.State{}
	for _, s := range r.Machines.Snapshot() {
		if held := len(r.Held[s.ID]) > 0; held != (s.State == vrrp.Master) {
			r.lan.Problem("%s %s is %s and holds %d addresses", r.Name, s.ID, s.State, len(r.Held[s.ID]))
		}
		if s.Group == "" {
			continue
		}
		if other, seen := groups[s.Group]; seen && other != s.State {
			r.lan.Problem("%s sync group %s has members in %s and %s", r.Name, s.Group, other, s.State)
		}
		groups[s.Group] = s.State
	}
}

// Owners are the routers that hold addresses of an instance.
func (l *LAN) Owners(id vrrp.ID) []*Router {
	var out []*Router
	for _, r := range l.Routers {
		if len(r.Held[id]) > 0 {
			out = append(out, r)
		}
	}
	return out
}

// Master is the only owner of an instance; nil if there is none or more than one.
func (l *LAN) Master(id vrrp.ID) *Router {
	if o := l.Owners(id); len(o) == 1 {
		return o[0]
	}
	return nil
}

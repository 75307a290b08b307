package vrrptest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/holdfast-ha/holdfast/vrrp"
)

// LAN is one broadcast domain per interface name. Not safe for concurrent use.
type LAN struct {
	Rand    *rand.Rand
	Routers []*Router
	// Loss, Double are probabilities for each receiver; packets take between MinDelay and MaxDelay, so they may overtake each other.
	Loss, Double       float64
	MinDelay, MaxDelay time.Duration
	// Late is the most a router's timers run late.
	Late time.Duration
	// Drift is the most that a router's clock is too fast or too slow, in millionths; Offset the most it is ahead or behind at the start. Both
	// count for routers added later.
	Drift  int64
	Offset time.Duration
	// Problems are broken promises, with the time.
	Problems []string
	// Trace, when set, gets a line for everything that happens.
	Trace func(string)

	// Events counts the timers and packets there were.
	Events int

	flying flight
	seq    uint64
	start  time.Time
	now    time.Duration // since start, by a clock that is right
	// onOwners is told after every step that took addresses or let them go.
	onOwners func()
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
	// Down: powered off or killed.
	Down bool
	// Cut is the number of the partition the router is in, by interface.
	Cut map[string]int
	// Transitions are all transitions it told.
	Transitions []vrrp.Transition
	// Notices are all notices it told.
	Notices  []vrrp.Notice
	Released bool
	// Remembers: it stores its sequences.
	Remembers bool

	lan    *LAN
	links  map[string]vrrp.Link
	ready  vrrp.Ready
	tracks map[string]vrrp.Track
	buffer []*vrrp.Packet
	missed []func() // what happened while it was paused
	lateBy time.Duration
	// drift and offset are those of its clock.
	drift  int64
	offset time.Duration
	// applied is the configuration it has taken: not yet the last one while it is paused, none any more while it stops.
	applied vrrp.Config
	// stopping: it has been told to stop.
	stopping bool

	// due is when its next timer is, by the right clock; negative if none waits.
	due time.Duration
	// pausedUntil: until then the process does not run but the kernel collects packets.
	pausedUntil time.Duration
	// states are those after the last step, sent what was sent in this one, moved that addresses came or went in it.
	states map[vrrp.ID]vrrp.State
	groups map[string]vrrp.State
	became map[vrrp.ID]bool // MASTER in this step
	sent   []vrrp.Send
	// stored are the sequences as a router writes them once a second.
	stored   []vrrp.Sequences
	storedAt time.Duration
	moved    bool
}

// clock is the router's own.
func (r *Router) clock() time.Time {
	t := r.lan.now
	return r.lan.start.Add(r.offset + t + t/1e6*time.Duration(r.drift))
}

// at is when the router's clock shows t, by the right one, never too early.
func (r *Router) at(t time.Time) time.Duration {
	shows := t.Sub(r.lan.start) - r.offset
	return shows - shows/(1e6+time.Duration(r.drift))*time.Duration(r.drift) + 2*time.Microsecond
}

type packet struct {
	at  time.Duration
	seq uint64
	to  *Router
	p   *vrrp.Packet
}

// flight is a heap of packets on their way.
type flight []packet

func (f flight) before(i, j int) bool {
	return f[i].at < f[j].at || f[i].at == f[j].at && f[i].seq < f[j].seq
}

func (f *flight) push(p packet) {
	h := append(*f, p)
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if !h.before(i, up) {
			break
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
	*f = h
}

func (f *flight) pop() packet {
	h := *f
	p := h[0]
	n := len(h) - 1
	h[0] = h[n]
	h[n] = packet{}
	h = h[:n]
	for i := 0; ; {
		low := 2*i + 1
		if low >= n {
			break
		}
		if low+1 < n && h.before(low+1, low) {
			low++
		}
		if !h.before(low, i) {
			break
		}
		h[i], h[low] = h[low], h[i]
		i = low
	}
	*f = h
	return p
}

// New makes an empty LAN without loss and with a delay of 0.1 to 0.5 ms.
func New(seed uint64) *LAN {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return &LAN{
		start: start, Rand: rand.New(rand.NewPCG(seed, 9568)),
		MinDelay: 100 * time.Microsecond, MaxDelay: 500 * time.Microsecond, Late: time.Millisecond,
	}
}

// Add puts a router with this configuration on the LAN; its addresses are 192.0.2.n and fe80::n. All interfaces it names are up, and it is READY.
func (l *LAN) Add(n byte, cfg vrrp.Config) *Router {
	r := &Router{
		Name: fmt.Sprintf("r%d", n), Addr: netip.AddrFrom4([4]byte{192, 0, 2, n}), Addr6: netip.AddrFrom16([16]byte{0xfe, 0x80, 15: n}),
		Config: cfg, Cut: map[string]int{}, lan: l, links: map[string]vrrp.Link{}, tracks: map[string]vrrp.Track{}, ready: vrrp.Ready{OK: true},
		states: map[vrrp.ID]vrrp.State{}, groups: map[string]vrrp.State{}, became: map[vrrp.ID]bool{},
	}
	if l.Drift > 0 {
		r.drift = l.Rand.Int64N(2*l.Drift+1) - l.Drift
	}
	if l.Offset > 0 {
		r.offset = time.Duration(l.Rand.Int64N(int64(2*l.Offset+1))) - l.Offset
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
	clear(r.states)
	r.moved = true
	r.Down, r.Released, r.stopping, r.buffer, r.missed = false, false, false, nil, nil
	r.lateBy = time.Duration(r.lan.Rand.Int64N(int64(r.lan.Late) + 1))
	for _, s := range r.stored {
		r.step(s)
	}
	for _, name := range sortedLinks(r.links) {
		r.step(r.links[name])
	}
	r.applied = r.Config
	r.did(r.Machines.Apply(r.clock(), r.Config))
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
	r.Down, r.Held, r.stored = true, map[vrrp.ID][]vrrp.Address{}, nil
	if l.onOwners != nil {
		l.onOwners()
	}
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
	r.Config = r.applied // what is stored is what it had taken
	l.Run(d)
	l.trace("%s adopts", r.Name)
	r.boot(&a)
}

// Pause stops the process for d from now; packets are kept for it as a socket would.
func (l *LAN) Pause(r *Router, d time.Duration) {
	l.trace("%s paused for %s", r.Name, d)
	r.pausedUntil = l.now + d
}

// SetLink changes the link of one interface.
func (l *LAN) SetLink(r *Router, name string, up bool) {
	l.trace("%s %s up=%t", r.Name, name, up)
	k := r.links[name]
	k.Up = up
	r.links[name] = k
	r.tell(func() { r.step(k) })
}

// SetTrack changes the value of a tracker.
func (l *LAN) SetTrack(r *Router, t vrrp.Track) {
	l.trace("%s track %+v", r.Name, t)
	r.tracks[t.ID] = t
	r.tell(func() { r.step(t) })
}

// SetReady changes whether the router could serve.
func (l *LAN) SetReady(r *Router, ready vrrp.Ready) {
	l.trace("%s ready %+v", r.Name, ready)
	r.ready = ready
	r.tell(func() { r.step(ready) })
}

// Reload applies another configuration.
func (l *LAN) Reload(r *Router, cfg vrrp.Config) {
	l.trace("%s reload", r.Name)
	r.Config = cfg
	r.tell(func() {
		if !r.stopping {
			r.applied = cfg
		}
		r.did(r.Machines.Apply(r.clock(), cfg))
	})
}

// Do hands the router an event.
func (l *LAN) Do(r *Router, ev vrrp.Event) {
	if !r.Down {
		l.trace("%s does %T%+v", r.Name, ev, ev)
		r.tell(func() { r.step(ev) })
	}
}

// tell lets something happen to the router: now, or, as the kernel and the socketpair keep it for a paused process, when it runs again.
func (r *Router) tell(f func()) {
	switch {
	case r.Down:
	case r.runs() && len(r.missed) == 0:
		f()
		r.check()
	default:
		r.missed = append(r.missed, f)
	}
}

func (r *Router) runs() bool { return !r.Down && r.lan.now >= r.pausedUntil }

func (r *Router) step(ev vrrp.Event) { r.did(r.Machines.Step(r.clock(), ev)) }

// did carries actions out.
func (r *Router) did(actions []vrrp.Action) {
	l := r.lan
	for _, a := range actions {
		if l.Trace != nil {
			r.traceAction(a)
		}
		switch a := a.(type) {
		case vrrp.Send:
			r.sent = append(r.sent, a)
			src := r.Addr
			if a.ID.Family == vrrp.IPv6 {
				src = r.Addr6
			}
			for _, o := range r.Machines.Packet(a, src) {
				l.send(r, a.ID, src, o)
			}
		case vrrp.Hold:
			r.moved = true
			if len(a.Addresses) == 0 {
				delete(r.Held, a.ID)
			} else {
				r.Held[a.ID] = a.Addresses
			}
		case vrrp.Transition:
			r.Transitions = append(r.Transitions, a)
			if a.To == vrrp.Master {
				r.became[a.ID] = true
			}
		case vrrp.Notice:
			r.Notices = append(r.Notices, a)
		case vrrp.Released:
			r.Released = true
		}
	}
}

func (r *Router) traceAction(a vrrp.Action) {
	l := r.lan
	switch a := a.(type) {
	case vrrp.Send:
		l.trace("%s %s sends %d", r.Name, a.ID, a.Priority)
	case vrrp.Hold:
		l.trace("%s %s holds %d", r.Name, a.ID, len(a.Addresses))
	case vrrp.Transition:
		l.trace("%s %s %s>%s %d: %s", r.Name, a.ID, a.From, a.To, a.Priority, a.Reason)
	case vrrp.Notice:
		l.trace("%s %s notice %s: %s", r.Name, a.ID, a.Kind, a.Detail)
	case vrrp.Refused:
		l.trace("%s %s refused: %s", r.Name, a.ID, a.Refusal.Error())
	case vrrp.Released:
		l.trace("%s released", r.Name)
	}
}

func (l *LAN) send(from *Router, id vrrp.ID, src netip.Addr, o vrrp.Outgoing) {
	if from.Down || !from.links[id.Interface].Up {
		return
	}
	var p *vrrp.Packet
	for _, to := range l.Routers {
		if to == from || to.Cut[id.Interface] != from.Cut[id.Interface] || !o.Dst.IsMulticast() && o.Dst != to.Addr && o.Dst != to.Addr6 {
			continue
		}
		copies := 1
		if l.Double > 0 && l.Rand.Float64() < l.Double {
			copies = 2
		}
		for range copies {
			if l.Loss > 0 && l.Rand.Float64() < l.Loss {
				continue
			}
			if p == nil {
				p = &vrrp.Packet{Interface: id.Interface, Family: id.Family, Src: src, Dst: o.Dst, TTL: o.TTL, Proto: o.Proto, IPID: o.IPID, Payload: o.Payload}
			}
			l.seq++
			at := l.now + l.MinDelay + time.Duration(l.Rand.Int64N(int64(l.MaxDelay-l.MinDelay)+1))
			l.flying.push(packet{at: at, seq: l.seq, to: to, p: p})
		}
	}
}

// maxStill is more than can happen at one moment unless somebody goes in circles.
const maxStill = 10000

// Run lets d pass.
func (l *LAN) Run(d time.Duration) {
	end := l.now + d
	for still := 0; ; still++ {
		at, what := end, -2
		if len(l.flying) > 0 && l.flying[0].at < at {
			at, what = l.flying[0].at, -1
		}
		for i, r := range l.Routers {
			if r.Down {
				continue
			}
			due := r.due + r.lateBy
			if len(r.buffer) > 0 || len(r.missed) > 0 {
				due = r.pausedUntil
			} else if r.due < 0 {
				continue
			}
			if due = max(due, r.pausedUntil, l.now); due < at {
				at, what = due, i
			}
		}
		if at > l.now {
			still = 0
		}
		if still > maxStill {
			l.Problem("%d events at one moment", still)
			return
		}
		l.now = at
		switch what {
		case -2:
			return
		case -1:
			l.Events++
			l.deliver(l.flying.pop())
		default:
			l.Events++
			r := l.Routers[what]
			// Sockets are read empty before a timer is believed.
			buffered, missed := r.buffer, r.missed
			r.buffer, r.missed = nil, nil
			for _, f := range missed {
				f()
				r.check()
			}
			for _, p := range buffered {
				r.did(r.Machines.Receive(r.clock(), *p))
				r.check()
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
	case l.now < r.pausedUntil:
		if len(r.buffer) < 64 {
			r.buffer = append(r.buffer, p.p)
		}
	default:
		r.did(r.Machines.Receive(r.clock(), *p.p))
		r.check()
	}
}

// Elapsed is the time since the LAN was made.
func (l *LAN) Elapsed() time.Duration { return l.now }

func (l *LAN) trace(format string, args ...any) {
	if l.Trace != nil {
		l.Trace(fmt.Sprintf("%10.4f ", l.now.Seconds()) + fmt.Sprintf(format, args...))
	}
}

// Problem records a broken promise.
func (l *LAN) Problem(format string, args ...any) {
	l.trace("PROBLEM "+format, args...)
	l.Problems = append(l.Problems, fmt.Sprintf("%.4f s: ", l.now.Seconds())+fmt.Sprintf(format, args...))
}

// check holds what must hold for every router after every step: addresses are held exactly while MASTER, the members of a sync group
// are in one state, and only a MASTER, or one that becomes or stops being MASTER in this very step, advertises.
func (r *Router) check() {
	l := r.lan
	clear(r.groups)
	there := 0
	r.Machines.Each(func(id vrrp.ID, group string, s vrrp.State) {
		if held := r.Held[id]; len(held) > 0 {
			there++
			if want := r.wants(id); r.moved && !r.stopping && !slices.Equal(held, want) {
				l.Problem("%s %s holds %d addresses, its configuration has %d", r.Name, id, len(held), len(want))
			}
		}
		if held := len(r.Held[id]) > 0; held != (s == vrrp.Master) {
			l.Problem("%s %s is %s and holds %d addresses", r.Name, id, s, len(r.Held[id]))
		}
		for _, x := range r.sent {
			if x.ID == id && r.states[id] != vrrp.Master && !r.became[id] {
				l.Problem("%s %s sent priority %d while %s", r.Name, id, x.Priority, r.states[id])
			}
		}
		r.states[id] = s
		delete(r.became, id)
		if group == "" {
			return
		}
		if other, seen := r.groups[group]; seen && other != s {
			l.Problem("%s sync group %s has members in %s and %s", r.Name, group, other, s)
		}
		r.groups[group] = s
	})
	for id := range r.states {
		if !slices.ContainsFunc(r.applied.Instances, func(i vrrp.Instance) bool { return i.ID() == id }) {
			delete(r.states, id)
		}
	}
	if there != len(r.Held) {
		l.Problem("%s holds addresses of an instance that it has not got", r.Name)
	}
	r.sent = r.sent[:0]
	if r.Remembers && l.now-r.storedAt >= time.Second {
		r.stored, r.storedAt = r.Machines.Sequences(), l.now
	}
	r.due = -1
	if due, ok := r.Machines.Deadline(); ok {
		r.due = r.at(due)
	}
	if r.moved && l.onOwners != nil {
		l.onOwners()
	}
	r.moved = false
}

// wants are the addresses of an instance in the router's configuration.
func (r *Router) wants(id vrrp.ID) []vrrp.Address {
	for k := range r.applied.Instances {
		if r.applied.Instances[k].ID() == id {
			return r.applied.Instances[k].Addresses
		}
	}
	return nil
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

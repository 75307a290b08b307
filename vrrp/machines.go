package vrrp

import (
	"container/heap"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// ReadyCap is how long after its start a director that could not yet serve leaves a living MASTER of lower priority alone (design 6a).
const ReadyCap = 30 * time.Second

// Machines are the state machines of all instances of one router and the sync groups between them. Not safe for concurrent use.
type Machines struct {
	cfg  Config
	byID map[ID]*machine
	// onWire are those of one interface, family and number, in the order of the configuration.
	onWire map[wire][]*machine
	// gone were removed by the last Apply: what it said for them has still to be built.
	gone    map[ID]*machine
	units   []*unit
	waiting deadlines
	links   map[string]Link
	tracks  map[string]Track
	ready   Ready
	// startedAt is the time of the first Apply; unreadySince when READY was last lost, or the start.
	startedAt time.Time
	// bootedAt is when the kernel booted; zero if nobody has said.
	bootedAt     time.Time
	unreadySince time.Time
	// awayAt is when the absence of the balancer becomes a fault; zero while it is not away. It is set once until READY.
	awayAt   time.Time
	awayOver bool
	// succeededAt is when a successor was last heard of anything that was being handed over.
	succeededAt time.Time
	stopping    bool
	released    bool
	unknown     map[string]uint64
	foreign     map[ID]Foreign
	asks        []*ask
	pacers      map[string]*pacer
	// recalled are the sequences that a former process or a removed instance left.
	recalled map[ID]Sequences
	// now is the time of the last Step, Receive or Apply: what they say is signed with it.
	now time.Time
	out []Action
}

// New makes machines without any instance.
func New() *Machines {
	return &Machines{
		byID: map[ID]*machine{}, onWire: map[wire][]*machine{}, links: map[string]Link{}, tracks: map[string]Track{},
		unknown: map[string]uint64{}, foreign: map[ID]Foreign{}, pacers: map[string]*pacer{}, recalled: map[ID]Sequences{},
	}
}

// Step takes one event and answers with what is to be done.
func (ms *Machines) Step(now time.Time, ev Event) []Action {
	ms.out, ms.now = nil, now
	if !ms.released {
		ms.step(now, ev)
		ms.finish()
	}
	return ms.out
}

func (ms *Machines) step(now time.Time, ev Event) {
	switch ev := ev.(type) {
	case Tick:
		ms.tick(now)
	case Received:
		m := ms.byID[ev.ID]
		if m == nil {
			ms.unknown[string(ReasonVRID)]++
			return
		}
		if ev.Refusal != nil {
			ms.refuse(now, m, *ev.Refusal)
			return
		}
		ms.received(now, m, ev.Advert, ev.From.WithZone(""))
	case Link:
		if ms.links[ev.Name] == ev {
			return
		}
		ms.links[ev.Name] = ev
		for _, u := range ms.units {
			if u.usesInterface(ev.Name) {
				for _, m := range u.members {
					m.reconsider()
				}
				ms.evaluate(now, u)
			}
		}
	case Track:
		if ms.tracks[ev.ID] == ev {
			return
		}
		ms.tracks[ev.ID] = ev
		for _, u := range ms.units {
			if u.usesTrack(ev.ID) {
				ms.evaluate(now, u)
			}
		}
	case Ready:
		ms.setReady(now, ev)
	case Trouble:
		ms.trouble(now, ev)
	case Taken:
		ms.taken(now, ev)
	case Denied:
		ms.denied(now, ev)
	case Release:
		ms.releaseAll(now)
	case ReleaseNow:
		ms.releaseNow(now)
	case Handover:
		ms.handover(now, ev)
	case Adopt:
		ms.adopt(now, ev)
	case Booted:
		ms.bootedAt = now.Add(-ev.For)
	case Sequences:
		ms.recall(ev)
	}
}

// finish says Released once, when the last instance has let go.
func (ms *Machines) finish() {
	if !ms.stopping || ms.released {
		return
	}
	for _, u := range ms.units {
		if !u.stopped {
			return
		}
	}
	ms.released = true
	ms.emit(Released{})
}

func (ms *Machines) emit(a Action) {
	if s, ok := a.(Send); ok {
		m := ms.byID[s.ID]
		if m == nil {
			return
		}
		if s.Priority == 0 {
			m.counters.PriorityZeroSent++
		}
		m.counters.AdvertsSent++
	}
	ms.out = append(ms.out, a)
}

func (ms *Machines) notice(m *machine, kind, format string, args ...any) {
	ms.emit(Notice{ID: m.id, Name: m.cfg.Name, Kind: kind, Detail: fmt.Sprintf(format, args...), Priority: m.priority})
}

// noticeOf is a notice of somebody whom the operator will want to find.
func (ms *Machines) noticeOf(m *machine, from netip.Addr, kind, format string, args ...any) {
	ms.emit(Notice{ID: m.id, Name: m.cfg.Name, Kind: kind, Detail: fmt.Sprintf(format, args...), Priority: m.priority, From: from})
}

// Deadline is when Tick is due next; false if nothing waits.
func (ms *Machines) Deadline() (time.Time, bool) {
	var t time.Time
	if len(ms.waiting) > 0 {
		t = ms.waiting[0].next
	}
	if !ms.awayAt.IsZero() && !ms.awayOver && (t.IsZero() || ms.awayAt.Before(t)) {
		t = ms.awayAt
	}
	if at := ms.pumpAt(); !at.IsZero() && (t.IsZero() || at.Before(t)) {
		t = at
	}
	return t, !t.IsZero() && !ms.released
}

func (ms *Machines) tick(now time.Time) {
	if !ms.awayAt.IsZero() && !ms.awayOver && !now.Before(ms.awayAt) {
		ms.awayOver = true
		ms.evaluateServing(now)
	}
	ms.pump(now)
	var due []*unit
	for len(ms.waiting) > 0 && !ms.waiting[0].next.After(now) {
		u := heap.Pop(&ms.waiting).(*unit)
		due = append(due, u)
	}
	for _, u := range due {
		ms.expire(now, u)
		ms.reschedule(u)
	}
}

// reschedule puts a unit where its earliest timer belongs.
func (ms *Machines) reschedule(u *unit) {
	u.next = u.earliest()
	switch {
	case u.next.IsZero() && u.index >= 0:
		heap.Remove(&ms.waiting, u.index)
	case u.next.IsZero():
	case u.index >= 0:
		heap.Fix(&ms.waiting, u.index)
	default:
		heap.Push(&ms.waiting, u)
	}
}

// deadlines is a heap of units by their earliest timer.
type deadlines []*unit

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].next.Before(d[j].next) }
func (d deadlines) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].index, d[j].index = i, j
}

func (d *deadlines) Push(x any) {
	u := x.(*unit)
	u.index = len(*d)
	*d = append(*d, u)
}

func (d *deadlines) Pop() any {
	old := *d
	u := old[len(old)-1]
	u.index = -1
	*d = old[:len(old)-1]
	return u
}

func (ms *Machines) setReady(now time.Time, r Ready) {
	was := ms.ready
	if was == r {
		return
	}
	ms.ready = r
	if was.OK {
		ms.unreadySince = now
	}
	switch {
	case r.OK, r.Lasting && !r.Away:
		// It is back and as ready as it will ever be.
		ms.awayAt, ms.awayOver = time.Time{}, false
	default:
		// The budget is not refilled by a balancer that came back but is not READY.
		if r.Away && ms.awayAt.IsZero() && ms.cfg.HoldWithoutBalancer > 0 {
			ms.awayAt = now.Add(ms.cfg.HoldWithoutBalancer)
		}
	}
	ms.evaluateServing(now)
}

func (ms *Machines) evaluateServing(now time.Time) {
	for _, u := range ms.units {
		if slices.ContainsFunc(u.members, func(m *machine) bool { return m.cfg.Serves }) {
			ms.evaluate(now, u)
		}
	}
}

func (ms *Machines) trouble(now time.Time, t Trouble) {
	m := ms.byID[t.ID]
	if m == nil || m.troubles[t.Kind] == t.Detail {
		return
	}
	if t.Detail == "" {
		delete(m.troubles, t.Kind)
	} else {
		m.troubles[t.Kind] = t.Detail
	}
	ms.evaluate(now, m.unit)
}

// Unknown counts dropped packets that belong to no instance, by reason.
func (ms *Machines) Unknown() map[string]uint64 {
	out := make(map[string]uint64, len(ms.unknown))
	for k, v := range ms.unknown {
		out[k] = v
	}
	return out
}

// Foreign is another virtual router on a segment that no instance here belongs to.
type Foreign struct {
	ID       ID
	From     netip.Addr
	Version  uint8
	Priority uint8
	Last     time.Time
	Count    uint64
}

// Foreign lists the virtual routers heard that no instance here belongs to, ordered by identity.
func (ms *Machines) Foreign() []Foreign {
	out := make([]Foreign, 0, len(ms.foreign))
	for _, f := range ms.foreign {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b Foreign) int { return compareID(a.ID, b.ID) })
	return out
}

func compareID(a, b ID) int {
	if c := strings.Compare(a.Interface, b.Interface); c != 0 {
		return c
	}
	if a.Family != b.Family {
		return int(a.Family) - int(b.Family)
	}
	if a.VRID != b.VRID {
		return int(a.VRID) - int(b.VRID)
	}
	return strings.Compare(a.Part, b.Part)
}

package vrrp

import (
	"slices"
	"time"
)

// maxQueued bounds the frames that wait on one interface. More than that are older news than their place in the queue is worth.
const maxQueued = 10000

// pacer keeps garp_interval and gna_interval: the least time between two frames on one interface.
type pacer struct {
	next  time.Time
	queue []frame
}

type frame struct {
	id      ID
	address Address
	gap     time.Duration
}

// gap is the least time between two frames of the address's family.
func (m *machine) gap(a Address) time.Duration {
	if a.Prefix.Addr().Is4() {
		return m.cfg.Gratuitous.Interval
	}
	return m.cfg.Gratuitous.NAInterval
}

// announce has the addresses announced so many times, at once or, where a least interval is configured, one frame after the other.
func (ms *Machines) announce(now time.Time, m *machine, addresses []Address, repeat int) {
	repeat = max(repeat, 1)
	paced := func(a Address) bool { return m.gap(a) > 0 }
	if at := slices.DeleteFunc(slices.Clone(addresses), paced); len(at) > 0 {
		ms.emit(Announce{ID: m.id, Addresses: at, Repeat: repeat})
	}
	for range repeat {
		for _, a := range addresses {
			if !paced(a) {
				continue
			}
			name := a.Interface
			if name == "" {
				name = m.cfg.Interface
			}
			p := ms.pacers[name]
			if p == nil {
				p = &pacer{}
				ms.pacers[name] = p
			}
			if len(p.queue) < maxQueued {
				p.queue = append(p.queue, frame{id: m.id, address: a, gap: m.gap(a)})
			}
		}
	}
	ms.pump(now)
}

// pump sends what may go now.
func (ms *Machines) pump(now time.Time) {
	for _, p := range ms.pacers {
		for len(p.queue) > 0 && !now.Before(p.next) {
			f := p.queue[0]
			p.queue = p.queue[1:]
			p.next = now.Add(f.gap)
			ms.emit(Announce{ID: f.id, Addresses: []Address{f.address}, Repeat: 1})
		}
	}
}

// unpace forgets the frames of an instance that is no longer MASTER.
func (ms *Machines) unpace(id ID) {
	for _, p := range ms.pacers {
		p.queue = slices.DeleteFunc(p.queue, func(f frame) bool { return f.id == id })
	}
}

// pumpAt is when the next frame may go; zero if none waits.
func (ms *Machines) pumpAt() time.Time {
	var t time.Time
	for _, p := range ms.pacers {
		if len(p.queue) > 0 && (t.IsZero() || p.next.Before(t)) {
			t = p.next
		}
	}
	return t
}

package vrrptest

import (
	"time"

	"github.com/holdfast-ha/holdfast/vrrp"
)

// Simulate runs one schedule: two to four routers with one or two instances, a storm of faults, then quiet. It returns the promises that
// were broken.
//
// After every step of every router: addresses are held exactly while MASTER, the members of a sync group are in one state, no BACKUP advertises. Once
// the longest master-down interval has passed without new faults: one owner in every partition. When everything is mended as well: one owner,
// the best one if there is preemption, and nothing moves; a killed owner that adopts stays it without anybody noticing; with nopreempt a better router
// that returns takes nothing.
func Simulate(seed uint64, trace func(string)) []string {
	w := build(seed, trace)
	w.storm()
	then := w.Rand.IntN(4)
	if then == 0 {
		w.partitions()
	}
	w.calm()
	if len(w.Problems) > 0 {
		return w.Problems
	}
	switch then {
	case 1:
		w.crash()
	case 2:
		w.comeback()
	}
	return w.Problems
}

func (w *world) storm() {
	rnd := w.Rand
	if rnd.IntN(2) == 0 {
		w.Loss = rnd.Float64() * 0.4
	}
	if rnd.IntN(3) == 0 {
		w.Double = 0.2
	}
	if rnd.IntN(3) == 0 {
		w.MaxDelay = w.interval / 2
	}
	w.Run(time.Duration(rnd.Int64N(int64(w.down() + w.down()/2))))
	for range 1 + rnd.IntN(6) {
		w.fault()
		w.Run(time.Duration(rnd.Int64N(int64(w.down()))))
	}
}

// fault makes one thing happen.
func (w *world) fault() {
	rnd := w.Rand
	r := w.Routers[rnd.IntN(len(w.Routers))]
	id := w.ids[rnd.IntN(len(w.ids))]
	switch rnd.IntN(16) {
	case 0:
		w.PowerOff(r)
	case 1:
		w.PowerOn(r)
	case 2, 3:
		w.Kill(r, time.Duration(rnd.Int64N(int64(w.interval))))
	case 4:
		w.Pause(r, time.Duration(rnd.Int64N(int64(3*w.down()))))
	case 5:
		r.Cut[id.Interface] = rnd.IntN(2)
	case 6:
		w.heal()
	case 7:
		w.SetLink(r, id.Interface, rnd.IntN(2) == 0)
	case 8:
		w.SetTrack(r, vrrp.Track{ID: "script/s", Known: true, OK: rnd.IntN(2) == 0})
	case 9:
		w.Do(r, vrrp.Handover{For: time.Duration(rnd.IntN(3)) * w.down()})
	case 10:
		r.stopping = r.stopping || !r.Down
		w.Do(r, vrrp.Release{})
	case 11:
		w.SetReady(r, vrrp.Ready{OK: rnd.IntN(2) == 0})
	case 12:
		w.reprioritise(r, func() uint8 { return uint8(100 + rnd.IntN(50)) })
	case 14:
		w.rearrange(r)
	case 15:
		w.deny(r, id)
	case 13:
		if w.hard {
			w.SetTrack(r, vrrp.Track{ID: "script/h", Known: true, OK: rnd.IntN(2) == 0})
		}
	}
}

func (w *world) heal() {
	for _, x := range w.Routers {
		clear(x.Cut)
	}
}

// quiet ends what happens by itself: loss, delays, pauses.
func (w *world) quiet() {
	w.Loss, w.Double = 0, 0
	w.MaxDelay = min(500*time.Microsecond, w.interval/10)
	for _, r := range w.Routers {
		r.pausedUntil = w.now
	}
}

// partitions cuts the network in two and looks at each part once the longest master-down interval has passed.
func (w *world) partitions() {
	w.quiet()
	for _, r := range w.Routers {
		w.Reload(r, w.restored(r))
		w.undeny(r)
	}
	alike := w.Rand.IntN(2) == 0
	for _, r := range w.Routers {
		side := w.Rand.IntN(2)
		for _, id := range w.ids {
			if !alike {
				side = w.Rand.IntN(2)
			}
			r.Cut[id.Interface] = side
		}
	}
	w.Run(w.down() + w.settle())
	for _, id := range w.ids {
		for side := range 2 {
			able, owners := 0, 0
			for _, r := range w.Routers {
				if r.Down || r.Released || r.Cut[id.Interface] != side {
					continue
				}
				if len(r.Held[id]) > 0 {
					owners++
				}
				if s := r.states[id]; s == vrrp.Backup || s == vrrp.Master {
					able++
				}
			}
			// The halves of a group that is cut differently on its two networks may block each other: it stays BACKUP.
			if owners > 1 || owners == 0 && able > 0 && (!w.group || alike) {
				w.Problem("%s has %d owners in a partition of %d routers", id, owners, able)
			}
		}
	}
	before := w.transitions(nil)
	w.Run(w.down() + w.interval)
	if n := w.transitions(nil) - before; n != 0 {
		w.Problem("%d transitions in a network that is cut and quiet", n)
	}
}

// calm ends all faults, lets everything settle and looks at what came of it.
func (w *world) calm() {
	w.quiet()
	w.heal()
	// A stop under way ends first.
	w.Run(w.down())
	for _, r := range w.Routers {
		if r.stopping && !r.Released && !r.Down {
			w.Problem("%s does not come to an end", r.Name)
		}
		for _, id := range w.ids {
			r.links[id.Interface] = vrrp.Link{Name: id.Interface, Exists: true, Up: true, Source4: r.Addr, Source6: r.Addr6}
		}
		r.tracks["script/s"] = vrrp.Track{ID: "script/s", Known: true, OK: true}
		if w.hard {
			r.tracks["script/h"] = vrrp.Track{ID: "script/h", Known: true, OK: true}
		}
		r.ready = vrrp.Ready{OK: true}
		if r.Down || r.Released {
			r.Config = w.restored(r)
			w.PowerOn(r)
			continue
		}
		w.Reload(r, w.restored(r))
		w.undeny(r)
		for _, id := range w.ids {
			w.Do(r, r.links[id.Interface])
		}
		w.Do(r, r.ready)
		for _, id := range sortedTracks(r.tracks) {
			w.Do(r, r.tracks[id])
		}
		w.Do(r, vrrp.Handover{Cancel: true})
	}
	w.Run(w.settle())
	masters := w.masters()
	if masters == nil {
		return
	}
	if w.group && masters[0] != masters[1] {
		w.Problem("the members of the sync group are on different routers")
	}
	// Nothing moves any more, not even among equals.
	before := w.transitions(nil)
	w.Run(w.down() + w.interval)
	if after := w.transitions(nil); after != before {
		w.Problem("%d transitions when all is quiet", after-before)
	}
	w.best(masters)
}

// masters are the single owners of all instances; nil, and a problem, if one has not exactly one.
func (w *world) masters() []*Router {
	var masters []*Router
	for _, id := range w.ids {
		owners := w.Owners(id)
		if len(owners) != 1 {
			w.Problem("%s has %d owners when all is quiet", id, len(owners))
			return nil
		}
		masters = append(masters, owners[0])
	}
	return masters
}

// best checks that with preemption nobody better is BACKUP.
func (w *world) best(masters []*Router) {
	if !w.preempt {
		return
	}
	for k, m := range masters {
		for _, r := range w.Routers {
			if r.Config.Instances[k].Priority > m.Config.Instances[k].Priority {
				w.Problem("%s with priority %d leaves %s to %s with %d", r.Name, r.Config.Instances[k].Priority, w.ids[k], m.Name, m.Config.Instances[k].Priority)
			}
		}
	}
}

// crash kills an owner, which comes back within the time that adoption allows: nobody notices.
func (w *world) crash() {
	id := w.ids[w.Rand.IntN(len(w.ids))]
	m := w.Master(id)
	w.Run(time.Duration(w.Rand.Int64N(int64(w.interval))))
	before := w.transitions(m)
	w.Kill(m, time.Duration(w.Rand.Int64N(int64(2*w.interval-w.interval/5))))
	w.Run(w.down())
	if n := w.transitions(m) - before; n != 0 {
		w.Problem("a crash with adoption made %d transitions on other routers", n)
	}
	if w.Master(id) != m {
		w.Problem("%s lost %s by a crash with adoption", m.Name, id)
	}
}

// comeback has a router return with a better priority than anybody's: it takes the addresses, or with nopreempt it does not.
func (w *world) comeback() {
	id := w.ids[w.Rand.IntN(len(w.ids))]
	m := w.Master(id)
	r := w.Routers[w.Rand.IntN(len(w.Routers))]
	for _, other := range w.ids {
		if r == w.Master(other) {
			return
		}
	}
	w.PowerOff(r)
	w.Run(w.interval)
	w.reprioritise(r, func() uint8 { return 200 })
	before := w.transitions(r)
	w.PowerOn(r)
	w.Run(w.settle())
	switch now := w.Master(id); {
	case w.preempt && now != r:
		w.Problem("%s returned with priority 200 and does not own %s", r.Name, id)
	case !w.preempt && (now != m || w.transitions(r) != before):
		w.Problem("%s returned with nopreempt, and %s moved", r.Name, id)
	}
}

package vrrptest

import (
	"slices"
	"time"

	"github.com/holdfast-ha/holdfast/vrrp"
)

// SimulateHandover runs one planned hand-over without loss: there must be an owner at every moment, and two only for as long as the network takes.
func SimulateHandover(seed uint64, trace func(string)) []string {
	w := build(seed, trace)
	w.Run(w.settle() + w.interval)
	id := w.ids[0]
	old := w.Master(id)
	if old == nil {
		w.Problem("no single owner to begin with: %d", len(w.Owners(id)))
		return w.Problems
	}
	var ev vrrp.Event = vrrp.Release{}
	if w.Rand.IntN(2) == 0 {
		ev = vrrp.Handover{Instance: "VI_0"}
	}
	apart := w.group && w.Rand.IntN(2) == 0
	if apart {
		w.ungroup(old)
	}
	if w.Rand.IntN(2) == 0 {
		w.Run(time.Duration(w.Rand.Int64N(int64(w.interval))))
	}
	began := w.now
	concerned := w.ids[:1]
	if _, stops := ev.(vrrp.Release); stops && len(w.ids) > 1 && w.Master(w.ids[1]) == old || w.group {
		concerned = w.ids
	}
	var both, since time.Duration
	was := 1
	w.onOwners = func() {
		most := 0
		for _, x := range concerned {
			n := len(w.Owners(x))
			if n == 0 {
				w.Problem("nobody owns %s %s after the hand-over began", x, w.now-began)
			}
			most = max(most, n)
		}
		if was > 1 {
			both += w.now - since
		}
		was, since = most, w.now
	}
	w.Do(old, ev)
	w.Run(3 * w.down())
	if w.Master(id) == old {
		w.Problem("%s still owns %s", old.Name, id)
	}
	if n := len(w.Owners(id)); n != 1 {
		w.Problem("%s has %d owners after the hand-over", id, n)
	}
	if w.group && !apart && w.Master(w.ids[1]) != w.Master(id) {
		w.Problem("the members of the sync group are on different routers")
	}
	// A group lets go when the last of its members has a successor; two successors of equal skew may both start, and the lower one yields at the other's
	// advert.
	limit := 4*w.MaxDelay + 4*w.Late
	if apart {
		limit += max(time.Second, w.interval) // the members' successors take over a skew time apart
	}
	if both > limit {
		w.Problem("two owners for %s, more than %s", both, limit)
	}
	return w.Problems
}

// ungroup makes the other routers ones that do not know the sync group, each with priorities of its own for its members: their successors take over at different
// times and may be different routers. The old owner must keep every member until the last of them.
func (w *world) ungroup(old *Router) {
	for _, r := range w.Routers {
		if r == old {
			continue
		}
		cfg := r.Config
		cfg.Groups, cfg.Instances = nil, slices.Clone(cfg.Instances)
		for k := range cfg.Instances {
			cfg.Instances[k].Priority = uint8(1 + w.Rand.IntN(int(old.Config.Instances[k].Priority)-1))
		}
		w.Reload(r, cfg)
	}
	w.Run(w.interval)
}

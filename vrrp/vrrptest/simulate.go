package vrrptest

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/holdfast-ha/holdfast/vrrp"
)

// world is what one schedule runs on.
type world struct {
	*LAN
	ids      []vrrp.ID
	interval time.Duration
	preempt  bool
	group    bool
	yielded  bool
}

// Simulate runs one schedule: two to four routers with one or two instances, a storm of faults, then quiet. It returns the promises that
// were broken.
func Simulate(seed uint64, trace func(string)) []string {
	w := build(seed, trace)
	w.storm()
	w.calm()
	return w.Problems
}

func build(seed uint64, trace func(string)) *world {
	w := &world{LAN: New(seed)}
	w.Trace = trace
	rnd := w.Rand
	version := uint8(2 + rnd.IntN(2))
	family := vrrp.IPv4
	if rnd.IntN(4) == 0 {
		family = vrrp.IPv6
	}
	intervals := []time.Duration{time.Second, time.Second, 2 * time.Second}
	if version == 3 {
		intervals = []time.Duration{10 * time.Millisecond, 100 * time.Millisecond, time.Second, time.Second}
	}
	w.interval = intervals[rnd.IntN(len(intervals))]
	w.Late = min(w.Late, w.interval/10)
	w.preempt = rnd.IntN(3) > 0
	n := 2 + rnd.IntN(3)
	instances := 1 + rnd.IntN(2)
	w.group = instances == 2 && rnd.IntN(2) == 0
	unicast := rnd.IntN(4) == 0
	equal := rnd.IntN(3) == 0
	delay := time.Duration(0)
	if w.preempt && rnd.IntN(4) == 0 {
		delay = time.Duration(1+rnd.IntN(5)) * w.interval
	}
	auth := vrrp.Auth{}
	if version == 2 && family == vrrp.IPv4 {
		auth = []vrrp.Auth{{}, {Type: "PASS", Key: "k"}, {Type: "AH", Key: "k"}}[rnd.IntN(3)]
	}
	for k := range instances {
		w.ids = append(w.ids, vrrp.ID{Interface: fmt.Sprintf("eth%d", k), Family: family, VRID: uint8(51 + k)})
	}
	for r := range n {
		var cfg vrrp.Config
		prio := uint8(100 + 10*r)
		if equal {
			prio = 100
		}
		for k, id := range w.ids {
			i := vrrp.Instance{
				Name: fmt.Sprintf("VI_%d", k), Interface: id.Interface, Family: family, VRID: id.VRID, Version: version, Priority: prio,
				Interval: w.interval, NoPreempt: !w.preempt, PreemptDelay: delay, DownTimerAdverts: 3, Auth: auth,
				Gratuitous: vrrp.Gratuitous{Repeat: 5, Delay: 5 * time.Second, LowerPrioRepeat: 5},
				Tracks:     []vrrp.TrackRef{{ID: "script/s", Weight: -30}},
			}
			if !w.group && equal && rnd.IntN(2) == 0 {
				i.Serves = true
			}
			a := netip.AddrFrom4([4]byte{192, 0, 2, byte(100 + k)})
			if family == vrrp.IPv6 {
				a = netip.AddrFrom16([16]byte{0xfe, 0x80, 14: 1, 15: byte(k)})
			}
			i.Addresses = []vrrp.Address{{Prefix: netip.PrefixFrom(a, a.BitLen())}}
			if unicast {
				for p := range n {
					if p == r {
						continue
					}
					addr := netip.AddrFrom4([4]byte{192, 0, 2, byte(p + 1)})
					if family == vrrp.IPv6 {
						addr = netip.AddrFrom16([16]byte{0xfe, 0x80, 15: byte(p + 1)})
					}
					i.Peers = append(i.Peers, vrrp.Peer{Addr: addr})
				}
			}
			cfg.Instances = append(cfg.Instances, i)
		}
		if w.group {
			cfg.Groups = []vrrp.Group{{Name: "G", Members: slices.Clone(w.ids), TrackingWeight: true}}
		}
		w.Add(byte(r+1), cfg)
	}
	return w
}

// down is the longest master-down interval of anybody.
func (w *world) down() time.Duration { return 3*w.interval + max(time.Second, w.interval) }

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
	w.Run(time.Duration(rnd.Int64N(int64(2 * w.down()))))
	for range 2 + rnd.IntN(8) {
		r := w.Routers[rnd.IntN(len(w.Routers))]
		id := w.ids[rnd.IntN(len(w.ids))]
		switch rnd.IntN(13) {
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
			for _, x := range w.Routers {
				x.Cut = map[string]int{}
			}
		case 7:
			w.SetLink(r, id.Interface, rnd.IntN(2) == 0)
		case 8:
			w.SetTrack(r, vrrp.Track{ID: "script/s", Known: true, OK: rnd.IntN(2) == 0})
		case 9:
			w.yielded = true
			w.Do(r, vrrp.Handover{For: time.Duration(rnd.IntN(3)) * w.down()})
		case 10:
			r.stopping = r.stopping || r.runs()
			w.Do(r, vrrp.Release{})
		case 11:
			w.SetReady(r, vrrp.Ready{OK: rnd.IntN(2) == 0})
		case 12:
			cfg := r.Config
			cfg.Instances = slices.Clone(cfg.Instances)
			for k := range cfg.Instances {
				cfg.Instances[k].Priority = uint8(100 + rnd.IntN(50))
			}
			if w.group {
				cfg.Instances[len(cfg.Instances)-1].Priority = cfg.Instances[0].Priority
			}
			w.Reload(r, cfg)
		}
		w.Run(time.Duration(rnd.Int64N(int64(2 * w.down()))))
	}
}

// calm ends all faults, lets everything settle and looks at what came of it.
func (w *world) calm() {
	w.Loss, w.Double = 0, 0
	w.MaxDelay = min(500*time.Microsecond, w.interval/10)
	for _, r := range w.Routers {
		r.Cut = map[string]int{}
		r.PausedUntil = w.Now
	}
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
		r.ready = vrrp.Ready{OK: true}
		if r.Down || r.Released {
			w.PowerOn(r)
			continue
		}
		w.Reload(r, r.Config)
		for _, id := range w.ids {
			w.Do(r, r.links[id.Interface])
		}
		w.Do(r, r.ready)
		w.Do(r, r.tracks["script/s"])
		w.Do(r, vrrp.Handover{Cancel: true})
	}
	// Time for: a hand-over under way, a takeover, a preemption after its delay, and once more because of a restart.
	w.Run(5*w.down() + 12*w.interval)
	var masters []*Router
	for _, id := range w.ids {
		owners := w.Owners(id)
		if len(owners) != 1 {
			w.Problem("%s has %d owners when all is quiet", id, len(owners))
			return
		}
		masters = append(masters, owners[0])
	}
	if w.group && masters[0] != masters[1] {
		w.Problem("the members of the sync group are on different routers")
	}
	// Nothing moves any more, not even among equals.
	before := w.transitions()
	w.Run(4 * w.down())
	if after := w.transitions(); after != before {
		w.Problem("%d transitions when all is quiet", after-before)
	}
	w.best(masters)
}

func (w *world) transitions() int {
	n := 0
	for _, r := range w.Routers {
		n += len(r.Transitions)
	}
	return n
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

// SimulateHandover runs one planned hand-over without loss: there must be an owner at every moment, and two only for as long as the network takes.
func SimulateHandover(seed uint64, trace func(string)) []string {
	w := build(seed, trace)
	w.Run(6*w.down() + 10*w.interval)
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
	if w.Rand.IntN(2) == 0 {
		w.Run(time.Duration(w.Rand.Int64N(int64(w.interval))))
	}
	w.Do(old, ev)
	step := w.interval / 200
	var both, took time.Duration
	for took < 6*w.down() {
		w.Run(step)
		took += step
		switch n := len(w.Owners(id)); {
		case n == 0:
			w.Problem("nobody owns %s %s after the hand-over began", id, took)
			return w.Problems
		case n > 1:
			both += step
		}
	}
	if w.Master(id) == old {
		w.Problem("%s still owns %s", old.Name, id)
	}
	// Two successors of equal skew may both start; the lower one yields at the other's advert.
	if limit := 4*w.MaxDelay + 4*w.Late + 2*step; both > limit {
		w.Problem("two owners for %s, more than %s", both, limit)
	}
	return w.Problems
}

package vrrptest

import (
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/holdfast-ha/holdfast/vrrp"
)

// world is what one schedule runs on.
type world struct {
	*LAN
	ids      []vrrp.ID
	interval time.Duration
	delay    time.Duration // preempt_delay
	preempt  bool
	group    bool
	hard     bool // there is a script whose failure is a FAULT
	original map[*Router]vrrp.Config
	denied   map[*Router][]vrrp.ID
}

var hmacKey = []byte("simulated-auth_hmac-key-of-32-by")

// build makes two to four routers with one or two instances each, all of it drawn from the seed.
func build(seed uint64, trace func(string)) *world {
	w := &world{LAN: New(seed), original: map[*Router]vrrp.Config{}, denied: map[*Router][]vrrp.ID{}}
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
	if rnd.IntN(2) == 0 {
		w.Drift, w.Offset = 2000, time.Second
	}
	w.preempt = rnd.IntN(3) > 0
	w.hard = rnd.IntN(4) == 0
	n := 2
	if rnd.IntN(2) == 0 {
		n += 1 + rnd.IntN(2)
	}
	instances := 1 + rnd.IntN(2)
	w.group = instances == 2 && rnd.IntN(3) > 0
	unicast := rnd.IntN(4) == 0
	equal := rnd.IntN(3) == 0
	if w.preempt && rnd.IntN(4) == 0 {
		w.delay = time.Duration(1+rnd.IntN(4)) * w.interval
	}
	auth, sign := vrrp.Auth{}, (*vrrp.HMAC)(nil)
	switch k := rnd.IntN(10); {
	case k == 1:
		sign = &vrrp.HMAC{Keys: []vrrp.HMACKey{{ID: 1, Key: hmacKey}}, Active: 1, Mode: vrrp.HMACEnforce, Window: 5 * time.Second, Monotonic: rnd.IntN(2) == 0}
	case version == 2 && family == vrrp.IPv4 && k == 2:
		auth = vrrp.Auth{Type: "PASS", Key: "k"}
	case version == 2 && family == vrrp.IPv4 && k == 3:
		auth = vrrp.Auth{Type: "AH", Key: "k"}
	}
	for k := range instances {
		w.ids = append(w.ids, vrrp.ID{Interface: "eth" + strconv.Itoa(k), Family: family, VRID: uint8(51 + k)})
	}
	for r := range n {
		var cfg vrrp.Config
		prio := uint8(100 + 10*r)
		if equal {
			prio = 100
		}
		for k, id := range w.ids {
			i := vrrp.Instance{
				Name: "VI_" + strconv.Itoa(k), Interface: id.Interface, Family: family, VRID: id.VRID, Version: version, Priority: prio,
				Interval: w.interval, NoPreempt: !w.preempt, PreemptDelay: w.delay, DownTimerAdverts: 3, Auth: auth, HMAC: sign,
				Gratuitous: vrrp.Gratuitous{Repeat: 5, Delay: 5 * time.Second, LowerPrioRepeat: 5},
				Tracks:     []vrrp.TrackRef{{ID: "script/s", Weight: -30}},
			}
			if w.hard {
				i.Tracks = append(i.Tracks, vrrp.TrackRef{ID: "script/h"})
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
		x := w.Add(byte(r+1), cfg)
		w.original[x] = cfg
		x.Remembers = sign != nil || auth.Type == "AH"
		if w.hard {
			w.SetTrack(x, vrrp.Track{ID: "script/h", Known: true, OK: true})
		}
	}
	return w
}

// down is the longest master-down interval of anybody.
func (w *world) down() time.Duration { return 3*w.interval + max(time.Second, w.interval) }

// settle is how long it takes until nothing moves any more once all faults are over: somebody takes over, the best one hears him, waits for its
// preempt_delay and takes over from him, perhaps after it has listened once more.
func (w *world) settle() time.Duration { return 3*w.down() + w.delay + 2*w.interval }

// reload gives the router other priorities.
func (w *world) reprioritise(r *Router, prio func() uint8) {
	cfg := r.Config
	cfg.Instances = slices.Clone(cfg.Instances)
	p := prio()
	for k := range cfg.Instances {
		if !w.group && k > 0 {
			p = prio()
		}
		cfg.Instances[k].Priority = p
	}
	w.Reload(r, cfg)
}

func (w *world) transitions(but *Router) int {
	n := 0
	for _, r := range w.Routers {
		if r != but {
			n += len(r.Transitions)
		}
	}
	return n
}

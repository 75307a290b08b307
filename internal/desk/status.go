package desk

import (
	"context"
	"slices"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/ipvssync"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// routerWithin is how long a status waits for the router's own numbers; without them it shows the last ones.
const routerWithin = time.Second

// trafficWithin is how long a status waits for the kernel's counters.
const trafficWithin = 2 * time.Second

// poolsAtOnce is how many virtual servers a status looks at before the owner may turn to something else: verdicts do not wait for thousands.
const poolsAtOnce = 50

// status gathers everything there is to tell.
func (d *Desk) status(ctx context.Context) (control.Status, error) {
	fresh := make(chan struct{}, 1)
	var cancel func()
	if err := d.Call(ctx, func() { cancel = d.Router.Refresh(func() { fresh <- struct{}{} }) }); err != nil {
		return control.Status{}, err
	}
	stats := d.traffic(ctx)
	sync, counted := d.Kernel.Sync(ctx)
	wait := time.NewTimer(routerWithin)
	defer wait.Stop()
	select {
	case <-fresh:
	case <-wait.C:
	case <-ctx.Done():
	}
	checks := map[string][]checkers.CheckStatus{}
	for _, c := range d.Sched.Status() {
		checks[c.ID.Virtual] = append(checks[c.ID.Virtual], c)
	}
	totals := d.Sched.Totals()
	var s control.Status
	var ids []string
	if err := d.Call(ctx, func() { cancel(); s, ids = d.report(totals, sync, counted), d.Pools.IDs() }); err != nil {
		return s, err
	}
	for part := range slices.Chunk(ids, poolsAtOnce) {
		var specs []ipvssync.VirtualServer
		var pools []ipvssync.Status
		err := d.Call(ctx, func() {
			for _, id := range part {
				if p := d.Pools.Get(id); p != nil {
					specs, pools = append(specs, p.Spec()), append(pools, p.Status())
				}
			}
		})
		if err != nil {
			return s, err
		}
		for i, p := range pools {
			v := control.FromPool(p, specs[i], checks[p.ID])
			v.AddTraffic(specs[i], stats)
			s.VirtualServers = append(s.VirtualServers, v)
		}
	}
	return s, nil
}

// traffic reads the kernel's counters; those that came in time.
func (d *Desk) traffic(ctx context.Context) map[ipvssync.Key]ipvssync.ServiceStats {
	ctx, cancel := context.WithTimeout(ctx, trafficWithin)
	defer cancel()
	all, _ := d.Kernel.Stats(ctx) // a kernel without IPVS is told elsewhere
	out := make(map[ipvssync.Key]ipvssync.ServiceStats, len(all))
	for _, s := range all {
		out[s.Key] = s
	}
	return out
}

// lateness is the router's histogram: bounds from 64 microseconds to 16 seconds.
func lateness(l seam.Lateness) control.Lateness {
	out := control.Lateness{Count: l.Count, SumSeconds: float64(l.SumMicros) / 1e6, Buckets: []control.Bucket{}}
	var n uint64
	for i, c := range l.Buckets {
		bound := float64(uint64(1)<<i) / 1e6
		if n += c; i >= 6 && i <= 24 {
			out.Buckets = append(out.Buckets, control.Bucket{LeSeconds: bound, Count: n})
		}
		if c > 0 {
			out.MaxSeconds = bound
		}
	}
	return out
}

// report completes the overview but for the virtual servers. It runs on the owner's goroutine.
func (d *Desk) report(totals checkers.Totals, sync ipvssync.SyncState, counted bool) control.Status {
	s, r := d.Overview(), d.Router.Numbers()
	s.Router = control.Router{PID: r.PID, Away: d.Router.Away(), LatenessMaxMicros: r.LatenessMaxMicros, LatenessP99Micros: r.LatenessP99Micros, Lateness: lateness(r.Lateness),
		BalancerRestarts: r.BalancerRestarts, UnknownAdverts: r.UnknownAdverts, Foreign: foreign(r.Foreign), Adopted: r.Adopted}
	s.Instances, s.VirtualServers = []control.Instance{}, []control.VirtualServer{}
	s.Tracked, s.Events, s.Checks = d.tracked(), d.Recent.Last(20), control.FromTotals(totals)
	if d.Pools.Len() > 0 {
		k := d.Kernel.Status()
		s.IPVS = k.Error
		s.Kernel = &control.IPVS{Services: k.Services, Servers: k.Servers, Foreign: k.Foreign, Writes: k.Writes, Repairs: k.Repairs, LastCheck: k.LastCheck,
			LastRound: k.LastRound, Overrides: k.Overrides, Contended: k.Contended, Problems: k.Problems, Sync: control.FromSync(k.Daemons, sync, counted)}
	}
	for _, in := range d.Router.ByName() {
		s.Instances = append(s.Instances, control.FromInstance(in))
	}
	return s
}

func foreign(list []vrrp.Foreign) []control.Foreign {
	var out []control.Foreign
	for _, f := range list {
		out = append(out, control.Foreign{Interface: f.ID.Interface, Family: int(f.ID.Family), VRID: int(f.ID.VRID), Version: int(f.Version),
			Master: f.From.String(), Priority: int(f.Priority), Last: f.Last, Count: f.Count})
	}
	return out
}

// tracked are the scripts, files, processes and virtual servers that VRRP tracks.
func (d *Desk) tracked() (all []control.Tracked) {
	for _, s := range d.Outside.Tracked() {
		all = append(all, control.Tracked{ID: s.ID, Known: s.Known, OK: s.OK, Value: s.Value.Value, Reason: s.Reason, Since: s.Since})
	}
	for _, q := range d.Pools.Quorums() {
		reason := "quorum held"
		if !q.OK {
			reason = "quorum lost"
		}
		all = append(all, control.Tracked{ID: q.ID, Known: true, OK: q.OK, Reason: reason, Since: q.Since})
	}
	return all
}

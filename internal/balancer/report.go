package balancer

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/ipvssync"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// routerWithin is how long a status waits for the router's own numbers; without them it shows the last ones.
const routerWithin = time.Second

// routerAway is the silence after which the router counts as away.
const routerAway = 5 * time.Second

// status gathers everything there is to tell.
func (d *daemon) status(ctx context.Context) (control.Status, error) {
	fresh := make(chan struct{}, 1)
	var cancel func()
	err := d.call(ctx, func() {
		cancel = d.ask(func(token uint64) seam.Message { return seam.Message{Query: &seam.Query{Token: token}} },
			func(seam.Message) { fresh <- struct{}{} })
	})
	if err != nil {
		return control.Status{}, err
	}
	stats := d.traffic(ctx)
	wait := time.NewTimer(routerWithin)
	defer wait.Stop()
	select {
	case <-fresh:
	case <-wait.C:
	case <-ctx.Done():
	}
	checks := map[string][]checkers.CheckStatus{}
	for _, c := range d.sched.Status() {
		checks[c.ID.Virtual] = append(checks[c.ID.Virtual], c)
	}
	var s control.Status
	err = d.call(ctx, func() { cancel(); s = d.report(checks, stats) })
	return s, err
}

// trafficWithin is how long a status waits for the kernel's counters.
const trafficWithin = 2 * time.Second

// traffic reads the kernel's counters; those that came in time.
func (d *daemon) traffic(ctx context.Context) map[ipvssync.Key]ipvssync.ServiceStats {
	ctx, cancel := context.WithTimeout(ctx, trafficWithin)
	defer cancel()
	all, _ := d.rec.Stats(ctx) // a kernel without IPVS is told elsewhere
	out := make(map[ipvssync.Key]ipvssync.ServiceStats, len(all))
	for _, s := range all {
		out[s.Key] = s
	}
	return out
}

func foreign(list []vrrp.Foreign) []control.Foreign {
	var out []control.Foreign
	for _, f := range list {
		out = append(out, control.Foreign{Interface: f.ID.Interface, Family: int(f.ID.Family), VRID: int(f.ID.VRID), Version: int(f.Version),
			Master: f.From.String(), Priority: int(f.Priority), Last: f.Last, Count: f.Count})
	}
	return out
}

func (d *daemon) report(checks map[string][]checkers.CheckStatus, stats map[ipvssync.Key]ipvssync.ServiceStats) control.Status {
	r := d.router
	s := control.Status{
		Version: d.o.Version,
		Config: control.Config{File: d.o.ConfigFile, Generation: d.gen, Loaded: d.loadedAt, Rejected: d.rejected, RejectedAt: d.rejectAt,
			Warnings: len(warnings(d.in.diags)), Problems: d.problems},
		Router: control.Router{PID: r.PID, Away: time.Since(d.heard) > routerAway, LatenessMaxMicros: r.LatenessMaxMicros, LatenessP99Micros: r.LatenessP99Micros,
			BalancerRestarts: r.BalancerRestarts, UnknownAdverts: r.UnknownAdverts, Foreign: foreign(r.Foreign), Adopted: r.Adopted},
		Ready: d.ready.OK, NotReady: d.ready.Reason, IPVS: d.rec.Status().Error,
		Instances: []control.Instance{}, VirtualServers: []control.VirtualServer{}, Tracked: d.tracked(), Events: d.recent.Last(20),
		Checks: control.FromTotals(d.sched.Totals()),
	}
	if d.rejected == "" {
		s.Config.RejectedAt = time.Time{}
	}
	if len(d.in.pools) == 0 {
		s.IPVS = ""
	} else {
		k := d.rec.Status()
		s.Kernel = &control.IPVS{Services: k.Services, Servers: k.Servers, Foreign: k.Foreign, Writes: k.Writes, Repairs: k.Repairs, LastCheck: k.LastCheck,
			LastRound: k.LastRound, Overrides: k.Overrides, Contended: k.Contended, Problems: k.Problems, SyncDaemons: k.Daemons}
	}
	if d.o.Losses != nil {
		s.LogLinesLost = d.o.Losses()
	}
	for _, in := range d.sorted() {
		s.Instances = append(s.Instances, control.FromInstance(in))
	}
	for p := range d.pools.All() {
		v := control.FromPool(p.Status(), p.Spec(), checks[p.Spec().ID])
		v.AddTraffic(p.Spec(), stats)
		s.VirtualServers = append(s.VirtualServers, v)
	}
	return s
}

// sorted are the instances by name.
func (d *daemon) sorted() []vrrp.Status {
	var all []vrrp.Status
	for _, s := range d.instances {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b vrrp.Status) int { return strings.Compare(a.Name, b.Name) })
	return all
}

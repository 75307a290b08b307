package balancer

import (
	"context"
	"reflect"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/internal/assemble"
	"github.com/holdfast-ha/holdfast/internal/reconcile"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

// reconfigurePools brings the pools to the configuration. Those that are gone keep serving until the end of the change.
func (d *daemon) reconfigurePools() {
	now := time.Now()
	old := d.pools
	d.pools = make(map[string]*ipvssync.Pool, len(d.in.pools))
	for _, spec := range d.in.pools {
		p := old[spec.ID]
		delete(old, spec.ID)
		var changes []ipvssync.Change
		switch {
		case p == nil:
			p, changes = ipvssync.NewPool(now, spec)
		case !reflect.DeepEqual(p.Spec(), spec):
			changes = p.Reconfigure(now, spec)
		}
		d.pools[spec.ID] = p
		changes = append(changes, d.intent.Impose(now, p)...)
		d.tellPool(spec.ID, changes)
	}
	d.gone = old
	d.armPools()
}

// desired is everything that IPVS should hold now; with keep also what the change under way removes at its end.
func (d *daemon) desired(keep bool) reconcile.Desired {
	want := reconcile.Desired{Pools: make(map[string][]ipvssync.Service, len(d.pools)), Keep: keep, Flush: d.in.model.Global.LVSFlush,
		Daemons: assemble.SyncDaemons(d.in.model, d.isMaster), Timeouts: assemble.Timeouts(d.in.model), Sysctls: assemble.IPVSSysctls(d.in.model)}
	d.followMasters()
	for id, p := range d.pools {
		want.Pools[id] = p.Want()
	}
	if keep {
		for id, p := range d.gone {
			want.Pools[id] = p.Want()
		}
	}
	return want
}

// onCheck moves a verdict into its pool and from there to the kernel.
func (d *daemon) onCheck(c checkers.Change) {
	d.unsaved = true
	d.tellCheck(c)
	p := d.pools[c.ID.Virtual]
	if p == nil {
		return
	}
	d.poolChanged(p, p.SetHealth(time.Now(), c.ID.Real, d.in.names[c.ID], health(c.Up, c.Weight, configured(p, c.ID.Real))))
}

// health is a check's state as the pool takes it.
func health(up bool, w checkers.Weight, configured int) ipvssync.Health {
	h := ipvssync.Health{Up: up}
	switch w.Mode {
	case checkers.Absolute, checkers.Percent:
		h.HasWeight, h.Weight = true, checkers.EffectiveWeight(configured, w)
	case checkers.Added:
		h.Delta = w.Value
	}
	return h
}

func configured(p *ipvssync.Pool, server string) int {
	for _, rs := range p.Spec().Servers {
		if rs.ID == server {
			return rs.Weight
		}
	}
	return 0
}

// poolChanged tells what happened to a pool and hands what it wants now to the kernel's owner.
func (d *daemon) poolChanged(p *ipvssync.Pool, changes []ipvssync.Change) {
	if len(changes) == 0 {
		return
	}
	id := p.Spec().ID
	d.tellPool(id, changes)
	d.rec.Update(id, p.Want())
	if len(d.trackedPools) > 0 {
		d.sendQuorums(false)
	}
	if d.setting > 0 {
		d.overtaken[id] = true
	}
	if at, ok := p.Next(); ok && at.Before(d.poolDue) {
		d.armPools()
	}
}

// resyncHealth gives the pools the state of every check as it is now. Verdicts arrive one by one as well; this makes sure that one which
// overlapped a reload is not lost.
func (d *daemon) resyncHealth() {
	if !d.started {
		return
	}
	now := time.Now()
	for _, s := range d.sched.Snapshot() {
		if p := d.pools[s.ID.Virtual]; p != nil {
			d.poolChanged(p, p.SetHealth(now, s.ID.Real, d.in.names[s.ID], health(s.Up, s.Weight, configured(p, s.ID.Real))))
		}
	}
}

// switchChecks is the last step of a change: other checks run from now on. Everything that is tracked goes with them.
func (d *daemon) switchChecks() {
	d.sched.Apply(assemble.Suspended(d.in.model, d.in.checks, d.in.vrrp, d.owns))
	d.resyncs = 2
	d.unsaved = true
	d.resyncHealth()
	d.trackedPools = assemble.TrackedPools(d.in.model)
	d.sendQuorums(true)
	d.applyTracking(d.in.model)
}

// stepPools lets time pass in the pools: slow start, ends of drains.
func (d *daemon) stepPools() {
	now := time.Now()
	for _, p := range d.pools {
		if at, ok := p.Next(); ok && !at.After(now) {
			d.poolChanged(p, p.Step(now))
		}
	}
	d.armPools()
}

// poolsIdle is how long pools sleep in which nothing is planned.
const poolsIdle = time.Hour

func (d *daemon) armPools() {
	wait := poolsIdle
	for _, p := range d.pools {
		if at, ok := p.Next(); ok {
			wait = min(wait, max(time.Until(at), 10*time.Millisecond))
		}
	}
	d.poolDue = time.Now().Add(wait)
	d.poolTimer.Reset(wait)
}

// countConnections asks the kernel how many connections draining servers still have.
func (d *daemon) countConnections() {
	for id, p := range d.pools {
		draining := false
		for _, s := range p.Status().Servers {
			draining = draining || s.Draining && !s.Drained
		}
		if !draining {
			continue
		}
		go func() {
			ctx, cancel := context.WithTimeout(d.ctx, 5*time.Second)
			defer cancel()
			held, err := d.rec.Servers(ctx, id)
			if err == nil {
				d.inbox.post(func() { d.onConnections(id, held) })
			}
		}()
	}
}

func (d *daemon) onConnections(id string, held map[ipvssync.Key][]ipvssync.ServerState) {
	p := d.pools[id]
	if p == nil {
		return
	}
	count := map[string]int{}
	for _, s := range p.Status().Servers {
		if !s.Draining || s.Drained {
			continue
		}
		n := 0
		for k, servers := range held {
			for _, have := range servers {
				port := s.Addr.Port()
				if have.Addr.Addr() == s.Addr.Addr().Unmap() && (have.Addr.Port() == port || port == 0 || have.Addr.Port() == k.Port) {
					n += int(have.Active + have.Inactive)
				}
			}
		}
		count[s.ID] = n
	}
	for server, n := range count {
		d.poolChanged(p, p.SetConnections(time.Now(), server, n))
	}
}

// followMasters suspends the virtual servers that are balanced only by the MASTER of an instance, and answers those that changed.
func (d *daemon) followMasters() (changed []*ipvssync.Pool) {
	only := assemble.MasterOnly(d.in.model)
	for id, p := range d.pools {
		instance, ok := only[id]
		suspended := ok && !d.isMaster(instance)
		if p.Suspended() != suspended {
			p.Suspend(suspended)
			changed = append(changed, p)
		}
	}
	return changed
}

// instancesChanged follows the VRRP state where something here depends on it: services of the MASTER only, checks that rest while the
// address is elsewhere, the sync daemon's role.
func (d *daemon) instancesChanged() {
	if !d.started || d.stopping {
		return
	}
	for _, p := range d.followMasters() {
		id := p.Spec().ID
		d.rec.Update(id, p.Want())
		if d.setting > 0 {
			d.overtaken[id] = true
		}
	}
	if d.change == nil && len(assemble.HASuspend(d.in.model)) > 0 {
		d.sched.Apply(assemble.Suspended(d.in.model, d.in.checks, d.in.vrrp, d.owns))
	}
	if assemble.LVSSync(d.in.model).Instance == "" {
		return
	}
	daemons := assemble.SyncDaemons(d.in.model, d.isMaster)
	if reflect.DeepEqual(daemons, d.daemons) {
		return
	}
	d.daemons = daemons
	go func() { _ = d.rec.SetDaemons(d.ctx, daemons) }()
}

package balancer

import (
	"net/netip"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/internal/assemble"
	"github.com/holdfast-ha/holdfast/internal/reconcile"
	"github.com/holdfast-ha/holdfast/internal/tell"
)

// desired is everything that IPVS should hold now; with keep also what the change under way removes at its end.
func (d *daemon) desired(keep bool) reconcile.Desired {
	d.followMasters()
	return reconcile.Desired{Pools: d.pools.Begin(keep), Keep: keep, Flush: d.in.Model.Global.LVSFlush,
		Private: d.in.Private, Sources: d.in.Sources, Daemons: assemble.SyncDaemons(d.in.Model, d.router.IsMaster), Timeouts: assemble.Timeouts(d.in.Model), Sysctls: assemble.IPVSSysctls(d.in.Model)}
}

// onCheck moves a verdict into its pool and from there to the kernel.
func (d *daemon) onCheck(c checkers.Change) {
	d.heard = c.Seq
	d.took(c, c.Seq > d.begun[c.ID])
}

// took tells of a change of a check; a pool is given what is not out of date.
func (d *daemon) took(c checkers.Change, current bool) {
	d.unsaved = true
	tell.Check(d.bus, c)
	d.outside.Verdict(c)
	if current {
		d.pools.SetHealth(c.ID, c.Up, c.Weight)
	}
}

// resyncHealth gives the pools the state of every check as it is now. Verdicts arrive one by one as well; this makes sure that one which
// overlapped a reload is not lost.
func (d *daemon) resyncHealth() {
	for s := range d.sched.Saved() {
		d.resync(&s)
	}
}

// resync gives a pool the state of one check, unless a change of it is on its way: those that are older would follow, and take it back for
// a moment.
func (d *daemon) resync(s *checkers.Saved) {
	if s.Told <= d.heard {
		d.pools.SetHealth(s.ID, s.Up, s.Weight)
	}
}

// resyncPage is how many checks resyncSlowly looks at between two looks into the inbox.
const resyncPage = 256

// resyncSlowly is resyncHealth in pieces, from the check behind this one on: verdicts do not wait for all of it.
func (d *daemon) resyncSlowly(behind checkers.ID) {
	if d.stopping {
		return
	}
	part := d.sched.Page(behind, resyncPage)
	for i := range part {
		d.resync(&part[i])
	}
	if len(part) == resyncPage {
		d.inbox.post(func() { d.resyncSlowly(part[resyncPage-1].ID) })
	}
}

// switchChecks is the last step of a change: other checks run from now on. Everything that is tracked goes with them.
func (d *daemon) switchChecks() {
	if p, ok := d.o.Prober.(interface{ NeverFrom([]netip.Addr) }); ok {
		p.NeverFrom(assemble.VirtualAddresses(d.in.Model))
	}
	// How checks begin is taken at once: their first attempts may have ended, and changes of the old ones may wait in the inbox.
	var began []checkers.Change
	d.sched.ApplyBegan(assemble.Suspended(d.in.Model, d.in.Checks, d.in.VRRP, d.router.Owns), func(c checkers.Change) { began = append(began, c) })
	first := d.begun == nil
	d.begun = map[checkers.ID]uint64{}
	for _, c := range began {
		if !first { // before the first ones there were none that could wait
			d.begun[c.ID] = c.Seq
		}
		d.took(c, true)
	}
	d.resyncs = 2
	d.unsaved = true
	d.resyncHealth()
	d.pools.Track(assemble.TrackedPools(d.in.Model))
	d.outside.Apply(d.in.Outside, d.tellMissed)
}

// pruneIntent forgets what operators wanted of servers that the configuration has no more. What a mistake in the file keeps from running is
// still there: its wishes wait.
func (d *daemon) pruneIntent() {
	blocked := len(d.in.Model.VirtualServers) == 0
	for i := range d.in.Model.VirtualServers {
		blocked = blocked || d.in.Model.VirtualServers[i].Blocked != ""
	}
	d.pools.PruneIntent(blocked)
}

// followMasters suspends the virtual servers that are balanced only by the MASTER of an instance, and answers those that changed.
func (d *daemon) followMasters() (changed []string) {
	only := assemble.MasterOnly(d.in.Model)
	return d.pools.Suspend(func(id string) bool {
		instance, ok := only[id]
		return ok && !d.router.IsMaster(instance)
	})
}

// instancesChanged follows the VRRP state where something here depends on it: services of the MASTER only, checks that rest while the
// address is elsewhere, the sync daemon's role.
func (d *daemon) instancesChanged() {
	if !d.started || d.stopping {
		return
	}
	for _, id := range d.followMasters() {
		d.pools.Update(id)
	}
	if d.change == nil && len(assemble.HASuspend(d.in.Model)) > 0 {
		d.sched.Apply(assemble.Suspended(d.in.Model, d.in.Checks, d.in.VRRP, d.router.Owns))
	}
	d.followRole()
}

// followRole gives the synchronisation daemon the role of the instance that it follows, if it follows one.
func (d *daemon) followRole() {
	if assemble.LVSSync(d.in.Model).Instance != "" {
		d.rec.SetDaemons(assemble.SyncDaemons(d.in.Model, d.router.IsMaster))
	}
}

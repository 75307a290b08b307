package balancer

import (
	"slices"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/state"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

// restoreChecks continues the verdicts of the process before, and says whether there were any.
func (d *daemon) restoreChecks() bool {
	if d.o.RunDir == "" {
		return false
	}
	saved, err := state.LoadChecks(d.o.RunDir, d.o.Host)
	if err != nil {
		d.bus.Publish(event.StateUnreadable.With("checks.json", err))
	}
	d.sched.Restore(saved)
	return len(saved) > 0
}

// saveShare bounds the work of writing verdicts: after a save the next one waits this many times as long as that one took.
const saveShare = 10

// saveSoon writes verdicts that changed, one writer at a time, beside the owner.
func (d *daemon) saveSoon() {
	if !d.unsaved || d.saving || d.o.RunDir == "" || d.stopping || d.finished || !d.started || time.Now().Before(d.nextSave) {
		return
	}
	d.unsaved, d.saving = false, true
	all := d.sched.Snapshot()
	d.writers.Go(func() {
		began := time.Now()
		err := state.SaveChecks(d.o.RunDir, d.o.Host, all)
		pause := saveShare * time.Since(began)
		d.inbox.post(func() {
			d.saving, d.nextSave = false, time.Now().Add(pause)
			if err != nil {
				d.bus.Publish(event.StateUnreadable.With("checks.json", err))
			}
		})
	})
}

func (d *daemon) loadIntent() {
	if d.o.StateDir == "" {
		return
	}
	var err error
	if d.intent, err = state.LoadIntent(d.o.StateDir); err != nil {
		d.bus.Publish(event.StateUnreadable.With("intent.json", err))
	}
}

// saveIntent writes at once: an operator's wish must not be lost.
func (d *daemon) saveIntent() error {
	if d.o.StateDir == "" {
		return nil
	}
	return d.intent.Save(d.o.StateDir)
}

// noteDrained keeps that a drained server has left the table, so that it does not come back for a moment after a restart.
func (d *daemon) noteDrained(virtual, real string) {
	if d.intent.Drained(virtual, real) {
		d.keepIntent()
	}
}

// pruneIntent forgets what operators wanted of servers that the configuration has no more. What a mistake in the file keeps from running is
// still there: its wishes wait.
func (d *daemon) pruneIntent() {
	blocked := len(d.in.model.VirtualServers) == 0
	for i := range d.in.model.VirtualServers {
		blocked = blocked || d.in.model.VirtualServers[i].Blocked != ""
	}
	n := d.intent.Prune(func(virtual, real string) bool {
		p := d.pools[virtual]
		if p == nil {
			return blocked
		}
		return slices.ContainsFunc(p.Spec().Servers, func(rs ipvssync.RealServer) bool { return rs.ID == real })
	})
	if n > 0 {
		d.keepIntent()
	}
}

// keepIntent is saveIntent where nobody waits for the answer.
func (d *daemon) keepIntent() {
	if err := d.saveIntent(); err != nil {
		d.bus.Publish(event.StateUnreadable.With("intent.json", err))
	}
}

package balancer

import (
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/state"
)

// restoreChecks continues the verdicts of the process before, and says whether there were any, and which virtual servers had their quorum.
func (d *daemon) restoreChecks() (any bool, quorums map[string]bool) {
	if d.o.RunDir == "" {
		return false, nil
	}
	saved, quorums, err := state.LoadChecks(d.o.RunDir, d.o.Host)
	if err != nil {
		d.bus.Publish(event.StateUnreadable.With("checks.json", err))
	}
	d.sched.Restore(saved)
	return len(saved) > 0, quorums
}

// saveShare bounds the work of writing verdicts: after a save the next one waits this many times as long as that one took.
const saveShare = 10

// saveSoon writes verdicts that changed, one writer at a time, beside the owner.
func (d *daemon) saveSoon() {
	if !d.unsaved || d.saving || d.o.RunDir == "" || d.stopping || d.finished || !d.started || time.Now().Before(d.nextSave) {
		return
	}
	d.unsaved, d.saving = false, true
	held := d.pools.Held()
	d.writers.Go(func() {
		began := time.Now()
		err := state.SaveChecks(d.o.RunDir, d.o.Host, d.sched.Saved(), held)
		pause := saveShare * time.Since(began)
		d.inbox.post(func() {
			d.saving, d.nextSave = false, time.Now().Add(pause)
			if err != nil {
				d.bus.Publish(event.StateUnreadable.With("checks.json", err))
			}
		})
	})
}

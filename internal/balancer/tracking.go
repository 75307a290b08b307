package balancer

import (
	"path/filepath"
	"reflect"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/assemble"
	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/internal/notify"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/internal/track"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// outside is what the balancer watches besides servers, and whom it tells. Changes of its configuration may wait for a program to
// die, so they happen in order on a goroutine of their own.
type outside struct {
	set      *track.Set
	notifier *notify.Notifier
	errands  chan func()
	idle     chan struct{}
	// applied: everything the first configuration names is watched.
	applied bool
	// sent are the things of which the router was sent a result.
	sent map[string]bool
}

// startTracking and stopTracking frame the life of the balancer.
func (d *daemon) startTracking() {
	if d.o.Programs == nil {
		return
	}
	told := ""
	if d.o.RunDir != "" {
		told = filepath.Join(d.o.RunDir, "notified.json")
	}
	o := &outside{errands: make(chan func(), 64), idle: make(chan struct{}), sent: map[string]bool{}}
	o.set = track.New(d.o.Programs.tracks, func(v track.Value) { d.inbox.post(func() { d.sendTrack(v) }) }, d.bus)
	o.notifier = notify.New(d.o.Programs.notify, d.o.Programs.readers, told, d.bus)
	go func() {
		defer close(o.idle)
		for f := range o.errands {
			f()
		}
	}()
	d.outside = o
}

// stopTracking ends what is left. After a planned stop everybody has been told already; otherwise nobody is.
func (d *daemon) stopTracking() {
	if d.outside == nil {
		return
	}
	close(d.outside.errands)
	<-d.outside.idle
	d.outside.set.Close()
	d.outside.notifier.Abandon()
	d.o.Programs.Close()
}

// aside does f after everything that was put aside before.
func (d *daemon) aside(f func()) { d.outside.errands <- f }

// applyTracking makes exactly what the model names be watched and notified: the last step of a change.
func (d *daemon) applyTracking(m *config.Model) {
	if d.outside == nil {
		return
	}
	d.aside(func() {
		scripts, files, processes := assemble.Tracks(m)
		d.outside.set.Apply(scripts, files, processes)
		d.outside.notifier.Apply(assemble.Notify(m))
		d.inbox.post(func() {
			d.outside.applied = true
			d.tellMissed()
		})
	})
}

// tracksUnknown is why the priorities are not what they will be in a moment, "" if they are: taking addresses from a living master and
// giving them back because a script fails would be two failovers for nothing.
func (d *daemon) tracksUnknown() string {
	if d.outside == nil {
		return ""
	}
	if !d.outside.applied {
		return "tracking has not begun yet"
	}
	for _, v := range d.outside.set.Values() {
		if !d.outside.sent[v.ID] {
			return v.ID + " has not had a result yet"
		}
	}
	return ""
}

// sameTracking says that two models ask for the same tracking and notifying.
func sameTracking(old, new *config.Model) bool {
	oldScripts, oldFiles, oldProcesses := assemble.Tracks(old)
	newScripts, newFiles, newProcesses := assemble.Tracks(new)
	return reflect.DeepEqual(oldScripts, newScripts) && reflect.DeepEqual(oldFiles, newFiles) && reflect.DeepEqual(oldProcesses, newProcesses) &&
		reflect.DeepEqual(assemble.Notify(old), assemble.Notify(new))
}

// resendTracks tells a router that began anew every value.
func (d *daemon) resendTracks() {
	if d.outside == nil {
		return
	}
	for _, v := range d.outside.set.Values() {
		d.sendTrack(v)
	}
}

func (d *daemon) sendTrack(v track.Value) {
	d.outside.sent[v.ID] = v.Known
	d.conn.Send(seam.Message{Track: &vrrp.Track{ID: v.ID, Known: v.Known, OK: v.OK, Value: v.Value}})
}

// tracked is what status shows of scripts, files and processes.
func (d *daemon) tracked() []control.Tracked {
	if d.outside == nil {
		return nil
	}
	var all []control.Tracked
	for _, s := range d.outside.set.Status() {
		all = append(all, control.Tracked{ID: s.ID, Known: s.Known, OK: s.OK, Value: s.Value.Value, Reason: s.Reason, Since: s.Since})
	}
	return all
}

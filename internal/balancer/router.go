package balancer

import (
	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// onMessage takes one message of the router.
func (d *daemon) onMessage(m seam.Message) {
	d.router.Heard(m)
	switch {
	case m.Snapshot != nil:
		d.onSnapshot(*m.Snapshot)
	case m.Event != nil:
		d.onEvent(*m.Event)
	case m.Applied != nil:
		d.onApplied(*m.Applied)
	case m.Reload != nil:
		d.bus.Publish(event.ConfigReload.With("SIGHUP"))
		d.requestChange(nil)
	case m.Dump != nil:
		d.dump(m.Dump.Kind)
	case m.Stop != nil:
		d.stop()
	}
}

// onSnapshot begins everything when it is the first one. Later ones follow lost events, or a router that began anew and must be told
// everything again.
func (d *daemon) onSnapshot(s seam.Snapshot) {
	if s.Dropped > 0 {
		d.bus.Publish(event.EventsLost.With(s.Dropped))
	}
	if !d.started {
		d.gen = s.Gen
		if d.change == nil {
			d.requestChange(nil)
		}
		return
	}
	d.instancesChanged()
	d.tellMissed()
	if s.Gen != d.sentGen {
		d.apply(d.in.VRRP)
		ready := d.ready
		d.conn.Send(seam.Message{Ready: &ready})
		d.outside.Repeat()
		d.pools.Repeat()
	}
}

// apply sends the router its configuration.
func (d *daemon) apply(c vrrp.Config) {
	d.sentGen = d.gen
	d.conn.Send(seam.Message{Apply: &seam.Apply{Gen: d.gen, Config: c}})
}

func (d *daemon) onEvent(e seam.Event) {
	d.recent.Add(e.Event)
	if e.Notice != nil {
		d.onVRRPNotice(*e.Notice)
	}
	t := e.Transition
	if t == nil {
		return
	}
	d.outside.Transition(*t)
	d.instancesChanged()
}

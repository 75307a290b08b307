package balancer

import (
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// onMessage takes one message of the router.
func (d *daemon) onMessage(m seam.Message) {
	d.heard = time.Now()
	switch {
	case m.Snapshot != nil:
		d.onSnapshot(*m.Snapshot)
	case m.Event != nil:
		d.onEvent(*m.Event)
	case m.Applied != nil:
		d.onApplied(*m.Applied)
	case m.Status != nil:
		d.setInstances(m.Status.Instances)
		d.router = m.Status.Router
		d.answer(m.Status.Token, m)
	case m.HandoverDone != nil:
		d.answer(m.HandoverDone.Token, m)
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
	d.setInstances(s.Instances)
	d.router.Adopted = s.Adopted
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
		d.apply(d.in.vrrp)
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
	s := d.instances[t.ID]
	s.ID, s.Name, s.State, s.Priority, s.Reason, s.Since = t.ID, t.Name, t.To, t.Priority, t.Reason, e.Event.Time
	d.instances[t.ID] = s
	d.outside.Transition(*t)
	d.instancesChanged()
}

func (d *daemon) setInstances(all []vrrp.Status) {
	d.instances = make(map[vrrp.ID]vrrp.Status, len(all))
	for _, s := range all {
		d.instances[s.ID] = s
	}
}

// isMaster says whether the instance of that name owns its addresses.
func (d *daemon) isMaster(name string) bool {
	for _, s := range d.instances {
		if s.Name == name {
			return s.State == vrrp.Master
		}
	}
	return false
}

// owns says whether the instance owns its addresses.
func (d *daemon) owns(id vrrp.ID) bool { return d.instances[id].State == vrrp.Master }

// ask sends a message that the router answers with the same token; then is called with the answer.
func (d *daemon) ask(make func(token uint64) seam.Message, then func(seam.Message)) (cancel func()) {
	d.tokens++
	token := d.tokens
	d.waiting[token] = then
	d.conn.Send(make(token))
	return func() { delete(d.waiting, token) }
}

func (d *daemon) answer(token uint64, m seam.Message) {
	if then := d.waiting[token]; then != nil {
		delete(d.waiting, token)
		then(m)
	}
}

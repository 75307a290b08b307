package balancer

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/internal/assemble"
	"github.com/holdfast-ha/holdfast/internal/notify"
	"github.com/holdfast-ha/holdfast/ipvssync"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// stopNotifyWithin bounds how long a stop waits for notify_stop scripts and the last mails.
const stopNotifyWithin = 5 * time.Second

// onTransition sees every change of state of an instance.
func (d *daemon) onTransition(t vrrp.Transition) {
	s, ok := notifyState(t.To)
	if d.outside == nil || !ok {
		return
	}
	d.outside.notifier.Instance(t.ID.String(), s, int(t.Priority), t.Reason)
	if t.Group != "" {
		d.outside.notifier.Group(t.Group, s, t.Reason)
	}
}

// onVRRPNotice sees what happens to an instance that changes no state.
func (d *daemon) onVRRPNotice(n vrrp.Notice) {
	if d.outside == nil {
		return
	}
	switch n.Kind {
	case "master_rx_lower_pri":
		d.outside.notifier.LowerPriority(n.ID.String(), int(n.Priority))
	case "priority":
		s := d.instances[n.ID]
		s.Priority = n.Priority
		d.instances[n.ID] = s
		if state, ok := notifyState(s.State); ok {
			d.outside.notifier.Priority(n.ID.String(), state, int(n.Priority))
		}
	}
}

// notifyState is a state as scripts are told it; INIT is not told.
func notifyState(s vrrp.State) (notify.State, bool) {
	return notify.State(s.String()), s != vrrp.Init
}

// onVerdict sees every check that changed its mind.
func (d *daemon) onVerdict(c checkers.Change) {
	if c.What == checkers.Fell {
		d.lastReason = fmt.Sprintf("%s: %v %s", c.Kind, c.Reason, c.Detail)
	} else {
		d.lastReason = fmt.Sprintf("%s passed", c.Kind)
	}
}

// onPoolChange sees what happens to a pool: servers up and down, quorum gained and lost, in order.
func (d *daemon) onPoolChange(pool string, c ipvssync.Change) {
	if d.outside == nil {
		return
	}
	n := d.outside.notifier
	switch c.Kind {
	case ipvssync.ServerUp, ipvssync.ServerDown:
		n.Server(pool, c.Server, c.Kind == ipvssync.ServerUp, false, d.lastReason)
	case ipvssync.QuorumGained:
		n.Quorum(pool, true, fmt.Sprintf("gained quorum: weight %d of %d", c.From, c.To))
	case ipvssync.QuorumLost:
		n.Quorum(pool, false, fmt.Sprintf("lost quorum: weight %d, %d wanted", c.From, c.To))
	}
}

// tellMissed tells what changed while nobody could be told: before the configuration was known, or while the balancer was away.
func (d *daemon) tellMissed() {
	if d.outside == nil || d.stopping || !d.started {
		return
	}
	var instances, groups []notify.Current
	for id, s := range d.instances {
		if state, ok := notifyState(s.State); ok {
			instances = append(instances, notify.Current{ID: id.String(), State: state, Priority: int(s.Priority)})
		}
	}
	for _, g := range d.in.vrrp.Groups {
		if s, ok := d.groupState(g); ok {
			groups = append(groups, notify.Current{ID: g.Name, State: s})
		}
	}
	d.outside.notifier.Sync(instances, groups)
	for p := range d.pools.All() {
		st := p.Status()
		for _, s := range st.Servers {
			d.outside.notifier.Server(st.ID, s.ID, s.Up, true, "found in this state")
		}
		d.outside.notifier.Quorum(st.ID, st.Quorum, "found in this state")
	}
}

// groupState is the state that all members of a sync group are in.
func (d *daemon) groupState(g vrrp.Group) (notify.State, bool) {
	var state vrrp.State
	for i, id := range g.Members {
		if s := d.instances[id].State; i == 0 {
			state = s
		} else if s != state {
			return "", false
		}
	}
	return notifyState(state)
}

// repeatStates writes the states to the pipes again, where the configuration asks for that at every reload.
func (d *daemon) repeatStates() {
	if m := d.in.model; d.outside != nil && m.Global.FIFOWriteStatesOnReload {
		d.aside(func() { d.outside.notifier.Apply(assemble.Notify(m)) })
	}
}

// onStopping is the last moment at which notifications can be sent; IPVS is still as it was. The channel closes when everybody has been
// told.
func (d *daemon) onStopping() <-chan struct{} {
	done := make(chan struct{})
	if d.outside == nil {
		close(done)
		return done
	}
	d.aside(func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(d.ctx, stopNotifyWithin)
		defer cancel()
		d.outside.notifier.Close(ctx)
	})
	return done
}

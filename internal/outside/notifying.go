package outside

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/internal/notify"
	"github.com/holdfast-ha/holdfast/ipvssync"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// goodbyeWithin bounds how long a stop waits for notify_stop scripts and the last mails.
const goodbyeWithin = 5 * time.Second

// Transition sees every change of state of an instance.
func (w *World) Transition(t vrrp.Transition) {
	s, ok := notifyState(t.To)
	if w.blind() || !ok {
		return
	}
	w.notifier.Instance(t.ID.String(), s, int(t.Priority), t.Reason)
	if t.Group != "" {
		w.notifier.Group(t.Group, s, t.Reason)
	}
}

// LowerPriority tells that a master of lower priority was heard while the instance is MASTER itself.
func (w *World) LowerPriority(n vrrp.Notice) {
	if !w.blind() {
		w.notifier.LowerPriority(n.ID.String(), int(n.Priority))
	}
}

// Priority tells that the priority of an instance changed.
func (w *World) Priority(s vrrp.Status) {
	if state, ok := notifyState(s.State); ok && !w.blind() {
		w.notifier.Priority(s.ID.String(), state, int(s.Priority))
	}
}

// notifyState is a state as scripts are told it; INIT is not told.
func notifyState(s vrrp.State) (notify.State, bool) {
	return notify.State(s.String()), s != vrrp.Init
}

// Verdict sees every check that changed its mind.
func (w *World) Verdict(c checkers.Change) {
	if c.What == checkers.Fell {
		w.reason = fmt.Sprintf("%s: %v %s", c.Kind, c.Reason, c.Detail)
	} else {
		w.reason = fmt.Sprintf("%s passed", c.Kind)
	}
}

// PoolChanged sees what happens to a pool: servers up and down, quorum gained and lost, in order.
func (w *World) PoolChanged(pool string, c ipvssync.Change) {
	if w.blind() {
		return
	}
	n := w.notifier
	switch c.Kind {
	case ipvssync.ServerUp, ipvssync.ServerDown:
		n.Server(pool, c.Server, c.Kind == ipvssync.ServerUp, false, w.reason)
	case ipvssync.QuorumGained:
		n.Quorum(pool, true, fmt.Sprintf("gained quorum: weight %d of %d", c.From, c.To))
	case ipvssync.QuorumLost:
		n.Quorum(pool, false, fmt.Sprintf("lost quorum: weight %d, %d wanted", c.From, c.To))
	}
}

// Sync tells what changed while nobody could be told: before the configuration was known, or while the balancer was away.
func (w *World) Sync(all map[vrrp.ID]vrrp.Status, syncGroups []vrrp.Group, pools iter.Seq[*ipvssync.Pool]) {
	if w.blind() {
		return
	}
	var instances, groups []notify.Current
	for id, s := range all {
		if state, ok := notifyState(s.State); ok {
			instances = append(instances, notify.Current{ID: id.String(), State: state, Priority: int(s.Priority)})
		}
	}
	for _, g := range syncGroups {
		if s, ok := groupState(g, all); ok {
			groups = append(groups, notify.Current{ID: g.Name, State: s})
		}
	}
	w.notifier.Sync(instances, groups)
	for p := range pools {
		st := p.Status()
		alpha := map[string]bool{}
		for _, rs := range p.Spec().Servers {
			alpha[rs.ID] = rs.Alpha
		}
		for _, s := range st.Servers {
			// A server without alpha that is down has been up until its first check: that is news, and no first state.
			w.notifier.Server(st.ID, s.ID, s.Up, s.Up || alpha[s.ID], "found in this state")
		}
		w.notifier.Quorum(st.ID, st.Quorum, "found in this state")
	}
}

// groupState is the state that all members of a sync group are in.
func groupState(g vrrp.Group, all map[vrrp.ID]vrrp.Status) (notify.State, bool) {
	var state vrrp.State
	for i, id := range g.Members {
		if s := all[id].State; i == 0 {
			state = s
		} else if s != state {
			return "", false
		}
	}
	return notifyState(state)
}

// RepeatStates writes the states to the pipes again.
func (w *World) RepeatStates(c notify.Config) {
	if !w.blind() {
		w.errands.add(func() { w.notifier.Apply(c) })
	}
}

// Goodbye is the last moment at which notifications can be sent; IPVS is still as it was. The channel closes when everybody has been
// told.
func (w *World) Goodbye() <-chan struct{} {
	done := make(chan struct{})
	if w.blind() {
		close(done)
		return done
	}
	w.errands.add(func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(w.ctx, goodbyeWithin)
		defer cancel()
		w.notifier.Close(ctx)
	})
	return done
}

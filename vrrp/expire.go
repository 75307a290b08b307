package vrrp

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// expire does what the timers of a unit that have run out ask for.
func (ms *Machines) expire(now time.Time, u *unit) {
	if u.stopped {
		return
	}
	if u.state == Init {
		if !u.startAt.After(now) && !ms.awaitResults(now, u) {
			ms.start(now, u)
		}
		return
	}
	if g := u.giving; g != nil && !g.deadline.After(now) && !ms.putOff(now, u) {
		ms.noSuccessor(now, u)
		return
	}
	for _, m := range u.members {
		if m.due(timerWindow, now) {
			m.former = nil
			ms.notice(m, "window_over", "the former form of advertisements is no longer accepted")
		}
		if m.due(timerYield, now) {
			m.yielded = false
			ms.notice(m, "handover_over", "preempts again: the time given to the handover has passed")
		}
		if m.due(timerTaken, now) {
			ms.trouble(now, Trouble{ID: m.id, Kind: "taken"})
		}
		if m.due(timerDenied, now) && u.state != Master {
			m.denied = nil
			ms.evaluate(now, u)
		}
		switch u.state {
		case Master:
			ms.expireMaster(now, m)
		case Backup:
			ms.expireDown(now, m)
		}
	}
}

func (ms *Machines) expireMaster(now time.Time, m *machine) {
	at := m.timers[timerAdvert]
	if m.due(timerAdvert, now) {
		ms.advertDue(now, m, at)
		if m.unit.state != Master {
			return
		}
	}
	if m.due(timerZero, now) && m.zeroesLeft > 0 {
		m.zeroesLeft--
		ms.emit(Send{ID: m.id})
		if m.zeroesLeft > 0 {
			m.set(timerZero, now.Add(min(m.cfg.Interval/2, 50*time.Millisecond)))
		}
	}
	g := &m.cfg.Gratuitous
	if m.due(timerBurst, now) {
		repeat := g.Repeat
		if m.crossed {
			m.crossed, repeat = false, 1
			if g.Delay > 0 {
				m.set(timerBurst, now.Add(max(g.Delay-afterHandover, 0)))
			}
		}
		ms.announce(now, m, m.cfg.Addresses, repeat)
	}
	if m.due(timerLowerBurst, now) {
		ms.announce(now, m, m.cfg.Addresses, g.LowerPrioRepeat)
	}
	if m.due(timerRefresh, now) {
		ms.announce(now, m, m.cfg.Addresses, g.RefreshRepeat)
		if g.Refresh > 0 {
			m.set(timerRefresh, now.Add(g.Refresh))
		}
	}
	if m.due(timerExtra, now) {
		if list := m.cfg.elsewhere(); len(list) > 0 {
			ms.announce(now, m, list, 1)
		}
		if g.ExtraInterval > 0 {
			m.set(timerExtra, now.Add(g.ExtraInterval))
		}
	}
}

// elsewhere are the addresses that garp_extra_if is about: switches on other interfaces than the instance's see nothing of it but these.
func (i *Instance) elsewhere() []Address {
	return slices.DeleteFunc(slices.Clone(i.Addresses), func(a Address) bool {
		at := cmp.Or(a.On, a.Interface, i.Interface)
		other := at != i.Interface && at != i.VMAC.Name
		return !other || a.On == "" && !i.Gratuitous.ExtraAll
	})
}

// advertDue sends the advertisement that was due at the given time.
func (ms *Machines) advertDue(now time.Time, m *machine, at time.Time) {
	if m.overslept(now) && m.unit.giving == nil {
		why := fmt.Sprintf("nothing was sent for %s: a router of priority %d may have taken over (timer_expired_backup)", short(now.Sub(m.sentAt)), m.cfg.LateBackup)
		// Whoever has not taken over yet need not wait for the whole of its time now; a MASTER only answers.
		for _, o := range m.unit.members {
			ms.emit(Send{ID: o.id})
		}
		ms.backup(now, m.unit, m, why)
		return
	}
	if m.asleep(now) {
		// Nobody was heard in the sockets, which have been read empty: still MASTER. But whoever may have taken over meanwhile has told
		// the segment where the addresses are.
		ms.notice(m, "late_wake", "nothing was sent for %s; nobody else was heard", short(now.Sub(m.sentAt)))
		ms.advertise(now, m, now)
		ms.announce(now, m, m.cfg.Addresses, m.cfg.Gratuitous.Repeat)
		return
	}
	// From the time it was due, so that lateness does not add up, unless it was very late.
	base := at
	if now.Sub(at) > m.cfg.Interval/2 {
		base = now
	}
	ms.advertise(now, m, base)
}

// asleep says that a MASTER has been silent for so long that another may have taken over: the process was stopped, the machine paused.
func (m *machine) asleep(now time.Time) bool {
	return now.Sub(m.sentAt) > m.cfg.adverts()*m.cfg.Interval
}

// overslept says that the silence was long enough for a router of the priority in LateBackup, and that the configuration wants BACKUP then.
func (m *machine) overslept(now time.Time) bool {
	c := &m.cfg
	return c.LateBackup > 0 && c.NoPreempt && c.Priority != 255 && now.Sub(m.sentAt) >= 3*c.Interval+skew(c.Version, c.LateBackup, c.Interval)
}

// expireDown is Master_Down_Timer.
func (ms *Machines) expireDown(now time.Time, m *machine) {
	at := m.timers[timerDown]
	if !m.due(timerDown, now) {
		return
	}
	// A timer that fires this late did not listen: one more round before it is believed.
	if late := now.Sub(at); late > m.masterInterval && !m.listened {
		m.listened = true
		m.set(timerDown, now.Add(m.masterInterval+m.skew()))
		ms.notice(m, "late_wake", "the master-down timer fired %s late: listening once more", short(late))
		return
	}
	// A sync group takes over when no member has a living MASTER any more. A member's own timer may have some of its last interval left.
	for _, o := range m.unit.members {
		down := o.timers[timerDown]
		if o == m || down.IsZero() {
			continue
		}
		if agrees := down.Add(-o.masterInterval); agrees.After(now) {
			m.set(timerDown, agrees)
			return
		}
	}
	ms.master(now, m.unit, m, m.whyPromoted(now))
}

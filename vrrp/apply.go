package vrrp

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Apply brings the machines to cfg: new instances start, gone ones let go, changed ones change in place and keep their state where that is
// possible. An unchanged instance gets no action at all. A new instance is INIT until the next Tick, which is due at once (or after
// StartupDelay and DelayAfterBoot), so that Links and Adopt can come first. Of two instances with one identity the second is ignored.
func (ms *Machines) Apply(now time.Time, cfg Config) []Action {
	ms.out, ms.now = nil, now
	if ms.stopping {
		return nil
	}
	first := ms.startedAt.IsZero()
	if first {
		ms.startedAt, ms.unreadySince = now, now
	}
	startAt := now
	if d := ms.startedAt.Add(cfg.StartupDelay); d.After(now) {
		startAt = d
	}
	if d := ms.bootedAt.Add(cfg.DelayAfterBoot); !ms.bootedAt.IsZero() && d.After(startAt) {
		startAt = d
	}
	hold := ms.cfg.HoldWithoutBalancer
	ms.cfg = cfg
	if !ms.awayAt.IsZero() && hold != cfg.HoldWithoutBalancer {
		ms.awayAt, ms.awayOver = time.Time{}, false
		if cfg.HoldWithoutBalancer > 0 {
			ms.awayAt = now.Add(cfg.HoldWithoutBalancer)
		}
	}

	wanted := map[ID]bool{}
	var order []*machine
	var changed []reload
	for _, i := range cfg.Instances {
		id := i.ID()
		if wanted[id] {
			continue
		}
		wanted[id] = true
		m := ms.byID[id]
		if m == nil {
			m = newMachine(i)
			m.ahSent = uint32(now.Unix())
			m.recall(ms.recalled[id])
			ms.byID[id] = m
		} else if !reflect.DeepEqual(m.cfg, i) {
			changed = append(changed, reload{m: m, was: m.cfg})
			m.cfg, m.advertised = i, i.advertised()
			m.reconsider()
		}
		order = append(order, m)
	}
	ms.remove(now, wanted)
	ms.share(order)
	ms.regroup(now, order, cfg.Groups, startAt)
	ms.follow(now, changed)
	for _, u := range ms.units {
		ms.evaluate(now, u)
	}
	return ms.out
}

type reload struct {
	m   *machine
	was Instance
}

// remove lets go of instances that are not wanted any more.
func (ms *Machines) remove(now time.Time, wanted map[ID]bool) {
	ms.gone = map[ID]*machine{}
	var gone []*machine
	for id, m := range ms.byID {
		if !wanted[id] {
			gone = append(gone, m)
		}
	}
	slices.SortFunc(gone, func(a, b *machine) int { return compareID(a.id, b.id) })
	for _, m := range gone {
		if m.unit.state == Master {
			ms.emit(Send{ID: m.id})
			ms.emit(Send{ID: m.id})
		}
		ms.emit(Hold{ID: m.id})
		if m.unit.giving != nil {
			ms.ended(m.unit, "a reload removed it meanwhile")
		}
		if m.unit.state != Init {
			ms.emit(Transition{ID: m.id, Name: m.cfg.Name, From: m.unit.state, To: Init, Priority: m.priority, Reason: "removed from the configuration"})
		}
		ms.recalled[m.id] = m.sequences()
		// Packet still has to build what was just said.
		ms.gone[m.id] = m
		ms.unpace(m.id)
		delete(ms.byID, m.id)
	}
}

// regroup sorts the machines into units anew and keeps the states.
func (ms *Machines) regroup(now time.Time, order []*machine, groups []Group, startAt time.Time) {
	old := ms.units
	oldByName := map[string]*unit{}
	for _, u := range old {
		if u.name != "" {
			oldByName[u.name] = u
		}
	}
	ms.units = nil
	taken := map[*machine]bool{}
	build := func(g Group, members []*machine) {
		var u *unit
		if prior := members[0].unit; prior != nil && prior.name == g.Name && slices.Equal(prior.members, members) {
			u = prior
			u.cfg = g
		} else {
			u = &unit{name: g.Name, cfg: g, members: members, index: -1}
			ms.join(now, u, startAt)
			ms.resume(now, u)
		}
		for _, m := range members {
			m.unit = u
			taken[m] = true
		}
		ms.units = append(ms.units, u)
	}
	for _, g := range groups {
		var members []*machine
		for _, id := range g.Members {
			if m := ms.byID[id]; m != nil && !taken[m] && !slices.Contains(members, m) {
				members = append(members, m)
			}
		}
		if len(members) > 0 {
			build(g, members)
		}
	}
	for _, m := range order {
		if !taken[m] {
			build(Group{}, []*machine{m})
		}
	}
	ms.waiting = nil
	for _, u := range old {
		u.index = -1
	}
	for _, u := range ms.units {
		u.index = -1
		ms.reschedule(u)
	}
}

// join gives a new unit the state its members had: MASTER if all were or are new, INIT if all are new, else BACKUP.
func (ms *Machines) join(now time.Time, u *unit, startAt time.Time) {
	states := map[State]int{}
	for _, m := range u.members {
		if m.unit == nil {
			states[Init]++
			continue
		}
		states[m.unit.state]++
		if u.since.Before(m.unit.since) {
			u.since, u.reason = m.unit.since, m.unit.reason
		}
	}
	n := len(u.members)
	switch {
	case states[Init] == n:
		u.state, u.startAt, u.since = Init, startAt, now
		u.reason = "new"
		if wait := startAt.Sub(now); wait > 0 && !u.stopped {
			u.reason = fmt.Sprintf("new: waits %s (vrrp_startup_delay, vrrp_delay_after_boot)", short(wait.Round(time.Second/10)))
			for _, m := range u.members {
				ms.notice(m, "start_delayed", "starts in %s (vrrp_startup_delay, vrrp_delay_after_boot)", short(wait.Round(time.Second/10)))
			}
		}
	case states[Master] == n:
		u.state = Master
	case states[Master] > 0 && states[Master]+states[Init] == n:
		ms.joinMaster(now, u)
		return
	case states[Fault] == n:
		u.state = Fault
	default:
		u.state = Backup
	}
	if u.state == Init || states[u.state] == n {
		return
	}
	for _, m := range u.members {
		from := Init
		if m.unit != nil {
			from = m.unit.state
		}
		if from == Master {
			ms.emit(Send{ID: m.id})
			m.clear(timerAdvert, timerBurst, timerLowerBurst, timerRefresh, timerExtra, timerZero)
			ms.emit(Hold{ID: m.id})
			m.counters.ReleasedMaster++
		}
		m.set(timerDown, now.Add(m.masterDown()))
		if from != Backup {
			ms.emit(Transition{ID: m.id, Name: m.cfg.Name, From: from, To: Backup, Priority: m.priority, Reason: "joined sync group " + u.name, Group: u.name})
		}
	}
	u.since, u.reason = now, "sync group "+u.name+" changed"
}

// resume makes members of a new unit speak again whose former unit was handing over.
func (ms *Machines) resume(now time.Time, u *unit) {
	for _, m := range u.members {
		if m.unit == nil || m.unit.giving == nil {
			continue
		}
		ms.ended(m.unit, "a reload changed the sync group meanwhile")
		if u.state == Master {
			m.clear(timerZero)
			ms.advertise(now, m, now)
		}
	}
}

// joinMaster makes new members MASTER beside those that are.
func (ms *Machines) joinMaster(now time.Time, u *unit) {
	u.state = Master
	for _, m := range u.members {
		if m.unit != nil && m.unit.state == Master {
			continue
		}
		m.unit = u
		m.priority = ms.priorityOf(m)
		ms.own(now, m, false)
		ms.emit(m.hold(m.cfg.Addresses))
		ms.firstBurst(now, m)
		m.counters.BecameMaster++
		ms.emit(Transition{ID: m.id, Name: m.cfg.Name, From: Init, To: Master, Priority: m.priority, Reason: "joined sync group " + u.name + ", which is MASTER"})
	}
}

// follow carries a change of configuration out without a change of state.
func (ms *Machines) follow(now time.Time, changed []reload) {
	// Addresses that move between instances are taken first and then let go, so that they never leave the kernel.
	var takers []taker
	var givers []*machine
	for _, c := range changed {
		m := c.m
		if m.unit.state == Init {
			m.masterInterval, m.priority = m.cfg.Interval, m.cfg.Priority
			continue
		}
		if ms.cfg.TransitionWindow > 0 && talksOtherwise(&c.was, &m.cfg) {
			was := c.was
			m.former = &was
			m.set(timerWindow, now.Add(ms.cfg.TransitionWindow))
			ms.notice(m, "window", "%s changed: the former form of advertisements is sent and accepted besides for %s", differences(&c.was, &m.cfg), ms.cfg.TransitionWindow)
		}
		if m.cfg.Interval != c.was.Interval || m.cfg.Version != c.was.Version || m.cfg.DownTimerAdverts != c.was.DownTimerAdverts {
			m.retime(now, &c.was)
		}
		if m.unit.state != Master {
			continue
		}
		if m.cfg.Interval != c.was.Interval || !slices.Equal(m.cfg.advertised(), c.was.advertised()) || talksOtherwise(&c.was, &m.cfg) {
			if m.unit.giving == nil {
				ms.advertise(now, m, now)
			}
		}
		if d := m.cfg.Gratuitous.Refresh; d != c.was.Gratuitous.Refresh && m.unit.giving == nil {
			m.clear(timerRefresh)
			if d > 0 {
				m.set(timerRefresh, now.Add(d))
			}
		}
		if d := m.cfg.Gratuitous.ExtraInterval; d != c.was.Gratuitous.ExtraInterval && m.unit.giving == nil {
			m.clear(timerExtra)
			if d > 0 {
				m.set(timerExtra, now.Add(d))
			}
		}
		added := without(m.cfg.Addresses, c.was.Addresses)
		gone := without(c.was.Addresses, m.cfg.Addresses)
		if len(added) > 0 {
			ms.emit(m.hold(append(slices.Clone(gone), m.cfg.Addresses...)))
			takers = append(takers, taker{m, added})
		}
		if len(gone) > 0 || len(added) == 0 && (!slices.Equal(m.cfg.Addresses, c.was.Addresses) ||
			!reflect.DeepEqual(m.cfg.Routes, c.was.Routes) || !slices.Equal(m.cfg.Rules, c.was.Rules) ||
			m.cfg.NoAccept != c.was.NoAccept) {
			givers = append(givers, m)
		}
	}
	for _, m := range givers {
		ms.emit(m.hold(m.cfg.Addresses))
	}
	for _, t := range takers {
		ms.announce(now, t.m, t.added, t.m.cfg.Gratuitous.Repeat)
	}
}

// taker is an instance that gains addresses.
type taker struct {
	m     *machine
	added []Address
}

// without are the addresses of a that are not in b.
func without(a, b []Address) []Address {
	return slices.DeleteFunc(slices.Clone(a), func(x Address) bool { return slices.Contains(b, x) })
}

// retime follows a changed interval.
func (m *machine) retime(now time.Time, was *Instance) {
	if m.cfg.Version == 2 || m.masterInterval == was.Interval || m.unit.state != Backup {
		m.masterInterval = m.cfg.Interval
	}
	if m.unit.state != Backup {
		return
	}
	from := m.heardAt
	if from.IsZero() || from.Before(m.unit.since) {
		from = m.unit.since
	}
	// Never shorter than what is left of it, and never already over: the peers may still run the longer interval.
	m.set(timerDown, later(m.timers[timerDown], later(now.Add(m.masterInterval), from.Add(m.masterDown()))))
}

// talksOtherwise says that a peer with one form of the configuration would not accept the other's advertisements.
func talksOtherwise(a, b *Instance) bool { return differences(a, b) != "" }

// saysOtherwise says that the advertisements of two forms differ, other than in priority and addresses.
func saysOtherwise(a, b *Instance) bool {
	return a.Version != b.Version || a.Auth != b.Auth && (a.Version == 2 || b.Version == 2) || !a.HMAC.signsAs(b.HMAC) || a.Group != b.Group || !slices.Equal(a.Peers, b.Peers) ||
		a.Version == 2 && a.Interval != b.Interval || a.ChecksumAsV2 != b.ChecksumAsV2 || a.OldUnicastChecksum != b.OldUnicastChecksum
}

func differences(a, b *Instance) string {
	var out []string
	if a.Version != b.Version {
		out = append(out, "version")
	}
	if a.Auth != b.Auth && (a.Version == 2 || b.Version == 2) {
		out = append(out, "authentication")
	} else if !b.HMAC.acceptsAll(a.HMAC) || !a.HMAC.signsAs(b.HMAC) {
		out = append(out, "authentication")
	}
	if (len(a.Peers) > 0) != (len(b.Peers) > 0) || a.Group != b.Group {
		out = append(out, "transport")
	} else if !slices.Equal(a.Peers, b.Peers) {
		out = append(out, "peers")
	}
	if a.Version == 2 && b.Version == 2 && a.Interval != b.Interval {
		out = append(out, "interval")
	}
	if a.ChecksumAsV2 != b.ChecksumAsV2 || a.OldUnicastChecksum != b.OldUnicastChecksum {
		out = append(out, "checksum")
	}
	return strings.Join(out, ", ")
}

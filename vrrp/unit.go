package vrrp

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// unit is what changes state as a whole: a sync group, or one instance alone.
type unit struct {
	// name is the sync group's; "" for an instance alone.
	name    string
	cfg     Group
	members []*machine

	state  State
	since  time.Time
	reason string
	// startAt is when INIT is left.
	startAt time.Time
	// patientUntil is how long INIT waits for scripts; zero while it does not.
	patientUntil time.Time
	// faults are those of all members.
	faults []string
	// stopped: it has let go for good.
	stopped bool
	giving  *giving

	next  time.Time
	index int
}

// giving is a planned hand-over under way.
type giving struct {
	// forGood: the router stops. Otherwise it is an operator's handover.
	forGood  bool
	keep     time.Duration
	deadline time.Time
	// latest is what deadline is put off to at most.
	latest time.Time
}

func (u *unit) earliest() time.Time {
	var t time.Time
	take := func(x time.Time) {
		if !x.IsZero() && (t.IsZero() || x.Before(t)) {
			t = x
		}
	}
	if u.stopped {
		return t
	}
	for _, m := range u.members {
		for _, x := range m.timers {
			take(x)
		}
	}
	if u.giving != nil {
		take(u.giving.deadline)
	}
	if u.state == Init {
		take(u.startAt)
	}
	return t
}

func (u *unit) usesInterface(name string) bool {
	for _, m := range u.members {
		if m.cfg.Interface == name || slices.ContainsFunc(m.cfg.TrackInterfaces, func(t TrackInterface) bool { return t.Name == name }) ||
			slices.ContainsFunc(m.cfg.Addresses, func(a Address) bool { return a.Interface == name }) ||
			slices.ContainsFunc(m.cfg.Routes, func(r Route) bool { return slices.Contains(r.interfaces(), name) }) {
			return true
		}
	}
	return slices.ContainsFunc(u.cfg.TrackInterfaces, func(t TrackInterface) bool { return t.Name == name })
}

func (u *unit) usesTrack(id string) bool {
	is := func(t TrackRef) bool { return t.ID == id }
	return slices.ContainsFunc(u.cfg.Tracks, is) ||
		slices.ContainsFunc(u.members, func(m *machine) bool { return slices.ContainsFunc(m.cfg.Tracks, is) })
}

// enter changes the state of every member and tells it. cause is the member because of which it happens, nil for the whole.
func (ms *Machines) enter(now time.Time, u *unit, to State, cause *machine, reason string) {
	from := u.state
	u.state, u.since, u.reason = to, now, reason
	for i, m := range u.members {
		r := reason
		if cause != nil && cause != m {
			r = "sync group " + u.name + ": " + cause.cfg.Name + ": " + reason
		}
		t := Transition{ID: m.id, Name: m.cfg.Name, From: from, To: to, Priority: m.priority, Reason: r}
		if i == len(u.members)-1 {
			t.Group = u.name
		}
		if to == Master && r != ReasonAdopted {
			m.counters.BecameMaster++
		}
		if from == Master {
			m.counters.ReleasedMaster++
		}
		ms.emit(t)
	}
}

// noAddr is the zero address: nobody.
var noAddr netip.Addr

// ReasonAdopted is the reason of a transition that is none: a machine that continues what it was before a crash.
const ReasonAdopted = "adopted"

// afterHandover is how long after the addresses of a living predecessor were taken they are announced once more: what it said in their name before it heard
// of us may have crossed the first announcements.
const afterHandover = 50 * time.Millisecond

// master makes the unit MASTER: first the adverts, then the addresses, then the announcements (keepalived.md 3.4). From a predecessor that serves until it
// hears the adverts the addresses are taken before them: otherwise nobody would have them for as long as the kernel takes.
func (ms *Machines) master(now time.Time, u *unit, cause *machine, reason string) {
	polite := !slices.ContainsFunc(u.members, func(m *machine) bool { return !m.relieves(now) })
	advertise := func() {
		for _, m := range u.members {
			ms.own(now, m, polite)
		}
	}
	if !polite {
		advertise()
	}
	for _, m := range u.members {
		ms.emit(m.hold(m.cfg.Addresses))
	}
	if polite {
		advertise()
	}
	for _, m := range u.members {
		ms.firstBurst(now, m)
		if polite {
			m.set(timerBurst, now.Add(afterHandover))
			m.crossed = true
		}
	}
	ms.enter(now, u, Master, cause, reason)
}

// relieves says that the one whom the machine takes over from is alive and keeps the addresses until it hears of a successor: it has said that it leaves,
// or has the lower priority. With intervals below 100 ms every moment counts against other routers' timers.
func (m *machine) relieves(now time.Time) bool {
	return m.cfg.Interval >= 100*time.Millisecond && (m.leaving || m.lowerAddr.IsValid() && now.Sub(m.lowerAt) < m.masterDown())
}

// own sends the first advertisement of a MASTER and forgets what was only for a BACKUP. A polite one waits for the addresses: the kernel may be held
// up for 200 ms by what else goes on in the machine, or by 250 instances at once (measured), and the client would be too. A third router may take over meanwhile; it then yields again.
func (ms *Machines) own(now time.Time, m *machine, polite bool) {
	m.restore()
	if polite {
		ms.emit(Send{ID: m.id, Priority: m.priority, Patience: min(m.cfg.Interval/2, 500*time.Millisecond)})
		m.sentAt = now
		m.set(timerAdvert, now.Add(m.interval()))
	} else {
		ms.advertise(now, m, now)
	}
	m.clear(timerDown)
	m.yielded, m.listened, m.waitNoticed, m.preemptAt = false, false, false, time.Time{}
	m.clear(timerYield)
	m.rivalAddr, m.rivalCount, m.rivalTold = noAddr, 0, false
	m.rivalAnsweredAt, m.rivalAnnouncedAt = time.Time{}, time.Time{}
	m.masterInterval = m.cfg.Interval
}

// firstBurst announces the addresses of a new MASTER and plans the repeats.
func (ms *Machines) firstBurst(now time.Time, m *machine) {
	ms.announce(now, m, m.cfg.Addresses, m.cfg.Gratuitous.Repeat)
	m.crossed = false
	if d := m.cfg.Gratuitous.Delay; d > 0 {
		m.set(timerBurst, now.Add(d))
	}
	if d := m.cfg.Gratuitous.Refresh; d > 0 {
		m.set(timerRefresh, now.Add(d))
	}
	if d := m.cfg.Gratuitous.ExtraInterval; d > 0 {
		m.set(timerExtra, now.Add(d))
	}
}

// hold is what the instance holds with these addresses.
func (m *machine) hold(addresses []Address) Hold {
	return Hold{ID: m.id, Addresses: addresses, Routes: m.cfg.Routes, Rules: m.cfg.Rules, NoAccept: m.cfg.NoAccept && m.cfg.Priority != 255}
}

// advertise sends one advertisement; the next is due an interval after base.
func (ms *Machines) advertise(now time.Time, m *machine, base time.Time) {
	ms.emit(Send{ID: m.id, Priority: m.priority})
	m.sentAt = now
	m.set(timerAdvert, base.Add(m.interval()))
}

// letGo stops what a MASTER does and takes its addresses away.
func (ms *Machines) letGo(u *unit) {
	u.giving = nil
	for _, m := range u.members {
		m.clear(timerAdvert, timerBurst, timerLowerBurst, timerRefresh, timerExtra, timerZero)
		ms.unpace(m.id)
		ms.emit(Hold{ID: m.id})
	}
}

// backup makes the unit BACKUP with fresh timers.
func (ms *Machines) backup(now time.Time, u *unit, cause *machine, reason string) {
	if u.state == Master {
		ms.letGo(u)
	}
	for _, m := range u.members {
		m.preemptAt, m.waitNoticed, m.listened = time.Time{}, false, false
		m.leaving, m.lowerTold = false, noAddr
		wait := m.masterDown()
		if m.priority == 255 && u.state == Fault {
			wait = m.masterInterval + m.skew()
		}
		m.set(timerDown, now.Add(wait))
	}
	ms.enter(now, u, Backup, cause, reason)
}

// fault makes the unit FAULT. A MASTER says priority 0, twice because nobody will repeat it.
func (ms *Machines) fault(now time.Time, u *unit, reason string) {
	if u.state == Master {
		for range 2 {
			for _, m := range u.members {
				ms.emit(Send{ID: m.id})
			}
		}
		if u.giving != nil {
			ms.ended(u, reason)
		}
		ms.letGo(u)
	}
	for _, m := range u.members {
		m.clear(timerDown)
		m.masterInterval = m.cfg.Interval
		m.masterAddr, m.masterPriority = noAddr, 0
		m.lowerAddr = noAddr
	}
	ms.enter(now, u, Fault, nil, reason)
}

// evaluate works out faults and priorities of a unit anew and follows them.
func (ms *Machines) evaluate(now time.Time, u *unit) {
	defer ms.reschedule(u)
	if u.stopped {
		return
	}
	var faults []string
	for _, m := range u.members {
		m.faults = ms.faultsOf(m)
		for _, f := range m.faults {
			if len(u.members) > 1 {
				f = m.cfg.Name + ": " + f
			}
			faults = append(faults, f)
		}
	}
	before := u.faults
	u.faults = faults
	for _, m := range u.members {
		ms.reprioritise(now, m)
	}
	switch {
	case u.state == Init:
		if !u.patientUntil.IsZero() && (len(faults) > 0 || len(ms.unknownScripts(u)) == 0) {
			u.startAt = now
		}
	case len(faults) > 0 && u.giving != nil && u.giving.forGood:
		ms.letGo(u)
		ms.stop(now, u, "stopped: "+strings.Join(faults, "; "))
	case len(faults) > 0 && u.state != Fault:
		ms.fault(now, u, strings.Join(faults, "; "))
	case len(faults) > 0 && !slices.Equal(before, faults):
		u.reason = strings.Join(faults, "; ")
		ms.notice(u.members[0], "fault_changed", "%s", u.reason)
	case len(faults) == 0 && u.state == Fault:
		ms.backup(now, u, nil, "no fault any more; was: "+strings.Join(before, "; "))
	}
}

// start leaves INIT.
func (ms *Machines) start(now time.Time, u *unit) {
	u.startAt, u.patientUntil = time.Time{}, time.Time{}
	owner := !slices.ContainsFunc(u.members, func(m *machine) bool { return m.priority != 255 })
	switch {
	case len(u.faults) > 0:
		ms.fault(now, u, strings.Join(u.faults, "; "))
	case owner:
		ms.master(now, u, nil, "owner of the addresses (priority 255)")
	default:
		ms.backup(now, u, nil, "started")
	}
}

// reprioritise follows a change of the effective priority.
func (ms *Machines) reprioritise(now time.Time, m *machine) {
	was := m.priority
	p := ms.priorityOf(m)
	if p == was {
		return
	}
	oldSkew := m.skew()
	m.priority = p
	if m.unit.state == Init {
		return
	}
	ms.notice(m, "priority", "effective priority %d, was %d: %s", p, was, ms.sum(m))
	switch m.unit.state {
	case Backup:
		if at := m.timers[timerDown]; !at.IsZero() {
			m.set(timerDown, later(now, at.Add(m.skew()-oldSkew)))
		}
	case Master:
		if m.unit.giving == nil {
			ms.advertise(now, m, now)
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// ScriptPatience is how long an instance stays INIT for the first result of a script whose failure would be its FAULT.
const ScriptPatience = 30 * time.Second

// unknownScripts are the tracks of scripts without a weight that have not had a result yet.
func (ms *Machines) unknownScripts(u *unit) []string {
	var out []string
	for _, m := range u.members {
		_, refs := m.tracks()
		for _, r := range refs {
			if r.Weight == 0 && r.script() && !ms.tracks[r.ID].Known && !slices.Contains(out, r.ID) {
				out = append(out, r.ID)
			}
		}
	}
	return out
}

// awaitResults says that INIT is not left yet: a script would decide between BACKUP and FAULT and has not had its first result. It is not
// waited for longer than ScriptPatience.
func (ms *Machines) awaitResults(now time.Time, u *unit) bool {
	missing := ms.unknownScripts(u)
	if len(missing) == 0 || len(u.faults) > 0 {
		return false
	}
	if u.patientUntil.IsZero() {
		u.patientUntil = now.Add(ScriptPatience)
	}
	if u.patientUntil.After(now) {
		u.startAt = u.patientUntil
		return true
	}
	ms.notice(u.members[0], "start_without_result", "no result of %s for %s: it starts without", strings.Join(missing, ", "), short(ScriptPatience))
	return false
}

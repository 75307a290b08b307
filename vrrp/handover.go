package vrrp

import (
	"fmt"
	"strings"
	"time"
)

const (
	// zeroes is how often priority 0 is sent: one lost packet would cost a whole master-down interval.
	zeroes = 3
	// giveCap bounds the wait for a successor.
	giveCap = 5 * time.Second
)

// give starts a planned hand-over of a MASTER: priority 0 now and again, no more adverts, the addresses stay until the successor speaks.
func (ms *Machines) give(now time.Time, u *unit, g *giving) {
	wait := time.Duration(0)
	for _, m := range u.members {
		// The largest skew there can be, that of priority 1.
		wait = max(wait, skew(m.cfg.Version, 1, m.cfg.Interval)+m.cfg.Interval)
	}
	g.deadline, g.latest = now.Add(min(wait+100*time.Millisecond, giveCap)), now.Add(giveCap)
	u.giving = g
	for _, m := range u.members {
		m.clear(timerAdvert, timerBurst, timerLowerBurst, timerRefresh, timerExtra)
		m.succeeded = noAddr
		ms.emit(Send{ID: m.id})
		m.zeroesLeft = zeroes - 1
		m.set(timerZero, now.Add(min(m.cfg.Interval/4, 5*time.Millisecond)))
	}
}

// succeeded lets go as soon as every member's successor has been heard.
func (ms *Machines) succeeded(now time.Time, u *unit) {
	var to []string
	for _, m := range u.members {
		if !m.succeeded.IsValid() {
			return
		}
		m.clear(timerZero)
		if s := m.succeeded.String(); !strings.Contains(strings.Join(to, " "), s) {
			to = append(to, s)
		}
	}
	g := u.giving
	ms.letGo(u)
	who := strings.Join(to, ", ")
	if g.forGood {
		ms.stop(now, u, "stopped: handed over to "+who)
		return
	}
	for _, m := range u.members {
		m.yield(now, g.keep)
		m.clear(timerDown)
	}
	ms.enter(now, u, Backup, nil, "handed over to "+who)
	for _, m := range u.members {
		m.preemptAt, m.waitNoticed, m.listened, m.leaving = time.Time{}, false, false, false
		m.set(timerDown, now.Add(m.masterDown()))
		ms.notice(m, "handover_done", "handed over to %s%s", who, forHow(g.keep))
	}
	ms.ended(u, "")
}

func forHow(d time.Duration) string {
	if d > 0 {
		return fmt.Sprintf("; does not preempt for %s", d)
	}
	return "; does not preempt until told to or until it dies"
}

func (m *machine) yield(now time.Time, keep time.Duration) {
	m.yielded = true
	m.clear(timerYield)
	if keep > 0 {
		m.set(timerYield, now.Add(keep))
	}
}

// putOff gives a successor more time that is busy with others: a router takes hundreds of instances over one after the other. (keepalived took 3.3 s for 255, on
// a busy machine.)
func (ms *Machines) putOff(now time.Time, u *unit) bool {
	g := u.giving
	if !now.Before(g.latest) || ms.succeededAt.IsZero() || now.Sub(ms.succeededAt) > u.members[0].cfg.Interval {
		return false
	}
	g.deadline = now.Add(min(u.members[0].cfg.Interval/4, g.latest.Sub(now)))
	return true
}

// noSuccessor ends a hand-over that nobody took.
func (ms *Machines) noSuccessor(now time.Time, u *unit) {
	g := u.giving
	u.giving = nil
	if g.forGood {
		ms.letGo(u)
		ms.stop(now, u, "stopped: no successor was heard")
		return
	}
	defer ms.ended(u, "no successor was heard: stays MASTER")
	for _, m := range u.members {
		m.clear(timerZero)
		ms.advertise(now, m, now)
		if d := m.cfg.Gratuitous.Refresh; d > 0 {
			m.set(timerRefresh, now.Add(d))
		}
		if d := m.cfg.Gratuitous.ExtraInterval; d > 0 {
			m.set(timerExtra, now.Add(d))
		}
		ms.notice(m, "handover_failed", "no successor was heard: stays MASTER")
	}
}

// stop ends a unit; its addresses are gone already.
func (ms *Machines) stop(now time.Time, u *unit, reason string) {
	u.stopped = true
	u.giving = nil
	ms.ended(u, "the router stops")
	for _, m := range u.members {
		m.timers = [timerCount]time.Time{}
	}
	if u.state != Init {
		ms.enter(now, u, Init, nil, reason)
	}
	ms.reschedule(u)
}

// releaseAll is the planned stop of the router.
func (ms *Machines) releaseAll(now time.Time) {
	if ms.stopping {
		return
	}
	ms.stopping = true
	for _, u := range ms.units {
		if u.state == Master {
			// A handover under way becomes the stop: it ends with letting go, successor or not.
			ms.give(now, u, &giving{forGood: true})
			ms.ended(u, "the router stops")
			ms.reschedule(u)
			continue
		}
		ms.stop(now, u, "stopped")
	}
}

// releaseNow lets go of everything at once.
func (ms *Machines) releaseNow(now time.Time) {
	ms.stopping = true
	for _, u := range ms.units {
		if u.stopped {
			continue
		}
		if u.state == Master {
			for _, m := range u.members {
				ms.emit(Send{ID: m.id})
			}
			ms.letGo(u)
		}
		ms.stop(now, u, "stopped at once")
	}
}

// ask is a Handover event that is not answered yet.
type ask struct {
	instance string
	waiting  map[*unit]bool
	failed   []string
	nothing  []string
}

func (a *ask) answer() HandoverEnded {
	return HandoverEnded{Instance: a.instance, Error: strings.Join(a.failed, "; "), Nothing: a.nothing}
}

// handover follows an operator's wish.
func (ms *Machines) handover(now time.Time, h Handover) {
	a := &ask{instance: h.Instance, waiting: map[*unit]bool{}}
	defer func() {
		if len(a.waiting) > 0 {
			ms.asks = append(ms.asks, a)
			return
		}
		ms.emit(a.answer())
	}()
	if ms.stopping {
		a.failed = append(a.failed, "the router stops")
		return
	}
	found := false
	for _, u := range ms.units {
		if !u.named(h.Instance) {
			continue
		}
		found = true
		switch {
		case h.Cancel:
			ms.cancelHandover(now, u)
		case u.giving != nil:
			a.waiting[u] = true
		case u.state == Master:
			ms.give(now, u, &giving{keep: h.For})
			a.waiting[u] = true
		default:
			a.nothing = append(a.nothing, fmt.Sprintf("%s is %s", u.label(), u.state))
			for _, m := range u.members {
				m.yield(now, h.For)
				ms.notice(m, "handover_done", "is %s, nothing to hand over%s", u.state, forHow(h.For))
			}
		}
		ms.reschedule(u)
	}
	if !found && h.Instance != "" {
		a.failed = append(a.failed, fmt.Sprintf("there is no instance or sync group %q", h.Instance))
	}
}

// ended answers those who wait for the hand-over of a unit; failure is empty when it has a successor.
func (ms *Machines) ended(u *unit, failure string) {
	var open []*ask
	for _, a := range ms.asks {
		if a.waiting[u] {
			delete(a.waiting, u)
			if failure != "" {
				a.failed = append(a.failed, u.label()+": "+failure)
			}
		}
		if len(a.waiting) > 0 {
			open = append(open, a)
			continue
		}
		ms.emit(a.answer())
	}
	ms.asks = open
}

func (u *unit) label() string {
	if u.name != "" {
		return u.name
	}
	return u.members[0].cfg.Name
}

func (ms *Machines) cancelHandover(now time.Time, u *unit) {
	if u.giving != nil {
		ms.noSuccessor(now, u)
		return
	}
	for _, m := range u.members {
		if m.yielded {
			m.yielded, m.waitNoticed = false, false
			m.clear(timerYield)
			ms.notice(m, "handover_over", "preempts again: the handover was taken back")
		}
	}
}

func (u *unit) named(name string) bool {
	if name == "" || u.name != "" && u.name == name {
		return true
	}
	for _, m := range u.members {
		if m.cfg.Name == name || m.id.String() == name {
			return true
		}
	}
	return false
}

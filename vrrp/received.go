package vrrp

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

const (
	// answerGap is the least time between two answers to a rival, so that nobody makes this router a flood.
	answerGap = 5 * time.Millisecond
	// rivalSplit: so many adverts of another MASTER after our own was sent, and it is no race but a split brain.
	rivalSplit = 3
)

// received handles an advertisement that was not refused.
func (ms *Machines) received(now time.Time, m *machine, a Advert, from netip.Addr) {
	defer ms.reschedule(m.unit)
	m.counters.AdvertsReceived++
	if a.Priority == 0 {
		m.counters.PriorityZeroRcvd++
	}
	if m.unit.stopped {
		return
	}
	if m.unit.state == Backup || m.unit.state == Master {
		ms.compareInterval(m, a, from)
		ms.ownerAgain(now, m, a, from)
	}
	switch m.unit.state {
	case Backup:
		ms.compareAddresses(m, a, from)
		ms.heardAsBackup(now, m, a, from)
	case Master:
		ms.compareAddresses(m, a, from)
		ms.heardAsMaster(now, m, a, from)
	case Fault:
		m.masterAddr, m.masterPriority, m.heardAt = from, a.Priority, now
	}
}

func (ms *Machines) heardAsBackup(now time.Time, m *machine, a Advert, from netip.Addr) {
	switch {
	case a.Priority == 0:
		m.masterAddr, m.masterPriority, m.heardAt, m.leaving = from, 0, now, true
		if m.cfg.Version == 3 && a.Interval > 0 {
			m.masterInterval = a.Interval
		}
		m.set(timerDown, now.Add(m.skew()))
	case a.Priority >= m.priority:
		m.preemptAt, m.waitNoticed = time.Time{}, false
		m.accept(now, a, from)
	case ms.defers(now, m, a, from):
		m.accept(now, a, from)
	default:
		m.lowerAddr, m.lowerPriority, m.lowerAt = from, a.Priority, now
		if m.lowerTold != from {
			m.lowerTold = from
			ms.notice(m, "lower_priority", "%s has priority %d, this router %d: taking over", from, a.Priority, m.priority)
		}
	}
}

// defers says whether a living MASTER of lower priority is left alone for now.
func (ms *Machines) defers(now time.Time, m *machine, a Advert, from netip.Addr) bool {
	why := ""
	switch {
	case m.yielded:
		why = "it has been given the addresses by handover"
	case m.cfg.NoPreempt && m.cfg.Priority != 255:
		why = "nopreempt"
	case ms.unready(now, m):
		why = "this director cannot serve yet"
		if ms.ready.Reason != "" {
			why += ": " + ms.ready.Reason
		}
	case m.cfg.PreemptDelay > 0:
		if m.preemptAt.IsZero() {
			m.preemptAt = now.Add(m.cfg.PreemptDelay)
		}
		if !now.Before(m.preemptAt) {
			return false
		}
		why = fmt.Sprintf("preempt_delay %s", m.cfg.PreemptDelay)
	default:
		return false
	}
	if !m.waitNoticed {
		m.waitNoticed = true
		ms.notice(m, "preempt_wait", "%s (priority %d) stays MASTER for now: %s", from, a.Priority, why)
	}
	return true
}

// unready is the wait of design 6a.
func (ms *Machines) unready(now time.Time, m *machine) bool {
	if !m.cfg.Serves || ms.ready.OK {
		return false
	}
	return ms.ready.Lasting || now.Before(ms.unreadySince.Add(ReadyCap))
}

func (ms *Machines) heardAsMaster(now time.Time, m *machine, a Advert, from netip.Addr) {
	u := m.unit
	if u.giving != nil {
		if a.Priority > 0 {
			if !m.succeeded.IsValid() {
				ms.succeededAt = now
			}
			m.succeeded = from
			m.masterAddr, m.masterPriority, m.heardAt = from, a.Priority, now
			ms.succeeded(now, u)
		}
		return
	}
	if a.Priority == 0 {
		if now.Sub(m.rivalAnsweredAt) >= answerGap {
			m.rivalAnsweredAt = now
			ms.advertise(now, m, now)
		}
		return
	}
	src := ms.source(m)
	higher := a.Priority > m.priority || a.Priority == m.priority && from.Compare(src) > 0
	slept := m.asleep(now) && m.priority != 255
	if !higher && !slept {
		ms.rival(now, m, a, from)
		return
	}
	if m.cfg.HigherPrioSendAdvert && !slept {
		ms.advertise(now, m, now)
	}
	why := fmt.Sprintf("%s has priority %d, this router %d", from, a.Priority, m.priority)
	switch {
	case slept:
		why = fmt.Sprintf("nothing was sent for %s, %s (priority %d) took over", short(now.Sub(m.sentAt)), from, a.Priority)
	case a.Priority == m.priority:
		why = fmt.Sprintf("%s has the same priority %d and the higher address", from, a.Priority)
	}
	if slept {
		// It is not the rival's interval that tells how long to listen if it runs another version of the configuration; accept adopts it.
		m.lowerTold = noAddr
	}
	ms.backup(now, u, m, why)
	m.accept(now, a, from)
}

// rival answers another MASTER that has to give way (RFC 9568 section 6.4.3, keepalived.md 3.4).
func (ms *Machines) rival(now time.Time, m *machine, a Advert, from netip.Addr) {
	if m.rivalAddr != from || now.Sub(m.rivalAt) > 4*max(m.cfg.Interval, a.Interval) {
		m.rivalAddr, m.rivalSince, m.rivalCount, m.rivalTold = from, now, 0, false
		ms.notice(m, "master_rx_lower_pri", "%s says it is MASTER with priority %d, this router has %d", from, a.Priority, m.priority)
	}
	m.rivalPriority, m.rivalAt = a.Priority, now
	m.rivalCount++
	if ms.ownerYields(now, m, a, from) {
		return
	}
	if m.rivalCount >= rivalSplit && !m.rivalTold {
		m.rivalTold = true
		ms.noticeOf(m, from, "split_brain", "%s (priority %d) has sent %d advertisements in %s as MASTER while this router is: it does not hear us or does not accept what it hears",
			from, a.Priority, m.rivalCount, short(now.Sub(m.rivalSince)))
	}
	if !m.cfg.LowerPrioNoAdvert && now.Sub(m.rivalAnsweredAt) >= answerGap {
		m.rivalAnsweredAt = now
		ms.advertise(now, m, now)
	}
	if now.Sub(m.rivalAnnouncedAt) < min(m.cfg.Interval/2, time.Second) {
		return
	}
	for _, o := range m.unit.members {
		o.rivalAnnouncedAt = now
		g := &o.cfg.Gratuitous
		if g.LowerPrioRepeat > 0 {
			ms.announce(now, o, o.cfg.Addresses, g.LowerPrioRepeat)
			if g.LowerPrioDelay > 0 {
				o.set(timerLowerBurst, now.Add(g.LowerPrioDelay))
			}
		}
	}
}

// compareInterval tells once per sender that a version 3 router has another interval. It is followed while that one is MASTER, but takeover times
// change with whoever is.
func (ms *Machines) compareInterval(m *machine, a Advert, from netip.Addr) {
	switch {
	case m.cfg.Version != 3 || a.Version != 3 || a.Priority == 0 || m.former != nil:
	case a.Interval == m.cfg.Interval:
		if m.intervalTold == from {
			m.intervalTold = noAddr
		}
	case m.intervalTold != from:
		m.intervalTold = from
		ms.noticeOf(m, from, "interval_mismatch", "%s advertises every %s, this router every %s: a BACKUP follows its MASTER's interval", from, a.Interval, m.cfg.Interval)
	}
}

// compareAddresses tells once per sender that its list of addresses is another one. Since 2025 keepalived does not drop these either.
func (ms *Machines) compareAddresses(m *machine, a Advert, from netip.Addr) {
	if a.Priority == 0 || m.cfg.SkipCheckAdvAddr && from == m.masterAddr {
		return
	}
	ours := m.advertised
	if slices.Equal(ours, a.Addresses) {
		if m.mismatchTold == from {
			m.mismatchTold = noAddr
		}
		return
	}
	var missing, extra []netip.Addr
	for _, x := range ours {
		if !slices.Contains(a.Addresses, x) {
			missing = append(missing, x)
		}
	}
	for _, x := range a.Addresses {
		if !slices.Contains(ours, x) {
			extra = append(extra, x)
		}
	}
	if len(missing) == 0 && len(extra) == 0 {
		if m.mismatchTold == from {
			m.mismatchTold = noAddr
		}
		return
	}
	m.counters.AddressMismatch++
	if m.mismatchTold != from {
		m.mismatchTold = from
		ms.noticeOf(m, from, "address_mismatch", "%s %s", from, differs(missing, extra))
	}
}

// differs says in words which addresses of this router's another one does not advertise, and which it advertises besides.
func differs(missing, extra []netip.Addr) string {
	var parts []string
	if len(missing) > 0 {
		parts = append(parts, "does not advertise "+list(missing))
	}
	if len(extra) > 0 {
		parts = append(parts, "advertises "+list(extra)+", which this router does not have")
	}
	return strings.Join(parts, "; ")
}

// list names up to 8 addresses.
func list(a []netip.Addr) string {
	s := fmt.Sprint(a[0])
	for _, x := range a[1:min(len(a), 8)] {
		s += ", " + x.String()
	}
	if n := len(a) - 8; n > 0 {
		s += fmt.Sprintf(" and %d more", n)
	}
	return s
}

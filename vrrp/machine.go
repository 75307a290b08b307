package vrrp

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// timer names what a machine waits for.
type timer int

const (
	// timerDown: Master_Down_Timer of a BACKUP.
	timerDown timer = iota
	// timerAdvert: Adver_Timer of a MASTER.
	timerAdvert
	// timerBurst: the second burst of gratuitous ARP.
	timerBurst
	// timerLowerBurst: the second burst after an advertisement of lower priority.
	timerLowerBurst
	// timerRefresh: garp_master_refresh.
	timerRefresh
	// timerExtra: garp_extra_if.
	timerExtra
	// timerZero: repeat of priority 0 while handing over.
	timerZero
	// timerWindow: end of the transition window after a reload.
	timerWindow
	// timerYield: end of the promise not to preempt after a handover.
	timerYield
	// timerTaken: end of the fault because of removed addresses.
	timerTaken
	// timerDenied: end of the fault because the kernel set no address.
	timerDenied
	timerCount
)

// machine is one virtual router. Its state is that of its unit.
type machine struct {
	id   ID
	cfg  Instance
	unit *unit
	// advertised is cfg.advertised().
	advertised []netip.Addr

	priority uint8
	// adopted is the effective priority before a crash; it counts until every track is known again.
	adopted  uint8
	faults   []string
	troubles map[string]string

	timers [timerCount]time.Time

	// What was heard of others.
	masterAddr     netip.Addr
	masterPriority uint8
	masterInterval time.Duration
	heardAt        time.Time
	// leaving: the last thing the MASTER said was priority 0.
	leaving bool
	// lowerAddr is who was last discarded for its lower priority while BACKUP.
	lowerAddr     netip.Addr
	lowerPriority uint8
	lowerAt       time.Time

	// preemptAt is when preempt_delay has passed; zero while no MASTER of lower priority has been heard.
	preemptAt time.Time
	// waitNoticed: the operator has been told why this router does not preempt.
	waitNoticed bool
	// yielded: it has handed over and does not preempt.
	yielded bool
	// listened: a late wake-up has already been answered by listening once more.
	listened bool

	// crossed: the next burst is the one of afterHandover, not that of garp_master_delay.
	crossed    bool
	sentAt     time.Time
	zeroesLeft int
	succeeded  netip.Addr

	// demoted: another owner does not yield though its address is lower, so this one counts as 254. demotedFor is that other one.
	demoted    bool
	demotedFor netip.Addr

	// A rival is another MASTER heard while MASTER.
	rivalAddr        netip.Addr
	rivalPriority    uint8
	rivalSince       time.Time
	rivalAt          time.Time
	rivalCount       int
	rivalTold        bool
	rivalAnsweredAt  time.Time
	rivalAnnouncedAt time.Time

	mismatchTold netip.Addr
	intervalTold netip.Addr
	lowerTold    netip.Addr

	// former is the configuration before the last reload while its adverts are still accepted.
	former *Instance

	// taken are the times at which somebody else removed an address.
	taken map[string][]time.Time

	// denied are the addresses that the kernel refused when it was last asked; deniedFor is the last pause because it refused all.
	denied    []DeniedAddress
	deniedFor time.Duration

	ahSent  uint32
	ahHeard map[netip.Addr]ahSeen

	// signSent and signHeard are the last sequences of auth_hmac.
	signSent     uint64
	signHeard    map[netip.Addr]uint64
	unsignedTold netip.Addr
	skewTold     netip.Addr

	counters Counters
	// refused are the refusals by sender, deaf a MASTER that is refused.
	refused map[refusalKey]*refusalSeen
	deaf    deaf
	// meanwhile counts refusals since the last good advertisement, for the reason of a promotion.
	meanwhile map[Reason]int
}

type ahSeen struct {
	seq uint32
	at  time.Time
}

func newMachine(i Instance) *machine {
	return &machine{
		id: i.ID(), cfg: i, advertised: i.advertised(), masterInterval: i.Interval, priority: i.Priority,
		troubles: map[string]string{}, counters: Counters{Refused: map[string]uint64{}}, meanwhile: map[Reason]int{}, refused: map[refusalKey]*refusalSeen{},
		ahHeard: map[netip.Addr]ahSeen{}, signHeard: map[netip.Addr]uint64{}, taken: map[string][]time.Time{},
	}
}

func (m *machine) set(t timer, at time.Time) { m.timers[t] = at }
func (m *machine) clear(ts ...timer) {
	for _, t := range ts {
		m.timers[t] = time.Time{}
	}
}

// due says whether a timer has run out, and stops it.
func (m *machine) due(t timer, now time.Time) bool {
	at := m.timers[t]
	if at.IsZero() || at.After(now) {
		return false
	}
	m.timers[t] = time.Time{}
	return true
}

// skew is Skew_Time: RFC 3768 section 6.1 for v2, RFC 9568 section 6.1 for v3.
func skew(version, priority uint8, masterInterval time.Duration) time.Duration {
	if version == 2 {
		masterInterval = time.Second
	}
	return time.Duration(256-int(priority)) * masterInterval / 256
}

func (m *machine) skew() time.Duration { return skew(m.cfg.Version, m.priority, m.masterInterval) }

func (i *Instance) adverts() time.Duration {
	if i.DownTimerAdverts <= 0 {
		return 3
	}
	return time.Duration(i.DownTimerAdverts)
}

// masterDown is Master_Down_Interval.
func (m *machine) masterDown() time.Duration {
	return m.cfg.adverts()*m.masterInterval + m.skew()
}

// TakeoverTime is how long after the MASTER's last advertisement the instance takes over when it dies without a word, if every router
// of the virtual router has the instance's interval.
func TakeoverTime(i Instance) time.Duration {
	return i.adverts()*i.Interval + skew(i.Version, i.Priority, i.Interval)
}

// source is the address its advertisements come from; not valid if the interface has none.
func (ms *Machines) source(m *machine) netip.Addr {
	if m.cfg.Source.IsValid() {
		return m.cfg.Source.WithZone("")
	}
	l := ms.links[m.cfg.Interface]
	if m.cfg.Family == IPv6 {
		return l.Source6.WithZone("")
	}
	return l.Source4.WithZone("")
}

// interval is the time between its own adverts. In v2 peers do not adopt it: while the former form is sent as well, the shorter one rules.
func (m *machine) interval() time.Duration {
	if m.former != nil && m.former.Version == 2 {
		return min(m.cfg.Interval, m.former.Interval)
	}
	return m.cfg.Interval
}

// accept takes an advertisement as the MASTER's.
func (m *machine) accept(now time.Time, a Advert, from netip.Addr) {
	m.masterAddr, m.masterPriority, m.heardAt, m.leaving = from, a.Priority, now, false
	// In v2 it can differ only within the transition window after a reload.
	if a.Interval > 0 {
		m.masterInterval = a.Interval
	}
	m.listened = false
	m.lowerAddr, m.lowerPriority = netip.Addr{}, 0
	clear(m.meanwhile)
	m.set(timerDown, now.Add(m.masterDown()))
}

// whyPromoted tells the evidence for taking over.
func (m *machine) whyPromoted(now time.Time) string {
	var b strings.Builder
	switch {
	case m.leaving:
		fmt.Fprintf(&b, "%s (priority %d) said that it leaves", m.masterAddr, m.masterPriority)
	case m.lowerAddr.IsValid():
		fmt.Fprintf(&b, "preempting %s (priority %d), heard %s ago", m.lowerAddr, m.lowerPriority, short(now.Sub(m.lowerAt)))
	case m.masterAddr.IsValid():
		fmt.Fprintf(&b, "no advertisement from %s (priority %d) for %s", m.masterAddr, m.masterPriority, short(now.Sub(m.heardAt)))
	default:
		fmt.Fprintf(&b, "no other router heard for %s", short(now.Sub(m.unit.since)))
	}
	if len(m.meanwhile) > 0 {
		var list []string
		for r, n := range m.meanwhile {
			list = append(list, fmt.Sprintf("%d %s", n, r))
		}
		slices.Sort(list)
		fmt.Fprintf(&b, "; refused meanwhile: %s", strings.Join(list, ", "))
	}
	return b.String()
}

func short(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond / 10).String()
	}
	return d.Round(time.Millisecond * 10).String()
}

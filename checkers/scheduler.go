package checkers

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// Options are what a Scheduler is made of.
type Options struct {
	// Prober makes the attempts. Required.
	Prober Prober
	// Clock is its time. Required.
	Clock Clock
	// OnChange gets every Change and OnNotice every Notice, one at a time, in order, without a lock held: they may call the
	// Scheduler, except Close. They should be quick. nil is ignored.
	OnChange func(Change)
	OnNotice func(Notice)
	// MaxInFlight bounds the attempts running at once, and with them sockets and goroutines. 0 means what the Prober says in a method
	// InFlight() int, if it has one, else 4096. Attempts of checks that
	// are down may use half of it, so that a crowd of black holes does not delay those that are up.
	MaxInFlight int
}

const (
	defaultInFlight = 4096
	// A start or a reload runs this many new checks at once and the others one pace later each. Where the machine does not keep that
	// up, the rest waits: between every few of them all that is due otherwise has its turn.
	burst = 64
	pace  = 500 * time.Microsecond
	few   = 8
	// One wake-up starts so many attempts in a row whose regular moment is at most so far away, and no more than this part of their interval:
	// waking up costs more than starting one (emulated, 333 attempts per second: 1.37 ms each instead of 1.68 with a company of 8 and 10 ms).
	company   = 16
	early     = 50 * time.Millisecond
	earlyPart = 600
	// An attempt that has not ended so long after its limit counts as failed; a hung file system can hold one for ever.
	grace = 15 * time.Second
)

// Scheduler runs checks. All methods may be called from any goroutine.
type Scheduler struct {
	opt    Options
	base   time.Time
	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu     sync.Mutex
	closed bool
	// checks are ordered by ID. Finding one by it is rare, and a map would cost as much as the check.
	checks []*check
	// applied counts Apply: who went through checks without the lock sees that there are others now.
	applied uint64
	// settled is how many of the first checks are known to have run, or to be suspended.
	settled int
	// knownTo is how many checks from the first one on are known, see Known.
	knownTo int
	jobs    []*job
	due     queue
	// fresh are the jobs whose first attempt is paced; all others are in due.
	fresh queue
	timer Timer
	// armed is the due time for which the timer is set, 0 for none.
	armed time.Duration
	// waiting for a slot: checks that are up, and those that are down.
	waitUp, waitDown   line
	inFlight, downBusy int
	restored           map[server][]Saved
	// ready are attempts that have a slot and are to be started; launching is how many goroutines are at it.
	ready     []*flight
	launching int
	spare     []*flight

	out        []any // Change or Notice, in order
	seq        uint64
	delivering bool

	late       Lateness
	panics     uint64
	attempts   [Agent + 1][numReasons]uint64
	strays     [4]int // jobs that ran and do not rest, by their stray
	awake      int    // jobs that do not rest
	localFault bool
	overloaded time.Time
}

// New makes a Scheduler without checks.
func New(opt Options) *Scheduler {
	if p, ok := opt.Prober.(interface{ InFlight() int }); ok && opt.MaxInFlight <= 0 {
		opt.MaxInFlight = p.InFlight()
	}
	if opt.MaxInFlight <= 0 {
		opt.MaxInFlight = defaultInFlight
	}
	s := &Scheduler{opt: opt, base: opt.Clock.Now()}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Close stops every attempt and waits for those in flight. Nothing is reported afterwards.
func (s *Scheduler) Close() {
	s.mu.Lock()
	s.closed = true
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	s.cancel()
	s.done.Wait()
}

func (s *Scheduler) now() time.Duration { return s.opt.Clock.Now().Sub(s.base) }

// wall is the moment that was then after the base, by the clock as it is at now: the clock may have been set meanwhile.
func (s *Scheduler) wall(now time.Time, then time.Duration) time.Time {
	return now.Add(then - now.Sub(s.base))
}

// arm sets the timer for the earliest job. Called with the lock.
func (s *Scheduler) arm(now time.Duration) {
	// While everybody who starts attempts is at it, first attempts wait; launch looks again at its end.
	fresh := len(s.fresh) > 0 && s.launching < launchers
	if s.closed || len(s.due) == 0 && !fresh {
		return
	}
	var at time.Duration
	switch {
	case len(s.due) == 0:
		at = s.fresh[0].due
	case !fresh:
		at = s.due[0].due
	default:
		at = min(s.due[0].due, s.fresh[0].due)
	}
	if s.armed == at && s.timer != nil {
		return
	}
	s.armed = at
	wait := max(at-now, 0)
	if s.timer == nil {
		s.timer = s.opt.Clock.AfterFunc(wait, s.tick)
		return
	}
	s.timer.Reset(wait)
}

// put makes due the moment at which something is to happen to the job: an attempt, or the end of the patience with one that does not
// end. Called with the lock.
func (s *Scheduler) put(j *job, due time.Duration, regular bool) {
	if j.fresh {
		s.fresh.drop(j)
		j.fresh = false
	}
	j.regular = regular
	s.due.put(j, due)
}

// putFresh is put for the first attempts, which are paced. Called with the lock.
func (s *Scheduler) putFresh(j *job, due time.Duration) {
	if !j.fresh {
		s.due.drop(j)
		j.fresh = true
	}
	j.regular = false
	s.fresh.put(j, due)
}

// drop has nothing more happen to the job. Called with the lock.
func (s *Scheduler) drop(j *job) {
	if j.fresh {
		s.fresh.drop(j)
		j.fresh = false
		return
	}
	s.due.drop(j)
}

// tick starts what is due.
func (s *Scheduler) tick() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	now := s.now()
	s.armed = -1
	for n := 0; len(s.due) > 0; n++ {
		j := s.due[0]
		if j.due > now && (n == 0 || n >= company || !j.regular || j.due-now > j.ahead()) {
			break
		}
		if j.running {
			s.drop(j)
			s.overdue(j)
		} else {
			s.begin(j, now)
		}
	}
	for n := 0; n < few && s.launching < launchers && len(s.fresh) > 0 && s.fresh[0].due <= now; n++ {
		j := s.fresh[0]
		j.due = now // it is paced, not late
		s.begin(j, now)
	}
	if waiting := s.waitUp.len() + s.waitDown.len(); waiting > 0 {
		at := s.opt.Clock.Now()
		if s.overloaded.IsZero() || at.Sub(s.overloaded) >= time.Minute {
			s.overloaded = at
			s.tell(Notice{Kind: Overloaded, Count: waiting, Detail: fmt.Sprintf("%d attempts run, of %d that may; checks that are down may use half", s.inFlight, s.opt.MaxInFlight), At: at})
		}
	}
	s.arm(now)
	s.mu.Unlock()
	s.launch()
	s.deliver()
}

// begin has the job's attempt made, or queues it for a slot. Called with the lock.
func (s *Scheduler) begin(j *job, now time.Duration) {
	j.running = true
	up := j.up()
	if s.inFlight >= s.opt.MaxInFlight || !up && s.downBusy >= max(s.opt.MaxInFlight/2, 1) {
		s.drop(j)
		if up {
			s.waitUp.push(j)
		} else {
			s.waitDown.push(j)
		}
		return
	}
	s.occupy(j, up, now)
}

// next takes the job that has waited longest for a slot, those that are up first. Called with the lock.
func (s *Scheduler) next() (*job, bool) {
	for !s.closed {
		switch {
		case s.waitUp.len() > 0:
			if j := s.waitUp.pop(); !j.gone {
				return j, true
			}
		case s.waitDown.len() > 0 && s.downBusy < max(s.opt.MaxInFlight/2, 1):
			if j := s.waitDown.pop(); !j.gone {
				return j, false
			}
		default:
			return nil, false
		}
	}
	return nil, false
}

// overdue judges an attempt that does not end as failed. Its slot stays taken, and its result counts when it comes after all.
// Called with the lock.
func (s *Scheduler) overdue(j *job) {
	at := s.opt.Clock.Now()
	spec := j.spec()
	r := Fail(Timeout, "the attempt does not end")
	r.Latency.Total = spec.Probe.Limit() + grace
	s.attempts[min(spec.Probe.Kind, Agent)][Timeout]++
	j.result, j.lastAt = shorten(r), at.Sub(s.base)
	j.failed++
	for c := j.first; c != nil; c = c.next {
		if !c.spec.Suspended {
			s.judge(c, r, at)
		}
	}
	s.put(j, at.Sub(s.base)+spec.Rules.interval(), false)
}

// finish judges the result for every member and sets the next attempt. Called with the lock.
func (s *Scheduler) finish(j *job, r Result, at time.Time) {
	if j.ran && !j.suspended() {
		s.strays[j.stray]--
	}
	j.ran, j.result, j.lastAt, j.running = true, shorten(r), at.Sub(s.base), false
	j.stray = strayOf(j.spec().Probe.Kind, &r)
	if !j.suspended() {
		s.strays[j.stray]++
	}
	if r.OK {
		j.passed++
	} else {
		j.failed++
	}
	wait, regular := time.Duration(0), true
	for c := j.first; c != nil; c = c.next {
		if c.spec.Suspended {
			continue
		}
		step := s.judge(c, r, at)
		if !step.Regular && (regular || step.Wait < wait) {
			wait, regular = step.Wait, false
		}
	}
	s.watchLocal(r, at)
	if j.suspended() {
		s.drop(j)
		return
	}
	now := at.Sub(s.base)
	switch {
	case j.again:
		j.again = false
		s.put(j, now, false)
	case regular:
		// The moment before may have been a little ahead of its time; it counts as past.
		s.put(j, j.slot(now+j.ahead()), true)
	default:
		s.put(j, now+wait, false)
	}
	s.arm(now)
}

// judge moves one check on and tells what changed. Called with the lock.
func (s *Scheduler) judge(c *check, r Result, at time.Time) Step {
	// A check that is down from the start: nobody has been told why yet.
	unexplained := !c.verdict.Up && c.reason == OK
	r = c.said(r)
	step := c.verdict.Judge(&c.spec.Rules, at, r.OK)
	reweighed := false
	if r.weighs() {
		was := c.weight
		c.weight = smoothed(was, r.Weight, c.spec.Smooth)
		reweighed = c.weight != was
	}
	if !r.OK || step.Changed {
		c.reason, c.detail = r.Reason, r.Detail
	}
	change := func(what What) {
		s.tell(s.numbered(c, Change{ID: c.spec.ID, What: what, Kind: c.spec.Probe.Kind, Target: c.spec.Probe.Asks(), Up: c.verdict.Up, Weight: c.weight,
			Reason: r.Reason, Detail: r.Detail, Latency: r.Latency, Attempts: step.Attempts, At: at, Since: s.wall(at, c.since)}))
	}
	notice := func(kind NoticeKind, detail string) {
		s.tell(Notice{Kind: kind, ID: c.spec.ID, Check: c.spec.Probe.Kind, Target: c.spec.Probe.Asks(), Reason: r.Reason, Detail: detail,
			Attempt: c.verdict.Streak, Of: c.spec.Rules.fall(), At: at})
	}
	switch {
	case step.Changed:
		if c.verdict.Up {
			change(Rose)
		} else {
			change(Fell)
		}
		c.since = at.Sub(s.base)
		if !step.HeldUntil.IsZero() {
			notice(Flapping, "held down until "+step.HeldUntil.Format(time.RFC3339))
		}
	case reweighed:
		change(Reweighed)
	case !r.OK && (c.spec.LogAll || unexplained):
		notice(FailedAttempt, r.Detail)
	}
	// An attempt that failed before it could see what there is to warn of takes nothing back.
	if r.Warning != c.warning && (r.OK || r.Warning != "") {
		c.warning = r.Warning
		if r.Warning != "" {
			notice(Warned, r.Warning)
		}
	}
	return step
}

// watchLocal tells when every check fails on the director's own side, and when that is over. "No neighbour answers" counts with
// the local errors as soon as more than one target says so: then the common cause is rather here. Called with the lock.
func (s *Scheduler) watchLocal(r Result, at time.Time) {
	bad := s.strays[unreached] + s.strays[astray]
	all := bad > 0 && s.strays[met] == 0 && bad+s.strays[mute] == s.awake && (s.strays[unreached] == 0 || s.localFault || s.severalTargets())
	if all == s.localFault || bad+s.strays[met] == 0 {
		return
	}
	s.localFault = all
	n := Notice{Kind: LocalFaultOver, At: at, Count: bad + s.strays[met]}
	if all {
		n.Kind, n.Reason, n.Detail = LocalFault, r.Reason, r.Detail
	}
	s.tell(n)
}

func (s *Scheduler) severalTargets() bool {
	var first netip.Addr
	for _, j := range s.jobs {
		switch addr := j.spec().Probe.Target.Addr(); {
		case j.stray != unreached && j.stray != astray || !j.ran || j.suspended():
		case !first.IsValid():
			first = addr
		case addr != first:
			return true
		}
	}
	return false
}

// numbered is ch with the next number. Called with the lock.
func (s *Scheduler) numbered(c *check, ch Change) Change {
	s.seq++
	ch.Seq, c.told = s.seq, s.seq
	return ch
}

// tell queues a Change or a Notice. Called with the lock.
func (s *Scheduler) tell(x any) { s.out = append(s.out, x) }

// deliver hands out what is queued, in order; one goroutine at a time. Called without the lock.
func (s *Scheduler) deliver() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.delivering || len(s.out) == 0 {
		return
	}
	s.delivering = true
	for len(s.out) > 0 && !s.closed {
		out := s.out
		s.out = nil
		s.mu.Unlock()
		for _, x := range out {
			switch x := x.(type) {
			case Change:
				if s.opt.OnChange != nil {
					s.opt.OnChange(x)
				}
			case Notice:
				if s.opt.OnNotice != nil {
					s.opt.OnNotice(x)
				}
			}
		}
		s.mu.Lock()
	}
	s.delivering = false
}

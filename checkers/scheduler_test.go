package checkers

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// bubbleClock is the time of the synctest bubble a test runs in.
type bubbleClock struct{}

func (bubbleClock) Now() time.Time                            { return time.Now() }
func (bubbleClock) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }

// lan is a network of servers that are up, down, slow or worse.
type lan struct {
	mu sync.Mutex
	// down says why a target fails; delay how long its attempts take.
	down  map[netip.AddrPort]Reason
	delay map[netip.AddrPort]time.Duration
	word  map[netip.AddrPort]Weight
	warn  string
	// asked are the moments of attempts by target.
	asked     map[netip.AddrPort][]time.Time
	now, most int
	panicking bool
}

func newLAN() *lan {
	return &lan{down: map[netip.AddrPort]Reason{}, delay: map[netip.AddrPort]time.Duration{}, word: map[netip.AddrPort]Weight{}, asked: map[netip.AddrPort][]time.Time{}}
}

func (l *lan) Probe(ctx context.Context, p *Probe) Result {
	l.mu.Lock()
	l.asked[p.Target] = append(l.asked[p.Target], time.Now())
	delay, why, word, warn, panicking := l.delay[p.Target], l.down[p.Target], l.word[p.Target], l.warn, l.panicking
	l.now++
	l.most = max(l.most, l.now)
	l.mu.Unlock()
	defer func() { l.mu.Lock(); l.now--; l.mu.Unlock() }()
	if panicking {
		panic("a fault in the probe")
	}
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
		}
	}
	if why != OK {
		return Fail(why, "the test says so")
	}
	return Result{OK: true, Weight: word, Warning: warn}
}

func (l *lan) set(at netip.AddrPort, why Reason) { l.mu.Lock(); defer l.mu.Unlock(); l.down[at] = why }

func (l *lan) say(at netip.AddrPort, w Weight, warn string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.word[at], l.warn = w, warn
}

func (l *lan) count(at netip.AddrPort) int { l.mu.Lock(); defer l.mu.Unlock(); return len(l.asked[at]) }

// diary writes down what a Scheduler tells.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) add(s string) { d.mu.Lock(); defer d.mu.Unlock(); d.lines = append(d.lines, s) }

func (d *diary) change(c Change) {
	s := fmt.Sprintf("%s %s", c.ID.Real, c.What)
	if c.What == Began {
		s += fmt.Sprint(" ", c.Up)
	}
	if c.What == Fell {
		s += fmt.Sprintf(" %s %d", c.Reason, c.Attempts)
	}
	if c.Weight.Mode != NoWeight {
		s += fmt.Sprint(" w", c.Weight.Value)
	}
	d.add(s)
}

func (d *diary) notice(n Notice) {
	d.add(fmt.Sprintf("notice %d %s %s", n.Kind, n.ID.Real, n.Reason))
}

// take returns what was written since the last time.
func (d *diary) take() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := strings.Join(d.lines, "; ")
	d.lines = nil
	return s
}

func target(n int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), 80)
}

// one is a check of the server rs within vs, every 10 s, 2 retries a second apart.
func one(vs, rs string, index, to int) Spec {
	return Spec{ID: ID{vs, rs, index}, Probe: Probe{Kind: TCP, Target: target(to)}, Rules: Rules{Interval: 10 * time.Second, Retry: 2, RetryDelay: time.Second}}
}

// bubble runs a test with a Scheduler on a lan, in time that passes by itself.
func bubble(t *testing.T, f func(t *testing.T, l *lan, s *Scheduler, d *diary)) {
	t.Helper()
	for _, way := range []string{"Probe", "Start"} {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, d := newLAN(), &diary{}
				var p Prober = l
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if way == "Start" {
					p = starting{l, ctx}
				}
				s := New(Options{Prober: p, Clock: bubbleClock{}, OnChange: d.change, OnNotice: d.notice, MaxInFlight: 100})
				defer s.Close()
				f(t, l, s, d)
			})
		})
	}
}

// starting is a lan whose attempts need no goroutine of the Scheduler's; those without a delay end before Start returns.
type starting struct {
	*lan
	ctx context.Context
}

func (l starting) Start(p *Probe, _ time.Time, end Ender) bool {
	l.mu.Lock()
	slow := l.delay[p.Target] > 0
	l.mu.Unlock()
	if !slow {
		end.End(l.Probe(l.ctx, p), time.Now())
		return true
	}
	go func() { end.End(l.Probe(l.ctx, p), time.Now()) }()
	return true
}

func (starting) Started() {}

func pass(d time.Duration) { time.Sleep(d); synctest.Wait() }

func says(t *testing.T, d *diary, want string) {
	t.Helper()
	if got := d.take(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestServerDiesAndReturns(t *testing.T) {
	bubble(t, func(t *testing.T, l *lan, s *Scheduler, d *diary) {
		s.Apply([]Spec{one("v", "a", 0, 1)})
		synctest.Wait()
		says(t, d, "a began true")
		if l.count(target(1)) != 1 {
			t.Errorf("the first check of a new server is immediate, got %d", l.count(target(1)))
		}
		pass(30 * time.Second)
		if n := l.count(target(1)); n != 4 {
			t.Errorf("%d attempts in 30 s at an interval of 10 s after the first", n)
		}
		died := time.Now()
		l.set(target(1), Refused)
		for s.Totals().Up == 1 {
			pass(time.Millisecond)
		}
		if took := time.Since(died); took > 12*time.Second+50*time.Millisecond {
			t.Errorf("noticed after %v", took)
		}
		says(t, d, "a down refused 3")
		pass(time.Minute)
		l.set(target(1), OK)
		pass(10 * time.Second)
		says(t, d, "a up")
	})
}

func TestDeadFromTheStart(t *testing.T) {
	bubble(t, func(t *testing.T, l *lan, s *Scheduler, d *diary) {
		l.set(target(1), Timeout)
		alpha := one("v", "b", 0, 2)
		alpha.Rules.Alpha = true
		l.set(target(2), Refused)
		s.Apply([]Spec{one("v", "a", 0, 1), alpha})
		synctest.Wait()
		got := strings.Split(d.take(), "; ")
		slices.Sort(got)
		if want := "a began true a down timeout 1 b began false notice 0 b refused"; strings.Join(got, " ") != want {
			t.Errorf("got %v", got)
		}
		l.set(target(2), OK)
		pass(10 * time.Second)
		says(t, d, "b up")
		if !s.Settled() {
			t.Error("every check ran")
		}
	})
}

func TestReloadKeepsState(t *testing.T) {
	bubble(t, func(t *testing.T, l *lan, s *Scheduler, d *diary) {
		l.set(target(2), Refused)
		specs := []Spec{one("v", "a", 0, 1), one("v", "b", 0, 2)}
		s.Apply(specs)
		pass(25 * time.Second)
		d.take()
		n1, n2 := l.count(target(1)), l.count(target(2))
		before := s.Status()
		s.Apply(specs)
		synctest.Wait()
		says(t, d, "")
		after := s.Status()
		if len(after) != 2 || after[0] != before[0] || after[1] != before[1] || l.count(target(1)) != n1 || l.count(target(2)) != n2 {
			t.Errorf("a reload without changes changed\n%+v\n%+v", before, after)
		}

		// Editing the only check of a server that is down keeps it down until it passes; of one that is up, up with its retries.
		edited := []Spec{one("v", "a", 0, 1), one("v", "b", 0, 2)}
		edited[0].Probe.Timeout, edited[1].Probe.Timeout = 2*time.Second, 2*time.Second
		l.set(target(1), Refused)
		s.Apply(edited)
		synctest.Wait()
		says(t, d, "")
		if l.count(target(1)) != n1+1 || l.count(target(2)) != n2+1 {
			t.Error("a changed check is attempted at once")
		}
		l.set(target(2), OK)
		pass(10 * time.Second)
		got := d.take()
		if !strings.Contains(got, "b up") || !strings.Contains(got, "a down refused 3") {
			t.Errorf("got %q", got)
		}

		// A check put in front of another takes nothing from it; the new one of a server that is down begins as the file says.
		l.set(target(3), Refused)
		moved := edited[0]
		moved.ID.Index = 1
		s.Apply([]Spec{one("v", "a", 0, 3), moved})
		synctest.Wait()
		got = d.take()
		if !strings.Contains(got, "a began true") || !strings.Contains(got, "a began false") || !strings.Contains(got, "a down refused 1") {
			t.Errorf("got %q", got)
		}
		s.Apply(nil)
		pass(time.Minute)
		says(t, d, "")
		if st := s.Totals(); st.Checks != 0 || st.Probes != 0 {
			t.Errorf("left behind: %+v", st)
		}
	})
}

func TestNewCheckOfAServingServerGetsItsRetries(t *testing.T) {
	bubble(t, func(t *testing.T, l *lan, s *Scheduler, d *diary) {
		s.Apply([]Spec{one("v", "a", 0, 1)})
		pass(5 * time.Second)
		d.take()
		l.set(target(2), Refused)
		s.Apply([]Spec{one("v", "a", 0, 1), one("v", "a", 1, 2)})
		pass(1500 * time.Millisecond)
		says(t, d, "a began true")
		pass(time.Second)
		says(t, d, "a down refused 3")
	})
}

func TestChangedTimingAsksNobodyAgain(t *testing.T) {
	bubble(t, func(t *testing.T, l *lan, s *Scheduler, d *diary) {
		s.Apply([]Spec{one("v", "a", 0, 1)})
		pass(time.Second)
		n := l.count(target(1))
		slower := one("v", "a", 0, 1)
		slower.Rules.Interval = time.Hour
		s.Apply([]Spec{slower})
		synctest.Wait()
		st := s.Status()[0]
		if l.count(target(1)) != n || !st.Ran || st.Passed != uint64(n) || st.Next.IsZero() || !s.Settled() {
			t.Errorf("%d attempts, %+v", l.count(target(1)), st)
		}
	})
}

func TestRestartContinues(t *testing.T) {
	var saved []Saved
	bubble(t, func(t *testing.T, l *lan, s *Scheduler, d *diary) {
		l.set(target(2), Refused)
		s.Apply([]Spec{one("v", "a", 0, 1), one("v", "b", 0, 2)})
		pass(15 * time.Second)
		saved = slices.Collect(s.Saved())
	})
	bubble(t, func(t *testing.T, l *lan, s *Scheduler, d *diary) {
		for i := range saved {
			saved[i].Since = time.Now()
		}
		l.set(target(1), Refused)
		l.delay[target(2)] = 3 * time.Second
		s.Restore(saved)
		s.Apply([]Spec{one("v", "a", 0, 1), one("v", "b", 0, 2)})
		synctest.Wait()
		if s.Settled() || !s.Known() {
			t.Errorf("an attempt takes long: settled %v, known %v", s.Settled(), s.Known())
		}
		got := strings.Split(d.take(), "; ")
		slices.Sort(got)
		if strings.Join(got, "; ") != "a began true; b began false" {
			t.Errorf("got %q", got)
		}
		if l.count(target(1)) != 1 || l.count(target(2)) != 1 {
			t.Error("after a restart every check is attempted at once")
		}
		pass(2500 * time.Millisecond)
		says(t, d, "a down refused 3")
		pass(time.Second)
		says(t, d, "b up")
		if !s.Settled() {
			t.Error("every check has run")
		}
		l.delay[target(3)] = 3 * time.Second
		s.Apply([]Spec{one("v", "a", 0, 1), one("v", "b", 0, 2), one("v", "c", 0, 3)})
		synctest.Wait()
		if s.Known() {
			t.Error("the state of a new check is not known")
		}
	})
}

func TestEqualProbesAreShared(t *testing.T) {
	bubble(t, func(t *testing.T, l *lan, s *Scheduler, d *diary) {
		var specs []Spec
		for v := range 50 {
			for r := range 10 {
				specs = append(specs, one(fmt.Sprintf("v%d", v), fmt.Sprint("r", r), 0, r))
			}
		}
		alone := one("v50", "r0", 0, 0)
		alone.Alone = true
		specs = append(specs, alone)
		s.Apply(specs)
		pass(30 * time.Second)
		if tot := s.Totals(); tot.Checks != 501 || tot.Probes != 11 || tot.Up != 501 {
			t.Errorf("%+v", tot)
		}
		d.take()
		l.set(target(3), Reset)
		pass(13 * time.Second)
		if n := strings.Count(d.take(), "r3 down reset 3"); n != 50 {
			t.Errorf("the result reached %d checks", n)
		}
	})
}

func TestSpreadIsEvenAndStable(t *testing.T) {
	bubble(t, func(t *testing.T, l *lan, s *Scheduler, d *diary) {
		var specs []Spec
		for i := range 2000 {
			specs = append(specs, one("v", fmt.Sprint(i), 0, i))
		}
		s.Apply(specs)
		pass(60 * time.Second)
		seconds := map[int]int{}
		from := time.Now().Add(-10 * time.Second)
		for i := range specs {
			at := l.asked[target(i)]
			last := at[len(at)-1]
			if gap := last.Sub(at[len(at)-2]); (gap - 10*time.Second).Abs() > early {
				t.Fatalf("check %d ran after %v", i, gap)
			}
			seconds[int(last.Sub(from)/time.Second)]++
		}
		for sec, n := range seconds {
			if n < 120 || n > 280 {
				t.Errorf("%d attempts in second %d of 10, 200 would be even", n, sec)
			}
		}
		if late := s.Totals().Lateness; late.Max > 0 {
			t.Errorf("in a bubble nothing is late, %+v", late)
		}
	})
}

// Black holes take at most half of the slots, so that those who are well are asked in time.
func TestBlackHolesDoNotDelayTheOthers(t *testing.T) {
	bubble(t, func(t *testing.T, l *lan, s *Scheduler, d *diary) {
		var specs []Spec
		for i := range 1000 {
			specs = append(specs, one("v", fmt.Sprint(i), 0, i))
			if i >= 20 {
				l.down[target(i)], l.delay[target(i)] = Timeout, 5*time.Second
			}
		}
		s.Apply(specs)
		pass(2 * time.Minute)
		for i := range 20 {
			at := l.asked[target(i)]
			for k := len(at) - 3; k < len(at); k++ {
				if gap := at[k].Sub(at[k-1]); (gap - 10*time.Second).Abs() > early {
					t.Errorf("server %d, which is well, was asked after %v", i, gap)
				}
			}
		}
		if l.most > 100 {
			t.Errorf("%d attempts at once", l.most)
		}
		if tot := s.Totals(); tot.Waiting == 0 || tot.Up != 20 {
			t.Errorf("%+v", tot)
		}
		if n := strings.Count(d.take(), "notice 6"); n == 0 || n > 3 {
			t.Errorf("told %d times in two minutes that slots are short", n)
		}
	})
}

func TestPanicIsContained(t *testing.T) {
	bubble(t, func(t *testing.T, l *lan, s *Scheduler, d *diary) {
		l.panicking = true
		s.Apply([]Spec{one("v", "a", 0, 1)})
		synctest.Wait()
		says(t, d, "a began true; notice 1  panic; a down panic 1")
		l.mu.Lock()
		l.panicking = false
		l.mu.Unlock()
		pass(10 * time.Second)
		says(t, d, "a up")
		if s.Totals().Panics != 1 {
			t.Error("not counted")
		}
	})
}

func TestLocalFault(t *testing.T) {
	bubble(t, func(t *testing.T, l *lan, s *Scheduler, d *diary) {
		s.Apply([]Spec{one("v", "a", 0, 1), one("v", "b", 0, 2)})
		pass(15 * time.Second)
		d.take()
		l.set(target(1), NoRoute)
		pass(15 * time.Second)
		says(t, d, "a down no_route 3")
		l.set(target(2), Unreachable)
		pass(15 * time.Second)
		got := d.take()
		if strings.Count(got, "notice 2") != 1 || !strings.Contains(got, "b down unreachable 3") {
			t.Errorf("got %q", got)
		}
		l.set(target(1), Refused)
		pass(15 * time.Second)
		says(t, d, "notice 3  ok")
	})
}

// What asks nobody, or hears of nobody, is no sign that this director reaches its servers; nor is what rests.
func TestLocalFaultBesidesFilesAndSilence(t *testing.T) {
	bubble(t, func(t *testing.T, l *lan, s *Scheduler, d *diary) {
		file, ping, udp, rests := one("v", "a", 2, 3), one("v", "b", 1, 4), one("v", "b", 2, 5), one("w", "c", 0, 6)
		file.Probe.Kind, ping.Probe.Kind, udp.Probe.Kind, rests.Suspended = File, Ping, UDP, true
		all := []Spec{one("v", "a", 0, 1), one("v", "b", 0, 2), file, ping, udp, rests}
		s.Apply(all)
		pass(15 * time.Second)
		l.set(target(1), NoRoute)
		l.set(target(2), Unreachable)
		l.set(target(4), Timeout)
		pass(15 * time.Second)
		if !s.Totals().LocalFault {
			t.Error("a local fault beside a file, a ping without an answer, a datagram without one, and a check that rests")
		}
		l.set(target(2), Timeout) // of a connection: that server is there no more, or its way
		pass(15 * time.Second)
		if s.Totals().LocalFault {
			t.Error("a connection that times out leaves the director")
		}
		l.set(target(2), NoRoute)
		pass(15 * time.Second)
		all[5].Suspended = false
		s.Apply(append([]Spec(nil), all...))
		pass(15 * time.Second)
		if s.Totals().LocalFault {
			t.Error("the check that rested passes")
		}
	})
}

func TestWeightsAndWarnings(t *testing.T) {
	bubble(t, func(t *testing.T, l *lan, s *Scheduler, d *diary) {
		s.Apply([]Spec{one("v", "a", 0, 1)})
		pass(time.Second)
		d.take()
		l.say(target(1), Weight{Mode: Percent, Value: 50}, "")
		pass(10 * time.Second)
		says(t, d, "a weight w50")
		l.set(target(1), Refused)
		pass(13 * time.Second)
		says(t, d, "a down refused 3 w50")
		l.set(target(1), OK)
		l.say(target(1), Weight{}, "the certificate ends")
		pass(30 * time.Second)
		says(t, d, "a up; notice 4 a ok")
		// A failure in between says nothing about it, and is no reason to warn again.
		l.set(target(1), Refused)
		pass(5 * time.Second)
		l.set(target(1), OK)
		pass(30 * time.Second)
		says(t, d, "")
	})
}

func TestCheckNow(t *testing.T) {
	bubble(t, func(t *testing.T, l *lan, s *Scheduler, d *diary) {
		l.delay[target(1)] = 2 * time.Second
		s.Apply([]Spec{one("v", "a", 0, 1), one("v", "b", 0, 2)})
		pass(time.Second)
		if n := s.CheckNow(func(c *Spec) bool { return c.ID.Real == "a" }); n != 1 {
			t.Errorf("%d checks", n)
		}
		pass(1100 * time.Millisecond)
		if l.count(target(1)) != 2 || l.count(target(2)) != 1 {
			t.Errorf("asked %d and %d times: a running attempt is followed by the wanted one", l.count(target(1)), l.count(target(2)))
		}
	})
}

func TestSuspended(t *testing.T) {
	bubble(t, func(t *testing.T, l *lan, s *Scheduler, d *diary) {
		s.Apply([]Spec{one("v", "a", 0, 1)})
		pass(time.Second)
		n := l.count(target(1))
		off := one("v", "a", 0, 1)
		off.Suspended = true
		s.Apply([]Spec{off})
		pass(time.Minute)
		if l.count(target(1)) != n || !s.Settled() {
			t.Error("a suspended check was attempted, or is waited for")
		}
		s.Apply([]Spec{one("v", "a", 0, 1)})
		synctest.Wait()
		if l.count(target(1)) != n+1 {
			t.Error("a check that goes on is attempted at once")
		}
	})
}

func TestWarmupSpreadsFirstAttempts(t *testing.T) {
	bubble(t, func(t *testing.T, l *lan, s *Scheduler, d *diary) {
		var specs []Spec
		for i := range 200 {
			spec := one("v", fmt.Sprint(i), 0, i)
			spec.Warmup, spec.Rules.Interval = 60*time.Second, time.Hour
			specs = append(specs, spec)
		}
		start := time.Now()
		s.Apply(specs)
		pass(61 * time.Second)
		early := 0
		for i := range specs {
			if l.asked[target(i)][0].Sub(start) < 30*time.Second {
				early++
			}
		}
		if early < 70 || early > 130 {
			t.Errorf("%d of 200 in the first half", early)
		}
	})
}

// Changes of one check arrive in order, also when a callback calls back.
func TestCallbacksMayCallTheScheduler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN()
		var s *Scheduler
		n := 0
		s = New(Options{Prober: l, Clock: bubbleClock{}, OnChange: func(c Change) {
			n++
			s.Status()
			if n == 1 {
				s.Apply([]Spec{one("v", "a", 0, 1), one("v", "b", 0, 2)})
			}
		}})
		defer s.Close()
		s.Apply([]Spec{one("v", "a", 0, 1)})
		synctest.Wait()
		if n != 2 {
			t.Errorf("%d changes", n)
		}
	})
}

func TestDuplicateIDs(t *testing.T) {
	bubble(t, func(t *testing.T, l *lan, s *Scheduler, d *diary) {
		s.Apply([]Spec{one("v", "a", 0, 1), one("v", "a", 0, 2)})
		synctest.Wait()
		says(t, d, "a began true")
	})
}

// stuck is a prober that heeds neither time nor context, until told.
type stuck chan struct{}

func (s stuck) Probe(context.Context, *Probe) Result { <-s; return Pass() }

func TestAnAttemptThatNeverEndsIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, d := make(stuck), &diary{}
		s := New(Options{Prober: release, Clock: bubbleClock{}, OnChange: d.change, OnNotice: d.notice})
		defer s.Close()
		s.Apply([]Spec{one("v", "a", 0, 1)})
		pass(DefaultTimeout + grace - time.Second)
		says(t, d, "a began true")
		pass(2 * time.Second)
		says(t, d, "a down timeout 1")
		if st := s.Status()[0]; st.Failed != 1 || !st.Next.IsZero() {
			t.Errorf("%+v", st)
		}
		pass(time.Minute)
		close(release)
		synctest.Wait()
		says(t, d, "a up")
		pass(20 * time.Second)
		if st := s.Status()[0]; st.Passed < 2 || st.Next.IsZero() {
			t.Errorf("%+v", st)
		}
	})
}

// One server that is dead is not the director's fault, however many checks say so.
func TestOneDeadTargetIsNoLocalFault(t *testing.T) {
	bubble(t, func(t *testing.T, l *lan, s *Scheduler, d *diary) {
		l.set(target(1), Unreachable)
		other := one("v", "a", 1, 1)
		other.Probe.Timeout = time.Second
		s.Apply([]Spec{one("v", "a", 0, 1), other})
		pass(30 * time.Second)
		if s.Totals().LocalFault {
			t.Error("reported as local")
		}
	})
}

// Whoever applies can take how checks begin at once, and tell by the numbers what of it is still on its way.
func TestHowChecksBegin(t *testing.T) {
	bubble(t, func(t *testing.T, l *lan, s *Scheduler, d *diary) {
		var began []Change
		l.set(target(2), Refused)
		s.ApplyBegan([]Spec{one("v", "a", 0, 1), one("v", "b", 0, 2)}, func(c Change) { began = append(began, c) })
		if len(began) != 2 || !began[0].Up || began[0].What != Began || began[1].Seq != 2 {
			t.Errorf("began %+v", began)
		}
		pass(time.Second)
		says(t, d, "b down refused 1")
		for s := range s.Saved() {
			if want := map[string]uint64{"a": 1, "b": 3}[s.ID.Real]; s.Told != want {
				t.Errorf("%s was told as number %d, want %d", s.ID.Real, s.Told, want)
			}
		}
		began = nil
		s.ApplyBegan([]Spec{one("v", "a", 0, 1), one("v", "b", 0, 2), one("v", "c", 0, 3)}, func(c Change) { began = append(began, c) })
		if len(began) != 1 || began[0].ID.Real != "c" || began[0].Seq != 4 {
			t.Errorf("began %+v", began)
		}
		for s := range s.Saved() {
			if want := map[string]uint64{"a": 1, "b": 3, "c": 4}[s.ID.Real]; s.Told != want {
				t.Errorf("after a reload %s was told as number %d, want %d", s.ID.Real, s.Told, want)
			}
		}
	})
}

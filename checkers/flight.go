package checkers

import (
	"fmt"
	"runtime/debug"
	"slices"
	"time"
)

// flight is one attempt, from its slot to its result.
type flight struct {
	s     *Scheduler
	job   *job
	up    bool // it does not count among those that are down
	probe Probe
	due   time.Duration
	began time.Time
}

// occupy gives the job's attempt a slot; launch starts it. Called with the lock.
func (s *Scheduler) occupy(j *job, up bool, now time.Duration) {
	s.inFlight++
	if !up {
		s.downBusy++
	}
	f := new(flight)
	if n := len(s.spare); n > 0 {
		f, s.spare = s.spare[n-1], s.spare[:n-1]
	}
	*f = flight{s: s, job: j, up: up, probe: j.spec().Probe, due: j.due}
	s.ready = append(s.ready, f)
	s.put(j, now+f.probe.Limit()+grace, false)
}

// launchers is how many goroutines start attempts at once: one does, unless it takes longer than until the next are due.
const launchers = 2

// launch starts the attempts that have a slot. Called without the lock.
func (s *Scheduler) launch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.launching >= launchers {
		return
	}
	s.launching++
	for len(s.ready) > 0 && !s.closed {
		ready := s.ready
		s.ready = nil
		s.mu.Unlock()
		for batch := range slices.Chunk(ready, company) {
			for _, f := range batch {
				f.start()
			}
			if starter, ok := s.opt.Prober.(Starter); ok {
				starter.Started()
			}
		}
		s.mu.Lock()
	}
	s.launching--
	if len(s.fresh) > 0 {
		s.arm(s.now())
	}
}

// start makes the attempt, in a goroutine of its own where the prober needs one.
func (f *flight) start() {
	f.began = f.s.opt.Clock.Now()
	if f.self() {
		return
	}
	s := f.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.done.Add(1)
		go f.run()
	}
}

// self has the prober make the attempt by itself, if it can.
func (f *flight) self() (could bool) {
	p, ok := f.s.opt.Prober.(Starter)
	if !ok {
		return false
	}
	defer func() {
		if e := recover(); e != nil {
			f.end(f.s.panicked(e))
			could = true
		}
	}()
	return p.Start(&f.probe, f.began, f)
}

// run makes the attempt and waits for it.
func (f *flight) run() {
	defer f.s.done.Done()
	r, at, stack := f.wait()
	f.end(r, at, stack)
}

func (f *flight) wait() (r Result, at time.Time, stack string) {
	defer func() {
		if e := recover(); e != nil {
			r, at, stack = f.s.panicked(e)
		}
	}()
	r = f.s.opt.Prober.Probe(f.s.ctx, &f.probe)
	return r, f.s.opt.Clock.Now(), ""
}

// panicked is what a panic of the prober comes to, which is contained.
func (s *Scheduler) panicked(e any) (Result, time.Time, string) {
	return Fail(Panicked, fmt.Sprint(e)), s.opt.Clock.Now(), fmt.Sprintf("%v: %s", e, cut(string(debug.Stack()), 2048))
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}

// End implements Ender.
func (f *flight) End(r Result, at time.Time) {
	s := f.s
	f.end(r, at, "")
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.spare) < 256 { // the prober knows it no more
		s.spare = append(s.spare, f)
	}
}

// end judges the result and gives the slot to the job that has waited longest.
func (f *flight) end(r Result, at time.Time, stack string) {
	s, j := f.s, f.job
	if r.Latency.Total == 0 {
		r.Latency.Total = at.Sub(f.began)
	}
	s.mu.Lock()
	s.inFlight--
	if !f.up {
		s.downBusy--
	}
	if !s.closed {
		s.late.add(f.began.Sub(s.base) - f.due)
		s.attempts[min(f.probe.Kind, Agent)][min(r.Reason, numReasons-1)]++
		if r.Reason == Panicked {
			s.panics++
			s.tell(Notice{Kind: ProbePanic, Check: f.probe.Kind, Target: f.probe.Asks(), Reason: Panicked, Detail: stack, At: at})
		}
		if !j.gone {
			s.finish(j, r, at)
		}
		if next, up := s.next(); next != nil {
			s.occupy(next, up, at.Sub(s.base))
		}
	}
	more, news := len(s.ready) > 0, len(s.out) > 0
	s.mu.Unlock()
	if more {
		s.launch()
	}
	if news {
		s.deliver()
	}
}

package checkers

import "time"

// CheckStatus is one check as it is now.
type CheckStatus struct {
	ID        ID     `json:"id"`
	Kind      string `json:"kind"`
	Target    string `json:"target"`
	Up        bool   `json:"up"`
	Suspended bool   `json:"suspended,omitempty"`
	// Ran: at least one attempt has ended since the check began or was changed.
	Ran bool `json:"ran"`
	// Streak is how many results in a row contradict Up.
	Streak int `json:"streak,omitempty"`
	// Since when Up is what it is.
	Since time.Time `json:"since"`
	// Last is the last attempt's result, LastAt when it ended, Next when the next is due (zero: running or suspended).
	Last   Result    `json:"last"`
	LastAt time.Time `json:"last_at"`
	Next   time.Time `json:"next"`
	// Running: an attempt is under way, or waits for a place. Limit is the longest that one may take.
	Running bool          `json:"running,omitempty"`
	Limit   time.Duration `json:"limit"`
	Weight  Weight        `json:"weight"`
	// Passed and Failed count attempts since the check's probe began.
	Passed uint64 `json:"passed"`
	Failed uint64 `json:"failed"`
	// Shared is how many checks this probe serves.
	Shared int `json:"shared"`
}

// Count is how many attempts of a kind ended for a reason (OK included).
type Count struct {
	Kind   Kind
	Reason Reason
	N      uint64
}

// Totals are the Scheduler's own numbers.
type Totals struct {
	// Checks there are, Probes that serve them, Up among the checks.
	Checks int `json:"checks"`
	Probes int `json:"probes"`
	Up     int `json:"up"`
	// InFlight attempts now, Waiting for a free slot.
	InFlight int `json:"in_flight"`
	Waiting  int `json:"waiting"`
	// Panics contained since start.
	Panics uint64 `json:"panics"`
	// LocalFault: every check fails on the director's own side.
	LocalFault bool `json:"local_fault"`
	// Settled: every check that is not suspended has run.
	Settled bool `json:"settled"`
	// Lateness is how much later than due attempts start.
	Lateness Lateness `json:"lateness"`
	// Attempts by kind and reason, those that happened.
	Attempts []Count `json:"attempts,omitempty"`
}

// LatenessBounds are the upper bounds of the histogram's buckets; one more bucket takes the rest.
var LatenessBounds = [...]time.Duration{100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond, time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 500 * time.Millisecond, time.Second, 5 * time.Second}

// Lateness is a histogram of how much later than due attempts started.
type Lateness struct {
	// Buckets count attempts up to the bound of LatenessBounds of the same index; the last one those beyond.
	Buckets [len(LatenessBounds) + 1]uint64 `json:"buckets"`
	Sum     time.Duration                   `json:"sum"`
	Max     time.Duration                   `json:"max"`
}

func (l *Lateness) add(d time.Duration) {
	d = max(d, 0)
	l.Sum += d
	l.Max = max(l.Max, d)
	for i, bound := range LatenessBounds {
		if d <= bound {
			l.Buckets[i]++
			return
		}
	}
	l.Buckets[len(LatenessBounds)]++
}

// Status lists every check, ordered by ID.
func (s *Scheduler) Status() []CheckStatus { return s.StatusOf(nil) }

// StatusOf lists the checks for which match is true, ordered by ID; nil matches all. Each line is of one moment; attempts go on between two.
func (s *Scheduler) StatusOf(match func(*Spec) bool) []CheckStatus {
	var all []CheckStatus
	if match == nil {
		s.mu.Lock()
		all = make([]CheckStatus, 0, len(s.checks))
		s.mu.Unlock()
	}
	s.each(match, func(c *check, now time.Time) { all = append(all, s.status(c, now)) })
	return all
}

// status is one check now. Called with the lock.
func (s *Scheduler) status(c *check, now time.Time) CheckStatus {
	j := c.job
	one := CheckStatus{ID: c.spec.ID, Kind: c.spec.Probe.Kind.String(), Target: c.spec.Probe.Asks(), Up: c.verdict.Up, Suspended: c.spec.Suspended,
		Ran: j.ran, Streak: c.verdict.Streak, Since: s.wall(now, c.since), Last: j.result.result(), Running: j.running, Limit: c.spec.Probe.Limit(), Weight: c.weight,
		Passed: j.passed, Failed: j.failed, Shared: int(j.members)}
	one.Last.Warning = c.warning
	if j.ran {
		one.LastAt = s.wall(now, j.lastAt)
	}
	if !j.ran && c.reason != OK {
		one.Last = Fail(c.reason, c.detail)
	}
	if j.index >= 0 && !j.running {
		one.Next = s.wall(now, j.due)
	}
	return one
}

// Totals are the Scheduler's own numbers. Cheaper than Status.
func (s *Scheduler) Totals() Totals {
	up, settled := 0, true
	s.each(nil, func(c *check, _ time.Time) {
		if c.verdict.Up {
			up++
		}
		settled = settled && (c.job.ran || c.spec.Suspended)
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	t := Totals{Checks: len(s.checks), Probes: len(s.jobs), Up: up, InFlight: s.inFlight, Waiting: s.waitUp.len() + s.waitDown.len(),
		Panics: s.panics, LocalFault: s.localFault, Lateness: s.late, Settled: settled}
	for k := range s.attempts {
		for r, n := range s.attempts[k] {
			if n > 0 {
				t.Attempts = append(t.Attempts, Count{Kind(k), Reason(r), n})
			}
		}
	}
	return t
}

// Settled says whether every check that is not suspended has run: the servers' states are then known, not assumed.
func (s *Scheduler) Settled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.settled < len(s.checks) {
		if c := s.checks[s.settled]; !c.job.ran && !c.spec.Suspended {
			return false
		}
		s.settled++
	}
	return true
}

// Known is Settled that also takes the state of an earlier process for known. The first attempt after a restart can take as long as a bad
// server likes; whoever knows that the earlier process ended only now need not wait for it.
func (s *Scheduler) Known() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.knownTo < len(s.checks) {
		if c := s.checks[s.knownTo]; !c.job.ran && !c.known && !c.spec.Suspended {
			return false
		}
		s.knownTo++
	}
	return true
}

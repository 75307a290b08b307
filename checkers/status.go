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

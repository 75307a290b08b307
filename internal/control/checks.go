package control

import "github.com/holdfast-ha/holdfast/checkers"

// Checks is about the checks as a whole.
type Checks struct {
	// Configured checks, the Probes that serve them (equal ones are shared), those that are Up.
	Configured int `json:"configured"`
	Probes     int `json:"probes"`
	Up         int `json:"up"`
	// InFlight attempts now, Waiting for a free place.
	InFlight int `json:"in_flight"`
	Waiting  int `json:"waiting"`
	// Panics contained since the start.
	Panics uint64 `json:"panics"`
	// LocalFault: every check fails on this director's own side.
	LocalFault bool `json:"local_fault"`
	// Lateness is how much later than due attempts started since the balancer's start.
	Lateness Lateness `json:"lateness"`
	// Attempts by kind of check and how they ended.
	Attempts []Attempts `json:"attempts"`
}

// Lateness is a histogram with cumulative counts, as Prometheus has them.
type Lateness struct {
	Count      uint64  `json:"count"`
	SumSeconds float64 `json:"sum_seconds"`
	MaxSeconds float64 `json:"max_seconds"`
	// Buckets are ordered; everything is within the last bound or beyond all.
	Buckets []Bucket `json:"buckets"`
}

// Bucket counts what was at most so late.
type Bucket struct {
	LeSeconds float64 `json:"le_seconds"`
	Count     uint64  `json:"count"`
}

// Attempts counts those of one kind that ended for one reason.
type Attempts struct {
	Kind   string `json:"kind"`
	Reason string `json:"reason"`
	Count  uint64 `json:"count"`
}

// FromTotals is what the scheduler of the checks tells of itself; nil without checks.
func FromTotals(t checkers.Totals) *Checks {
	if t.Checks == 0 {
		return nil
	}
	c := &Checks{Configured: t.Checks, Probes: t.Probes, Up: t.Up, InFlight: t.InFlight, Waiting: t.Waiting, Panics: t.Panics, LocalFault: t.LocalFault,
		Lateness: Lateness{SumSeconds: t.Lateness.Sum.Seconds(), MaxSeconds: t.Lateness.Max.Seconds()}, Attempts: []Attempts{}}
	for i, n := range t.Lateness.Buckets {
		c.Lateness.Count += n
		if i < len(checkers.LatenessBounds) {
			c.Lateness.Buckets = append(c.Lateness.Buckets, Bucket{checkers.LatenessBounds[i].Seconds(), c.Lateness.Count})
		}
	}
	for _, a := range t.Attempts {
		c.Attempts = append(c.Attempts, Attempts{a.Kind.String(), a.Reason.String(), a.N})
	}
	return c
}

// Phases are the parts of an attempt in microseconds, each from the end of the one before or, for the first byte of the answer, from the
// start. What did not happen is 0.
type Phases struct {
	Connect   int64 `json:"connect,omitempty"`
	TLS       int64 `json:"tls,omitempty"`
	FirstByte int64 `json:"first_byte,omitempty"`
}

func phases(l checkers.Latency) Phases {
	return Phases{l.Connect.Microseconds(), l.TLS.Microseconds(), l.FirstByte.Microseconds()}
}

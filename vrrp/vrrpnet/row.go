package vrrpnet

import "time"

// longRow is how many arrivals in a row, none of them far from the one before, make it worth while to wait for more.
const longRow = 16

// row tells when packets come so densely that one wake of the loop should be for several.
type row struct {
	length int
	last   time.Time
}

// arrived notes an arrival, where most is what may be waited. Twice that is still dense: what was waited is part of it.
func (r *row) arrived(now time.Time, most time.Duration) {
	if most > 0 && now.Sub(r.last) <= 2*most {
		r.length = min(r.length+1, longRow)
	} else {
		r.length = 0
	}
	r.last = now
}

// wait is how long the next arrivals are let come: nothing, or most in a long row.
func (r *row) wait(most time.Duration) time.Duration {
	if r.length < longRow {
		return 0
	}
	return most
}

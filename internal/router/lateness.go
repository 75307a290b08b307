package router

import (
	"math/bits"
	"time"

	"github.com/holdfast-ha/holdfast/internal/seam"
)

// lateness measures how late timers fire: a histogram with a bucket per power of two microseconds.
type lateness struct {
	// all is since the start, recent since the last look.
	all, recent seam.Lateness
	max         time.Duration
}

func (l *lateness) add(d time.Duration) {
	d = max(d, 0)
	for _, h := range []*seam.Lateness{&l.all, &l.recent} {
		h.Buckets[min(bits.Len64(uint64(d/time.Microsecond)), len(h.Buckets)-1)]++
		h.Count++
		h.SumMicros += uint64(d / time.Microsecond)
	}
	l.max = max(l.max, d)
}

// p99 is an upper bound of what 99 of 100 timers stayed below since the last look, in microseconds.
func (l *lateness) p99() int64 {
	var seen uint64
	for i, n := range l.recent.Buckets {
		if seen += n; seen*100 >= l.recent.Count*99 {
			return min(int64(1)<<i, l.max.Microseconds())
		}
	}
	return l.max.Microseconds()
}

// look starts anew what is counted since the last look.
func (l *lateness) look() { l.recent, l.max = seam.Lateness{}, 0 }

package router

import (
	"math/bits"
	"time"
)

// lateness measures how late timers fire: a histogram with a bucket per power of two microseconds.
type lateness struct {
	buckets [32]uint64
	count   uint64
	max     time.Duration
}

func (l *lateness) add(d time.Duration) {
	d = max(d, 0)
	l.buckets[min(bits.Len64(uint64(d/time.Microsecond)), len(l.buckets)-1)]++
	l.count++
	l.max = max(l.max, d)
}

// p99 is an upper bound of what 99 of 100 timers stayed below, in microseconds.
func (l *lateness) p99() int64 {
	var seen uint64
	for i, n := range l.buckets {
		if seen += n; seen*100 >= l.count*99 {
			return min(int64(1)<<i, l.max.Microseconds())
		}
	}
	return l.max.Microseconds()
}

package checkers

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// A server that dies is out within delay_loop + (retry + 1) x timeout + retry x delay_before_retry + 50 ms, whenever it dies and however: it stops to
// answer (every attempt takes all its time) or refuses.
func TestADeadServerIsOutInTime(t *testing.T) {
	for _, row := range []struct {
		loop, timeout, pause time.Duration
		retry                int
	}{
		{10 * time.Second, 3 * time.Second, time.Second, 2},
		{time.Second, 5 * time.Second, time.Second, 3}, // attempts longer than the loop
		{6 * time.Second, time.Second, 0, 0},
		{60 * time.Second, 5 * time.Second, 3 * time.Second, 1},
		{200 * time.Millisecond, 50 * time.Millisecond, 10 * time.Millisecond, 5},
	} {
		for _, how := range []Reason{Timeout, Refused} {
			for part := range 8 {
				synctest.Test(t, func(t *testing.T) {
					l := newLAN()
					down := make(chan time.Time, 1)
					s := New(Options{Prober: l, Clock: bubbleClock{}, OnChange: func(c Change) {
						if c.What == Fell {
							down <- c.At
						}
					}})
					defer s.Close()
					spec := one("v", "a", 0, 1)
					spec.Rules = Rules{Interval: row.loop, Retry: row.retry, RetryDelay: row.pause}
					spec.Probe.Timeout = row.timeout
					s.Apply([]Spec{spec})
					pass(2*row.loop + time.Duration(part)*row.loop/8)
					dies := time.Now()
					l.die(target(1), how, row.timeout)
					bound := row.loop + time.Duration(row.retry+1)*row.timeout + time.Duration(row.retry)*row.pause + 50*time.Millisecond
					select {
					case at := <-down:
						if took := at.Sub(dies); took > bound {
							t.Errorf("%+v, %s: out after %v, bound %v", row, how, took, bound)
						}
					case <-time.After(10 * bound):
						t.Errorf("%+v, %s: never out", row, how)
					}
				})
			}
		}
	}
}

// die makes a target fail from now on; one that times out takes its time.
func (l *lan) die(at netip.AddrPort, how Reason, limit time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down[at] = how
	if how == Timeout {
		l.delay[at] = limit
	}
}

package checkers

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// laborious takes two milliseconds to start an attempt.
type laborious struct{ *lan }

func (l laborious) Start(p *Probe, now time.Time, end Ender) bool {
	time.Sleep(2 * time.Millisecond)
	end.End(l.Probe(context.Background(), p), time.Now())
	return true
}

func (laborious) Started() {}

// Where starting takes long, thousands of first attempts wait for all that is due besides.
func TestFirstAttemptsDoNotDelayTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN()
		s := New(Options{Prober: laborious{l}, Clock: bubbleClock{}})
		defer s.Close()
		specs := []Spec{one("v", "regular", 0, 0)}
		specs[0].Rules.Interval = time.Second
		s.Apply(specs)
		pass(3 * time.Second)
		for i := range 5000 {
			specs = append(specs, one("v", fmt.Sprint(i), 0, 1+i))
			specs[1+i].Rules.Interval = time.Hour
		}
		s.Apply(specs)
		pass(20 * time.Second)
		if !s.Settled() {
			t.Error("10 s of work are not done in 20 s")
		}
		// The first 64 are due at once, all others make room.
		if late := s.Totals().Lateness.Max; late > 200*time.Millisecond {
			t.Errorf("late by %v", late)
		}
	})
}

package checkers

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A hold for flapping outlives the process.
func TestAHoldOutlivesTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLAN()
		spec := one("v", "a", 0, 1)
		spec.Rules = Rules{Interval: time.Second, Damping: Damping{Flaps: 1, Hold: time.Minute}}
		s := New(Options{Prober: l, Clock: bubbleClock{}})
		s.Apply([]Spec{spec})
		pass(2 * time.Second)
		l.set(target(1), Refused)
		pass(2 * time.Second)
		l.set(target(1), OK)
		pass(2 * time.Second)
		saved := slices.Collect(s.Saved())
		s.Close()
		if saved[0].Up || saved[0].HeldUntil.IsZero() {
			t.Fatalf("not held: %+v", saved[0])
		}
		s = New(Options{Prober: l, Clock: bubbleClock{}})
		defer s.Close()
		s.Restore(saved)
		s.Apply([]Spec{spec})
		pass(30 * time.Second)
		if s.Status()[0].Up {
			t.Error("up before the hold is over")
		}
		pass(40 * time.Second)
		if !s.Status()[0].Up {
			t.Error("still down after it")
		}
	})
}

package pools

import "time"

// idle is how long pools sleep in which nothing is planned.
const idle = time.Hour

// Due fires when time has something to do here: call Step then.
func (s *Set) Due() <-chan time.Time { return s.timer.C }

// Step lets time pass in the pools: slow start, ends of drains.
func (s *Set) Step() {
	now := time.Now()
	for _, p := range s.moving {
		if at, ok := p.Next(); ok && !at.After(now) {
			s.changed(p, p.Step(now))
		}
	}
	s.arm()
}

func (s *Set) arm() {
	wait := idle
	for _, p := range s.moving {
		if at, ok := p.Next(); ok {
			wait = min(wait, max(time.Until(at), 10*time.Millisecond))
		}
	}
	s.due = time.Now().Add(wait)
	s.timer.Reset(wait)
}

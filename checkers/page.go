package checkers

import (
	"iter"
	"runtime"
	"slices"
	"time"
)

// page is how many checks are looked at before the lock is given up for a moment: among forty thousand an attempt that ends must not wait for
// one who lists them all.
const page = 256

// behind are the checks behind that ID, as they are ordered. Called with the lock.
func (s *Scheduler) behind(id ID) []*check {
	i, found := slices.BinarySearchFunc(s.checks, id, func(c *check, id ID) int { return c.spec.ID.compare(id) })
	if found {
		i++
	}
	return s.checks[i:]
}

// each calls f with the lock held for every check for which match is true, ordered by ID; nil matches all. match is called without the lock.
// The lock is given up now and then: each check is seen in one moment, all of them are not. What Apply changes meanwhile may be seen or
// not; nothing is seen twice.
func (s *Scheduler) each(match func(*Spec) bool, f func(c *check, now time.Time)) {
	s.mu.Lock()
	rest, applied := s.checks, s.applied
	s.mu.Unlock()
	var last ID
	chosen := make([]*check, 0, page)
	for len(rest) > 0 {
		part := rest[:min(page, len(rest))]
		chosen = chosen[:0]
		for _, c := range part { // specs do not change, and Apply makes checks anew
			if match == nil || match(c.spec) {
				chosen = append(chosen, c)
			}
		}
		if len(chosen) > 0 {
			s.mu.Lock()
			if s.applied != applied {
				rest, applied = s.behind(last), s.applied
				s.mu.Unlock()
				continue
			}
			now := s.opt.Clock.Now()
			for _, c := range chosen {
				f(c, now)
			}
			s.mu.Unlock()
			runtime.Gosched()
		}
		last, rest = part[len(part)-1].spec.ID, rest[len(part):]
	}
}

// Page is the state of the next n checks behind the one with that ID, ordered by ID; the zero ID, which no check has, begins.
func (s *Scheduler) Page(behind ID, n int) []Saved { return s.fill(make([]Saved, 0, n), behind) }

// fill is Page into the room that buf has.
func (s *Scheduler) fill(buf []Saved, behind ID) []Saved {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := s.behind(behind)
	now := s.opt.Clock.Now()
	for _, c := range rest[:min(len(rest), cap(buf)-len(buf))] {
		buf = append(buf, s.save(c, now))
	}
	return buf
}

// Saved is the state to give to Restore, ordered by ID. The state of one check is that of one moment; between two of them time passes, and
// attempts and Apply go on.
func (s *Scheduler) Saved() iter.Seq[Saved] {
	return func(yield func(Saved) bool) {
		buf := make([]Saved, 0, page)
		for last := (ID{}); ; {
			buf = s.fill(buf[:0], last)
			if len(buf) == 0 {
				return
			}
			for _, one := range buf {
				if !yield(one) {
					return
				}
			}
			last = buf[len(buf)-1].ID
			runtime.Gosched()
		}
	}
}

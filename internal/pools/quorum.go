package pools

import (
	"maps"
	"slices"
	"time"
)

// Quorum is a tracked virtual server: what was told last, and since when.
type Quorum struct {
	ID    string
	OK    bool
	Since time.Time
}

type quorum struct {
	ok    bool
	since time.Time
}

// Track makes these virtual servers (all ids under one track id count as one) the tracked ones, and tells of every one.
func (s *Set) Track(pools map[string][]string) {
	old := s.quorums
	s.tracked, s.quorums = pools, map[string]quorum{}
	for id := range pools {
		if q, ok := old[id]; ok {
			s.quorums[id] = q
		}
	}
	s.tellQuorums(true)
}

// Repeat tells of every tracked virtual server again.
func (s *Set) Repeat() { s.tellQuorums(true) }

// tellQuorums tells of tracked virtual servers whose quorum came or went; with all, of every one.
func (s *Set) tellQuorums(all bool) {
	for id, pools := range s.tracked {
		ok := true
		for _, pool := range pools {
			if p := s.pools[pool]; p != nil {
				ok = ok && p.HasQuorum()
			}
		}
		if q, known := s.quorums[id]; !known || q.ok != ok {
			s.quorums[id] = quorum{ok, time.Now()}
		} else if !all {
			continue
		}
		s.o.OnQuorum(id, ok)
	}
}

// Quorums are the tracked virtual servers by id.
func (s *Set) Quorums() (out []Quorum) {
	for _, id := range slices.Sorted(maps.Keys(s.quorums)) {
		q := s.quorums[id]
		out = append(out, Quorum{ID: id, OK: q.ok, Since: q.since})
	}
	return out
}

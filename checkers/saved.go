package checkers

import "time"

// Saved is what of a check outlives the process. It is written as JSON (RUN/checks.json).
type Saved struct {
	ID     ID          `json:"id"`
	Probe  Fingerprint `json:"probe"`
	Up     bool        `json:"up"`
	Proven bool        `json:"proven"`
	Streak int         `json:"streak,omitempty"`
	Since  time.Time   `json:"since"`
	Weight Weight      `json:"weight"`
	Reason Reason      `json:"reason"`
	Detail string      `json:"detail,omitempty"`
	// HeldUntil is the end of a hold for flapping under way, zero for none.
	HeldUntil time.Time `json:"held_until,omitzero"`
	// Told is the Seq of the last Change of this check: whoever has not got that one yet will hear of this state by it.
	Told uint64 `json:"-"`
}

// server is a real server within its virtual server.
type server struct{ virtual, real string }

func (id ID) server() server { return server{id.Virtual, id.Real} }

// inherited is what a check takes over at Apply.
type inherited struct {
	from Saved
	// same: the probe is the same, so that nothing needs to be asked again soon.
	same bool
}

// inherit decides what the checks of one real server take over from its earlier ones. Equal probes belong together wherever they
// stand now; then those at the same place; then what is left, in order. So inserting a check in front of another moves no state,
// and a server that is down because of its only check stays down when that check is edited, until it passes.
// A check without a predecessor, added to a server whose checks are all up, starts as proven: its server is carrying connections,
// and one failure must not end that. have is what the checks are now, of the same server.
func inherit(have []Saved, ids []ID, probes []Fingerprint) []*inherited {
	got := make([]*inherited, len(ids))
	used := make([]bool, len(have))
	take := func(i, j int, same bool) {
		used[j] = true
		got[i] = &inherited{have[j], same}
	}
	match := func(fits func(i, j int) bool, same bool) {
		for i := range ids {
			for j := 0; got[i] == nil && j < len(have); j++ {
				if !used[j] && fits(i, j) {
					take(i, j, same)
				}
			}
		}
	}
	match(func(i, j int) bool { return have[j].Probe == probes[i] && have[j].ID.Index == ids[i].Index }, true)
	match(func(i, j int) bool { return have[j].Probe == probes[i] }, true)
	match(func(i, j int) bool { return have[j].ID.Index == ids[i].Index }, false)
	match(func(int, int) bool { return true }, false)
	allUp := len(have) > 0
	for _, h := range have {
		allUp = allUp && h.Up
	}
	for i := range ids {
		if got[i] == nil && allUp {
			got[i] = &inherited{from: Saved{ID: ids[i], Up: true, Proven: true}}
		}
	}
	return got
}

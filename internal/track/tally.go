package track

// tally turns single results into a verdict. It is pure.
type tally struct {
	rise, fall int
	known, ok  bool
	streak     int // consecutive results against the verdict
}

// newTally starts without a verdict, or with "failed".
func newTally(rise, fall int, initFail bool) tally {
	return tally{rise: rise, fall: fall, known: initFail}
}

// add counts one result and says whether the verdict changed. The very first result is the verdict, whatever rise and fall say.
func (t *tally) add(ok bool) (changed bool) {
	if !t.known {
		t.known, t.ok, t.streak = true, ok, 0
		return true
	}
	if ok == t.ok {
		t.streak = 0
		return false
	}
	t.streak++
	if need := map[bool]int{true: t.rise, false: t.fall}[ok]; t.streak < need {
		return false
	}
	t.ok, t.streak = ok, 0
	return true
}

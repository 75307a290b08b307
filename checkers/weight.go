package checkers

import (
	"fmt"
	"math"
	"strconv"
)

// WeightMode says how a server's own word changes its weight.
type WeightMode uint8

// The modes.
const (
	// NoWeight: it did not say.
	NoWeight WeightMode = iota
	// Absolute replaces the configured weight (MISC dynamic, agent drain, HTTP "50").
	Absolute
	// Percent scales it (agent "50%"): rounded up, so that more than nothing stays more than nothing.
	Percent
	// Added is added to it (FILE_CHECK).
	Added
)

// Weight is a server's own word about its weight. Comparable; the zero value says nothing.
type Weight struct {
	Mode  WeightMode `json:"mode,omitempty"`
	Value int        `json:"value,omitempty"`
	// Drain asks for no new connections, whatever the weight (an agent's "drain").
	Drain bool `json:"drain,omitempty"`
}

// String is "50", "50%", "+5", "drain", or "" for no word.
func (w Weight) String() string {
	if w.Drain {
		return "drain"
	}
	switch w.Mode {
	case Absolute:
		return strconv.Itoa(w.Value)
	case Percent:
		return strconv.Itoa(w.Value) + "%"
	case Added:
		return fmt.Sprintf("%+d", w.Value)
	}
	return ""
}

// smoothed moves from one word to the next by percent of the way, at least by one, so that a load that swings does not make the
// weight swing. Words of different modes, the first word, and 0 (drain) are taken at once.
func smoothed(from, to Weight, percent int) Weight {
	if percent <= 0 || percent >= 100 || from.Mode != to.Mode || to.Mode == NoWeight || to.Value == 0 || from.Value == 0 {
		return to
	}
	step := (to.Value - from.Value) * percent / 100
	if step == 0 && to.Value != from.Value {
		step = 1
		if to.Value < from.Value {
			step = -1
		}
	}
	to.Value = from.Value + step
	return to
}

// EffectiveWeight is keepalived's sum (section 4.4): the configured weight plus what each check adds to it, an absolute one adding
// the difference, clamped to 0..2^31-1.
func EffectiveWeight(configured int, words ...Weight) int {
	sum := int64(configured)
	for _, w := range words {
		switch w.Mode {
		case Absolute:
			sum += int64(w.Value) - int64(configured)
		case Percent:
			p := min(max(int64(w.Value), 0), 1<<20)
			sum += (int64(configured)*p+99)/100 - int64(configured)
		case Added:
			sum += int64(w.Value)
		}
	}
	return int(min(max(sum, 0), math.MaxInt32))
}

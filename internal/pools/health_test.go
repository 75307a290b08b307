package pools

import (
	"testing"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

func TestHealth(t *testing.T) {
	percent := func(v int, drain bool) checkers.Weight {
		return checkers.Weight{Mode: checkers.Percent, Value: v, Drain: drain}
	}
	for _, row := range []struct {
		says checkers.Weight
		want ipvssync.Health
	}{
		{checkers.Weight{}, ipvssync.Health{Up: true}},
		{percent(50, false), ipvssync.Health{Up: true, HasWeight: true, Weight: 10}},
		{percent(50, true), ipvssync.Health{Up: true, HasWeight: true, Weight: 10, Drain: true}},
		{percent(0, false), ipvssync.Health{Up: true, HasWeight: true, Drain: true}},
		{checkers.Weight{Mode: checkers.Absolute}, ipvssync.Health{Up: true, HasWeight: true}},
		{checkers.Weight{Mode: checkers.Added, Value: -3}, ipvssync.Health{Up: true, Delta: -3}},
		{checkers.Weight{Drain: true}, ipvssync.Health{Up: true, Drain: true}},
	} {
		if got := health(true, row.says, 20); got != row.want {
			t.Errorf("%+v: got %+v, want %+v", row.says, got, row.want)
		}
	}
}

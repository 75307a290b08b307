package checkers

import (
	"math"
	"testing"
)

func TestEffectiveWeight(t *testing.T) {
	for _, row := range []struct {
		configured int
		words      []Weight
		want       int
	}{
		{10, nil, 10},
		{10, []Weight{{}}, 10},
		{10, []Weight{{Mode: Absolute, Value: 3}}, 3},
		{10, []Weight{{Mode: Absolute, Value: 0}}, 0},
		{10, []Weight{{Mode: Absolute, Value: 3}, {Mode: Absolute, Value: 8}}, 1}, // keepalived: the sum of the differences
		{10, []Weight{{Mode: Percent, Value: 50}}, 5},
		{1, []Weight{{Mode: Percent, Value: 1}}, 1},
		{10, []Weight{{Mode: Percent, Value: 0}}, 0},
		{10, []Weight{{Mode: Percent, Value: 200}}, 20},
		{10, []Weight{{Mode: Added, Value: -4}}, 6},
		{10, []Weight{{Mode: Added, Value: -40}}, 0},
		{10, []Weight{{Mode: Added, Value: math.MaxInt32}, {Mode: Added, Value: math.MaxInt32}}, math.MaxInt32},
		{math.MaxInt32, []Weight{{Mode: Percent, Value: math.MaxInt32}}, math.MaxInt32},
	} {
		if got := EffectiveWeight(row.configured, row.words...); got != row.want {
			t.Errorf("%d with %v: %d, want %d", row.configured, row.words, got, row.want)
		}
	}
}

func TestSmoothed(t *testing.T) {
	for _, row := range []struct {
		from, to Weight
		percent  int
		want     Weight
	}{
		{Weight{Mode: Percent, Value: 100}, Weight{Mode: Percent, Value: 50}, 0, Weight{Mode: Percent, Value: 50}},
		{Weight{Mode: Percent, Value: 100}, Weight{Mode: Percent, Value: 50}, 20, Weight{Mode: Percent, Value: 90}},
		{Weight{Mode: Percent, Value: 51}, Weight{Mode: Percent, Value: 50}, 20, Weight{Mode: Percent, Value: 50}},
		{Weight{Mode: Percent, Value: 50}, Weight{Mode: Percent, Value: 52}, 20, Weight{Mode: Percent, Value: 51}},
		{Weight{Mode: Percent, Value: 100}, Weight{Mode: Absolute, Value: 0}, 20, Weight{Mode: Absolute, Value: 0}},
		{Weight{}, Weight{Mode: Percent, Value: 50}, 20, Weight{Mode: Percent, Value: 50}},
		{Weight{Mode: Percent, Value: 50}, Weight{}, 20, Weight{}},
		{Weight{Mode: Percent, Value: 0}, Weight{Mode: Percent, Value: 50}, 20, Weight{Mode: Percent, Value: 50}},
	} {
		if got := smoothed(row.from, row.to, row.percent); got != row.want {
			t.Errorf("%v to %v by %d%%: %v, want %v", row.from, row.to, row.percent, got, row.want)
		}
	}
}

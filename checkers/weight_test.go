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
		{10, []Weight{{Absolute, 3}}, 3},
		{10, []Weight{{Absolute, 0}}, 0},
		{10, []Weight{{Absolute, 3}, {Absolute, 8}}, 1}, // keepalived: the sum of the differences
		{10, []Weight{{Percent, 50}}, 5},
		{1, []Weight{{Percent, 1}}, 1},
		{10, []Weight{{Percent, 0}}, 0},
		{10, []Weight{{Percent, 200}}, 20},
		{10, []Weight{{Added, -4}}, 6},
		{10, []Weight{{Added, -40}}, 0},
		{10, []Weight{{Added, math.MaxInt32}, {Added, math.MaxInt32}}, math.MaxInt32},
		{math.MaxInt32, []Weight{{Percent, math.MaxInt32}}, math.MaxInt32},
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
		{Weight{Percent, 100}, Weight{Percent, 50}, 0, Weight{Percent, 50}},
		{Weight{Percent, 100}, Weight{Percent, 50}, 20, Weight{Percent, 90}},
		{Weight{Percent, 51}, Weight{Percent, 50}, 20, Weight{Percent, 50}},
		{Weight{Percent, 50}, Weight{Percent, 52}, 20, Weight{Percent, 51}},
		{Weight{Percent, 100}, Weight{Absolute, 0}, 20, Weight{Absolute, 0}},
		{Weight{}, Weight{Percent, 50}, 20, Weight{Percent, 50}},
		{Weight{Percent, 50}, Weight{}, 20, Weight{}},
		{Weight{Percent, 0}, Weight{Percent, 50}, 20, Weight{Percent, 50}},
	} {
		if got := smoothed(row.from, row.to, row.percent); got != row.want {
			t.Errorf("%v to %v by %d%%: %v, want %v", row.from, row.to, row.percent, got, row.want)
		}
	}
}

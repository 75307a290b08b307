package outside

import (
	"slices"
	"testing"
	"testing/synctest"
)

func TestErrandsKeepTheirOrderAndNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, hold := newErrands(), make(chan struct{})
		var done []int
		e.add(func() { <-hold })
		for i := range 1000 {
			e.add(func() { done = append(done, i) })
		}
		synctest.Wait()
		if len(done) > 0 {
			t.Fatalf("%d overtook the first", len(done))
		}
		close(hold)
		e.end()
		if len(done) != 1000 || !slices.IsSorted(done) {
			t.Errorf("%d done, in order %v", len(done), slices.IsSorted(done))
		}
		e.add(func() { t.Error("one more after the end") })
		synctest.Wait()
	})
}

package checkers

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
)

// crowd is n checks; their IDs are in order.
func crowd(n int) []Spec {
	specs := make([]Spec, n)
	for i := range specs {
		specs[i] = one("v", fmt.Sprintf("s%05d", i), 0, i%200)
	}
	return specs
}

func inOrder(t *testing.T, ids []ID) {
	t.Helper()
	if !slices.IsSortedFunc(ids, ID.compare) || len(slices.Compact(slices.Clone(ids))) != len(ids) {
		t.Errorf("not in order, or one twice: %v", ids)
	}
}

func TestSavedGoesOnWhileTheConfigurationChanges(t *testing.T) {
	bubble(t, func(t *testing.T, l *lan, s *Scheduler, d *diary) {
		all := crowd(4 * page)
		s.Apply(all)
		synctest.Wait()
		var ids []ID
		for one := range s.Saved() {
			ids = append(ids, one.ID)
			if len(ids) == page+1 { // those of every other server leave, most of them before they were seen
				var half []Spec
				for i := 0; i < len(all); i += 2 {
					half = append(half, all[i])
				}
				s.Apply(half)
			}
		}
		inOrder(t, ids)
		if want := 2*page + 2*page/2; len(ids) != want {
			t.Errorf("%d checks, want %d: what the second page held was read before, the rest is what there is now", len(ids), want)
		}
	})
}

func TestStatusWhileTheConfigurationChanges(t *testing.T) {
	bubble(t, func(t *testing.T, l *lan, s *Scheduler, d *diary) {
		all := crowd(4 * page)
		s.Apply(all)
		synctest.Wait()
		seen := 0
		list := s.StatusOf(func(*Spec) bool { // without the lock: it may call
			if seen++; seen == 2*page {
				s.Apply(all[:3*page])
			}
			return true
		})
		var ids []ID
		for _, c := range list {
			ids = append(ids, c.ID)
		}
		inOrder(t, ids)
		if len(ids) != 3*page {
			t.Errorf("%d checks, want %d", len(ids), 3*page)
		}
	})
}

func TestPages(t *testing.T) {
	bubble(t, func(t *testing.T, l *lan, s *Scheduler, d *diary) {
		s.Apply(crowd(10))
		synctest.Wait()
		var ids []ID
		for last := (ID{}); ; {
			part := s.Page(last, 4)
			for _, one := range part {
				ids = append(ids, one.ID)
			}
			if len(part) < 4 {
				break
			}
			last = part[3].ID
		}
		inOrder(t, ids)
		if len(ids) != 10 || len(s.Page(ids[9], 4)) != 0 || s.Page(ID{Virtual: "v", Real: "s00004x"}, 1)[0].ID.Real != "s00005" {
			t.Errorf("pages: %v", ids)
		}
	})
}

package track

import "testing"

func TestTally(t *testing.T) {
	for _, c := range []struct {
		name       string
		rise, fall int
		initFail   bool
		results    string // + success, - failure
		verdicts   string // after each result: + ok, - failed
	}{
		{"one each", 1, 1, false, "+-+--++", "+-+--++"},
		{"the first result counts alone", 3, 3, false, "-+++---", "---+++-"},
		{"the first success counts alone too", 3, 2, false, "+-+--", "++++-"},
		{"a success between breaks the streak", 1, 3, false, "+--+---", "++++++-"},
		{"a failure between breaks the streak", 3, 1, false, "-++-+++", "------+"},
		{"init_fail wants rise successes", 2, 1, true, "-+++-", "--++-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tl := newTally(c.rise, c.fall, c.initFail)
			was, wasKnown := tl.ok, tl.known
			got := ""
			for _, r := range c.results {
				changed := tl.add(r == '+')
				if changed != (tl.ok != was || !wasKnown) {
					t.Errorf("changed=%v after %q", changed, got)
				}
				was, wasKnown = tl.ok, true
				got += map[bool]string{true: "+", false: "-"}[tl.ok]
			}
			if got != c.verdicts {
				t.Errorf("results %s gave %s, want %s", c.results, got, c.verdicts)
			}
		})
	}
}

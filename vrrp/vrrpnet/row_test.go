package vrrpnet

import (
	"testing"
	"time"
)

func TestOnlyALongDenseRowIsWaitedFor(t *testing.T) {
	const most = 5 * time.Millisecond
	start := time.Now()
	for name, c := range map[string]struct {
		gap  time.Duration
		n    int
		most time.Duration
		want time.Duration
	}{
		"nothing came":              {gap: time.Millisecond, n: 0, most: most, want: 0},
		"one":                       {gap: time.Millisecond, n: 1, most: most, want: 0},
		"a short burst":             {gap: 0, n: longRow, most: most, want: 0},
		"a long row":                {gap: time.Millisecond, n: longRow + 1, most: most, want: most},
		"a long row, being waited":  {gap: 6 * time.Millisecond, n: 100, most: most, want: most},
		"one instance every 100 ms": {gap: 100 * time.Millisecond, n: 100, most: most, want: 0},
		"not asked for":             {gap: time.Microsecond, n: 100, most: 0, want: 0},
	} {
		var r row
		for n := range c.n {
			r.arrived(start.Add(time.Duration(n)*c.gap), c.most)
		}
		if got := r.wait(c.most); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		r.arrived(start.Add(time.Hour), c.most)
		if got := r.wait(c.most); got != 0 {
			t.Errorf("%s: the row is over and is still waited for: %s", name, got)
		}
	}
}

package checkers

import (
	"strings"
	"testing"
	"time"
)

// Each row plays results ("+" passed, "-" failed) and writes the state after each: U or D, with the wait before the next attempt
// when it is not the regular one.
func TestVerdict(t *testing.T) {
	keepalived := Rules{Interval: 10 * time.Second, Retry: 2, RetryDelay: time.Second}
	for _, row := range []struct {
		name  string
		rules Rules
		start *Verdict
		play  string
		want  string
	}{
		{"first failure of a new check", keepalived, nil, "-", "D"},
		{"retry 2 is 3 failures", keepalived, nil, "+---", "U U1s U1s D"},
		{"a success between starts over", keepalived, nil, "+--+---", "U U1s U1s U U1s U1s D"},
		{"down is asked at the interval, first success is up", keepalived, nil, "---+", "D D D U"},
		{"having come up it has retries", keepalived, nil, "-+---", "D U U1s U1s D"},
		{"retry 0", Rules{Retry: 0}, nil, "+-", "U D"},
		{"alpha starts down", Rules{Alpha: true, Retry: 1}, nil, "--+", "D D U"},
		{"adopted as up gets its retries", keepalived, &Verdict{Up: true, Proven: true}, "---", "U1s U1s D"},
		{"adopted as up in the middle of failing", keepalived, &Verdict{Up: true, Proven: true, Streak: 2}, "-", "D"},
		{"adopted as down stays until it passes", keepalived, &Verdict{Proven: true}, "--+", "D D U"},
		{"fall counts failures, not retries", Rules{Retry: 9, Fall: 2}, nil, "+--", "U U0s D"},
		{"rise", Rules{Rise: 3, Retry: 1}, nil, "-++-+++", "D D D D D D U"},
		{"fast interval while in doubt, both ways", Rules{Rise: 2, Fall: 2, FastInterval: 200 * time.Millisecond, RetryDelay: time.Second}, nil,
			"+--++", "U U200ms D D200ms U"},
		{"damping holds after two falls", Rules{Damping: Damping{Flaps: 2, Window: time.Hour, Hold: 3 * time.Second}}, nil,
			"+-+-+++++", "U D U D D D U U U"},
		{"falls outside the window do not count", Rules{Damping: Damping{Flaps: 2, Window: 2 * time.Second, Hold: 3 * time.Second}}, nil,
			"+-+++-+", "U D U U U D U"},
	} {
		t.Run(row.name, func(t *testing.T) {
			v := Begin(&row.rules)
			if row.start != nil {
				v = *row.start
			}
			now := time.Unix(1000, 0)
			var got []string
			for _, r := range row.play {
				was := v.Up
				step := v.Judge(&row.rules, now, r == '+')
				if step.Changed != (was != v.Up) {
					t.Errorf("Changed is %v, up went %v to %v", step.Changed, was, v.Up)
				}
				s := "D"
				if v.Up {
					s = "U"
				}
				if !step.Regular {
					s += step.Wait.String()
				}
				got = append(got, s)
				now = now.Add(time.Second)
			}
			if g := strings.Join(got, " "); g != row.want {
				t.Errorf("%s: got %s, want %s", row.play, g, row.want)
			}
		})
	}
}

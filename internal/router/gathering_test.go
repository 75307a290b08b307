package router

import (
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/vrrp"
)

func TestPacketsWaitForEachOtherByTheShortestInterval(t *testing.T) {
	for _, c := range []struct {
		intervals []time.Duration
		want      time.Duration
	}{
		{nil, 5 * time.Millisecond},
		{[]time.Duration{40 * time.Second}, 5 * time.Millisecond},
		{[]time.Duration{time.Second, time.Second}, 5 * time.Millisecond},
		{[]time.Duration{time.Second, 200 * time.Millisecond}, time.Millisecond},
		{[]time.Duration{100 * time.Millisecond}, 500 * time.Microsecond},
		{[]time.Duration{time.Second, 10 * time.Millisecond}, 0},
	} {
		var config vrrp.Config
		for _, d := range c.intervals {
			config.Instances = append(config.Instances, vrrp.Instance{Interval: d})
		}
		if got := gathering(&config); got != c.want {
			t.Errorf("%v: %s, want %s", c.intervals, got, c.want)
		}
	}
}

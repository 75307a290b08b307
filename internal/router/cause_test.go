package router

import (
	"strings"
	"testing"
	"time"
)

func TestCauseOfALateTimer(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		after resources
		busy  time.Duration
		want  string
	}{
		{resources{}, 0, "stopped"},
		{resources{suspended: 90 * ms}, 90 * ms, "suspended for 90ms"},
		{resources{waited: 70 * ms}, 60 * ms, "busy for 60ms"},
		{resources{waited: 70 * ms, stolen: 60 * ms}, ms, "hypervisor"},
		{resources{waited: 70 * ms, faults: 3}, ms, "waited 70ms for a CPU"},
		{resources{waited: 10 * ms, faults: 3}, ms, "3 pages"},
	} {
		if got := causeOf(100*ms, resources{}, c.after, c.busy); !strings.Contains(got, c.want) {
			t.Errorf("%+v: %q, want %q", c, got, c.want)
		}
	}
	if r := measureResources(); r.suspended < 0 {
		t.Errorf("%+v", r)
	}
}

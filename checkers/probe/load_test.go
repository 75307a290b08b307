package probe

import (
	"net/netip"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
)

// BenchmarkLoad runs 40,000 TCP checks every 10 s for half a minute, through the Scheduler, and tells CPU, memory and lateness.
func BenchmarkLoad(b *testing.B) {
	const checks, interval, rounds = 40000, 10 * time.Second, 3
	at := startBenchServer(b)
	p := New(Options{})
	defer p.Close()
	specs := make([]checkers.Spec, checks)
	for i := range specs {
		to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, byte(1 + i>>16), byte(i >> 8), byte(i)}), at.Port())
		specs[i] = checkers.Spec{ID: checkers.ID{Virtual: "v" + strconv.Itoa(i/10), Real: to.String()},
			Probe: checkers.Probe{Kind: checkers.TCP, Target: to}, Rules: checkers.Rules{Interval: interval, Retry: 1, RetryDelay: time.Second}}
	}
	for b.Loop() {
		s := checkers.New(checkers.Options{Prober: p, Clock: Clock{}})
		s.Apply(specs)
		if !within(5*time.Minute, s.Settled) {
			b.Fatalf("not every check has run: %+v", s.Totals())
		}
		before, used := s.Totals(), cpu(b)
		<-time.After(rounds * interval) // what is measured
		used = cpu(b) - used
		after := s.Totals()
		made := sum(after) - sum(before)
		var mem runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&mem)
		late := uint64(0)
		for i := range after.Lateness.Buckets {
			if i >= len(checkers.LatenessBounds) || checkers.LatenessBounds[i] > time.Millisecond {
				late += after.Lateness.Buckets[i] - before.Lateness.Buckets[i]
			}
		}
		s.Close()
		b.ReportMetric(float64(made)/(rounds*checks), "attempts/due")
		b.ReportMetric(float64(used.Microseconds())/float64(made), "cpu-us/check")
		b.ReportMetric(used.Seconds()/(rounds*interval).Seconds(), "cores")
		b.ReportMetric(float64(mem.HeapAlloc)/checks, "heap-B/check")
		b.ReportMetric(float64(mem.Sys)/1e6, "sys-MB")
		b.ReportMetric(float64(late)/float64(made)*100, "%late>1ms")
		b.ReportMetric(float64((after.Lateness.Sum-before.Lateness.Sum).Microseconds())/float64(made), "us-late-mean")
		if after.Up != checks {
			b.Errorf("%d of %d up: %+v", after.Up, checks, after.Attempts)
		}
	}
}

func sum(t checkers.Totals) (n uint64) {
	for _, c := range t.Attempts {
		n += c.N
	}
	return n
}

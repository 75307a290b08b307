package checkers

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"
)

type wallClock struct{}

func (wallClock) Now() time.Time                            { return time.Now() }
func (wallClock) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }

type instant struct{}

func (instant) Probe(context.Context, *Probe) Result { return Pass() }

func many(n int) []Spec {
	specs := make([]Spec, n)
	for i := range specs {
		specs[i] = one("TCP 192.0.2.1:80", fmt.Sprintf("10.%d.%d.%d:80", i>>16, i>>8&255, i&255), 0, i)
	}
	return specs
}

// BenchmarkIdleMemory tells the live bytes per check that has run once, its Spec included.
func BenchmarkIdleMemory(b *testing.B) {
	for _, n := range []int{10000, 40000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				var before, after runtime.MemStats
				runtime.GC()
				runtime.GC()
				runtime.GC()
				runtime.ReadMemStats(&before)
				specs := many(n)
				s := New(Options{Prober: instant{}, Clock: wallClock{}})
				s.Apply(specs)
				for !s.Settled() {
					time.Sleep(10 * time.Millisecond)
				}
				runtime.GC()
				runtime.GC()
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "B/check")
				b.ReportMetric(float64(runtime.NumGoroutine()), "goroutines")
				s.Close()
			}
		})
	}
}

// BenchmarkApplyUnchanged is a reload of 10,000 checks in which nothing changed.
func BenchmarkApplyUnchanged(b *testing.B) {
	specs := many(10000)
	s := New(Options{Prober: instant{}, Clock: wallClock{}})
	defer s.Close()
	s.Apply(specs)
	for b.Loop() {
		s.Apply(specs)
	}
}

// BenchmarkAttempt is what the Scheduler itself costs per attempt, from the timer to the verdict.
func BenchmarkAttempt(b *testing.B) {
	const n = 1000
	done := make(chan struct{}, n)
	s := New(Options{Prober: probed(done), Clock: wallClock{}})
	defer s.Close()
	specs := many(n)
	for i := range specs {
		specs[i].Rules.Interval = time.Hour
	}
	s.Apply(specs)
	for range n {
		<-done
	}
	b.ReportAllocs()
	for i := 0; i < b.N; i += n {
		s.CheckNow(func(*Spec) bool { return true })
		for range min(n, b.N) {
			<-done
		}
	}
}

type probed chan struct{}

func (p probed) Probe(context.Context, *Probe) Result { p <- struct{}{}; return Pass() }

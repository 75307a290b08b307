package vrrptest

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// count is the number of schedules: HOLDFAST_SEEDS, or as many as are quick with the race detector. make test runs 100,000 besides, without it.
func count(t *testing.T) uint64 {
	s := os.Getenv("HOLDFAST_SEEDS")
	if s == "" {
		return 1000
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatalf("HOLDFAST_SEEDS=%q is not a number", s)
	}
	return n
}

func each(t *testing.T, n uint64, simulate func(uint64, func(string)) []string) {
	first := uint64(0)
	if s := os.Getenv("HOLDFAST_SEED"); s != "" {
		first, _ = strconv.ParseUint(s, 10, 64)
		n = 1
	}
	defer debug.SetGCPercent(debug.SetGCPercent(800)) // schedules are small and many
	var next, bad atomic.Uint64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				seed := first + next.Add(1) - 1
				if seed >= first+n || bad.Load() > 5 {
					return
				}
				problems := simulate(seed, nil)
				if len(problems) == 0 {
					continue
				}
				bad.Add(1)
				var trace []string
				simulate(seed, func(s string) { trace = append(trace, s) })
				if len(trace) > 150 && os.Getenv("HOLDFAST_SEED") == "" {
					trace = trace[len(trace)-150:]
				}
				if bad.Load() > 1 {
					trace = nil
				}
				t.Errorf("seed %d (HOLDFAST_SEED=%d repeats it):\n%s\n%s", seed, seed, strings.Join(problems, "\n"), strings.Join(trace, "\n"))
			}
		}()
	}
	wg.Wait()
	t.Logf("%d schedules", n)
}

func TestSimulation(t *testing.T) { each(t, count(t), Simulate) }

func TestHandoverSimulation(t *testing.T) { each(t, count(t)/5, SimulateHandover) }

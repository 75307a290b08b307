package balancer

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

// large is a file of so many virtual servers with so many real servers each, all checked once a minute.
func large(services, servers int) string {
	var b strings.Builder
	b.WriteString("global_defs {\n    router_id bench\n}\n")
	for i := range services {
		fmt.Fprintf(&b, "virtual_server %s 80 {\n    delay_loop 60\n    lb_algo wlc\n    lb_kind NAT\n    protocol TCP\n", netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}))
		for j := range servers {
			fmt.Fprintf(&b, "    real_server %s 80 {\n        weight 1\n        TCP_CHECK {\n            connect_timeout 2\n        }\n    }\n", benchServer(i, j))
		}
		b.WriteString("}\n")
	}
	return b.String()
}

func benchServer(i, j int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), byte(j + 1)})
}

func readLarge(b *testing.B, text string) *config.Model {
	m, diags := config.Parse(fstest.MapFS{"bench.conf": {Data: []byte(text)}}, "/bench.conf", config.Host{}, config.Options{})
	if m == nil || len(m.VirtualServers) == 0 {
		b.Fatal(diags)
	}
	return m
}

// BenchmarkVerdict is the way of a verdict from the end of the attempt that decides it to the kernel's table, with 40,000 checked servers
// and the read-back, the saving of verdicts and everything else going on; every five seconds somebody asks for the whole status, as a scrape
// of metrics does. It reports the median and the 99th percentile.
func BenchmarkVerdict(b *testing.B) {
	const services, servers = 5000, 8
	w := newWorld(b, readLarge(b, large(services, servers)))
	w.every = 3 * time.Second // as the daemon does
	w.start(seam.Snapshot{})
	eventuallyWithin(b, 5*time.Minute, "every check ran", func() bool { return w.has("config.loaded") && w.lastReady().OK })
	var mu sync.Mutex
	var decided, written time.Time
	var target netip.AddrPort
	w.kernel.FailWith(func(op ipvssync.Op) error {
		mu.Lock()
		defer mu.Unlock()
		if op.Kind == ipvssync.DeleteServer && op.Server.Addr == target {
			written = time.Now()
		}
		return nil
	})
	w.servers.onFail = func(a netip.AddrPort) {
		mu.Lock()
		defer mu.Unlock()
		if a == target && written.IsZero() { // the last of its retries decides
			decided = time.Now()
		}
	}
	ctx, stop := context.WithCancel(b.Context())
	var scrapes sync.WaitGroup
	scrapes.Go(func() { scrape(ctx, w.dir, 5*time.Second) })
	defer scrapes.Wait()
	defer stop()
	r := rand.New(rand.NewPCG(1, 2))
	var took []time.Duration
	for b.Loop() {
		i, j := r.IntN(services), r.IntN(servers)
		a := netip.AddrPortFrom(benchServer(i, j), 80)
		mu.Lock()
		target, decided, written = a, time.Time{}, time.Time{}
		mu.Unlock()
		now := func() {
			id := fmt.Sprintf("TCP %s:80", netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}))
			if err := control.Do(b.Context(), w.dir, control.Request{Op: control.OpCheckNow, VirtualServer: id, RealServer: a.String()}, nil); err != nil {
				b.Fatal(err)
			}
		}
		w.servers.set(a.String(), true)
		now()
		eventually(b, "the failed server leaves", func() bool { mu.Lock(); defer mu.Unlock(); return !written.IsZero() })
		mu.Lock()
		took = append(took, written.Sub(decided))
		mu.Unlock()
		w.servers.set(a.String(), false)
		now()
		time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "median-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
	var mem runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&mem)
	b.ReportMetric(float64(mem.HeapAlloc)/1e6, "heap-MB")
	b.ReportMetric(float64(rss())/1e6, "rss-MB")
}

// scrape asks for the status every so often and throws it away: to understand it is another process's work.
func scrape(ctx context.Context, dir string, every time.Duration) {
	for ctx.Err() == nil {
		if c, err := net.Dial("unix", control.SocketPath(dir)); err == nil {
			_, _ = fmt.Fprintf(c, "{\"op\":%q}\n", control.OpStatus)
			_, _ = io.Copy(io.Discard, c)
			c.Close()
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
		}
	}
}

// rss is the memory of this process, with everything of the test in it.
func rss() (bytes int64) {
	text, _ := os.ReadFile("/proc/self/statm")
	var size, resident int64
	_, _ = fmt.Sscan(string(text), &size, &resident)
	return resident * int64(os.Getpagesize())
}

// used is the processor time of this process.
func used() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkNoReload is a reload of an unchanged file, from the request to its answer, the reading of the file included: 1,000 virtual
// servers with 10 real servers each.
func BenchmarkNoReload(b *testing.B) {
	text := large(1000, 10)
	w := newWorld(b, readLarge(b, text))
	w.start(seam.Snapshot{})
	eventuallyWithin(b, 5*time.Minute, "every check ran", func() bool { return w.has("config.loaded") && w.lastReady().OK })
	w.mu.Lock()
	w.reread = func() *config.Model { return readLarge(b, text) }
	w.mu.Unlock()
	before, cpu := w.kernel.Writes(), used()
	for b.Loop() {
		if err := control.Do(b.Context(), w.dir, control.Request{Op: control.OpReload, Wait: true}, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((used()-cpu).Microseconds())/1000/float64(b.N), "cpu-ms/op") // on a busy machine this tells more
	if n := w.kernel.Writes() - before; n != 0 {
		b.Fatalf("it wrote %d times", n)
	}
}

package probe

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
)

// A thousand servers that take no connection and send no refusal cost the descriptors that were granted and no more, are all found out, and keep the
// attempts of a server that lives on time.
func TestThousandsOfBlackHoles(t *testing.T) {
	const holes, most, limit = 1000, 100, 50 * time.Millisecond
	hole := blackHole(t)
	alive := serve(t, func(*net.TCPConn) {})
	p := New(Options{})
	defer p.Close()
	var top atomic.Int64
	base := descriptors(t)
	s := checkers.New(checkers.Options{Prober: p, Clock: Clock{}, MaxInFlight: most, OnChange: func(checkers.Change) {
		for n := int64(descriptors(t)); ; {
			if old := top.Load(); n <= old || top.CompareAndSwap(old, n) {
				return
			}
		}
	}})
	defer s.Close()
	specs := []checkers.Spec{{ID: checkers.ID{Virtual: "alive", Real: "a"}, Probe: checkers.Probe{Kind: checkers.TCP, Target: alive, Timeout: 10 * time.Second},
		Rules: checkers.Rules{Interval: 20 * time.Millisecond, Retry: 3}}}
	for i := range holes {
		specs = append(specs, checkers.Spec{ID: checkers.ID{Virtual: "hole", Real: fmt.Sprint(i)}, Alone: true,
			Probe: checkers.Probe{Kind: checkers.TCP, Target: hole, Timeout: limit}, Rules: checkers.Rules{Interval: time.Second}})
	}
	s.Apply(specs)
	if !within(60*time.Second, func() bool { return s.Settled() && s.Totals().Up <= 1 }) {
		t.Fatalf("not all are found out: %+v", s.Totals())
	}
	if n := int(top.Load()); n > base+2*most+20 {
		t.Errorf("%d descriptors were open, %d before: more than %d attempts at once", n, base, most)
	}
	living := func() checkers.CheckStatus {
		return s.StatusOf(func(c *checkers.Spec) bool { return c.ID.Virtual == "alive" })[0]
	}
	within(60*time.Second, func() bool { return living().Passed >= 10 }) // a slow machine needs its time
	if a := living(); !a.Up || a.Failed > 0 || a.Passed < 10 {
		t.Errorf("the server that lives: %+v", a)
	}
}

// A hundred servers that send without end, to checks that look at the body, share a bounded room.
func TestEndlessBodiesShareABoundedRoom(t *testing.T) {
	const servers = 100
	junk := make([]byte, 64<<10)
	at := serve(t, func(c *net.TCPConn) {
		if _, err := c.Write([]byte("HTTP/1.1 200 OK\r\n\r\n")); err != nil {
			return
		}
		for {
			if _, err := c.Write(junk); err != nil {
				return
			}
		}
	})
	p := New(Options{})
	defer p.Close()
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	var all sync.WaitGroup
	var wrong atomic.Pointer[checkers.Result]
	what := checkers.Probe{Kind: checkers.HTTP, Target: netip.AddrPort(at), Timeout: 5 * time.Minute, Params: get(checkers.URL{Path: "/", Regex: "never"})}
	for range servers {
		all.Go(func() {
			if r := p.Probe(context.Background(), &what); r.Reason != checkers.TooLong {
				wrong.Store(&r)
			}
		})
	}
	ended, most := make(chan struct{}), uint64(0)
	go func() { all.Wait(); close(ended) }()
	for running := true; running; {
		select {
		case <-ended:
			running = false
		case <-time.After(20 * time.Millisecond):
		}
		runtime.ReadMemStats(&now)
		most = max(most, now.HeapInuse)
	}
	if r := wrong.Load(); r != nil {
		t.Errorf("%+v", *r)
	}
	// 64 bodies of 1 MiB, twice that while buffers grow, and as much again for the collector.
	if most > before.HeapInuse+250<<20 {
		t.Errorf("%d MB for %d endless bodies", (most-before.HeapInuse)>>20, servers)
	}
	t.Logf("at most %d MB", (most-before.HeapInuse)>>20)
}

// Headers by the thousand are not kept while a body trickles in.
func TestManyHeadersAreNotKept(t *testing.T) {
	const servers, wanted = 150, "wanted"
	var head strings.Builder
	head.WriteString("HTTP/1.1 200 OK\r\nX-Weight: 7\r\n")
	for i := 0; head.Len() < maxHeader*9/10; i++ {
		fmt.Fprintf(&head, "%x:\n", 4096+i)
	}
	head.WriteString("\r\n")
	var reading sync.WaitGroup
	reading.Add(servers)
	hold := make(chan struct{})
	at := serve(t, func(c *net.TCPConn) {
		_, _ = http.ReadRequest(bufio.NewReader(c))
		_, _ = c.Write([]byte(head.String()))
		reading.Done()
		<-hold
		_, _ = c.Write([]byte(wanted))
	})
	p := New(Options{})
	defer p.Close()
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	params := get(checkers.URL{Path: "/", Regex: wanted})
	params.WeightHeader = "X-Weight"
	var all sync.WaitGroup
	for range servers {
		all.Go(func() {
			r := p.Probe(context.Background(), &checkers.Probe{Kind: checkers.HTTP, Target: at, Timeout: time.Minute, Params: params})
			if !r.OK || r.Weight.Value != 7 {
				t.Errorf("%+v", r)
			}
		})
	}
	reading.Wait()
	if !within(20*time.Second, func() bool { return heap() < before+servers*200<<10 }) {
		t.Errorf("%d KB for each", (heap()-before)/servers>>10)
	}
	close(hold)
	all.Wait()
}

package probe

import (
	"context"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
)

func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// within polls until ok holds and says whether it did in time.
func within(limit time.Duration, ok func() bool) bool {
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for end := time.Now().Add(limit); !ok(); <-look.C {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// However badly servers behave, an attempt leaves no goroutine and no descriptor behind.
func TestNothingIsLeftBehind(t *testing.T) {
	hostile := map[string]func(c *net.TCPConn){
		"silent":      func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) },
		"closing":     func(*net.TCPConn) {},
		"resetting":   func(c *net.TCPConn) { _ = c.SetLinger(0) },
		"half closed": func(c *net.TCPConn) { _ = c.CloseWrite(); _, _ = io.Copy(io.Discard, c) },
		"babbling": func(c *net.TCPConn) {
			for junk := make([]byte, 16384); ; {
				if _, err := c.Write(junk); err != nil {
					return
				}
			}
		},
	}
	h2 := get(checkers.URL{Path: "/"})
	h2.Protocol = "h2c"
	kinds := []checkers.Probe{
		{Kind: checkers.TCP},
		{Kind: checkers.TCP, Params: &checkers.TCPParams{Expect: "never"}},
		{Kind: checkers.TCP, Params: &checkers.TCPParams{TLS: &checkers.TLSParams{}}},
		{Kind: checkers.HTTP, Params: get(checkers.URL{Path: "/", Regex: "never"})},
		{Kind: checkers.HTTP, Params: h2},
		{Kind: checkers.SSL, Params: get(checkers.URL{Path: "/"})},
		{Kind: checkers.SMTP}, {Kind: checkers.Agent}, {Kind: checkers.GRPC},
		{Kind: checkers.DNS, Params: &checkers.DNSParams{TCP: true}},
		{Kind: checkers.UDP, Params: &checkers.UDPParams{RequireReply: true}},
		{Kind: checkers.Ping},
	}
	p := New(Options{})
	defer p.Close()
	targets := map[string]checkers.Probe{}
	for name, f := range hostile {
		targets[name] = checkers.Probe{Target: serve(t, f)}
	}
	attempts := func() {
		var all sync.WaitGroup
		for _, to := range targets {
			for _, what := range kinds {
				what.Target, what.Timeout = to.Target, 200*time.Millisecond
				all.Go(func() { p.Probe(context.Background(), &what) })
			}
		}
		all.Wait()
	}
	attempts() // opens what is shared
	settled := func(what string, now func() int, limit int) {
		within(20*time.Second, func() bool { return now() <= limit }) // until the server's side is gone too
		if n := now(); n > limit {
			t.Errorf("%d %s, %d before", n, what, limit)
		}
	}
	fds, goroutines := descriptors(t), 0
	settled("descriptors", func() int { return descriptors(t) }, fds)
	// The first round's servers may still be ending: the base is the lowest numbers, once they have not fallen for half a second.
	calm := 0
	within(20*time.Second, func() bool {
		f, g := descriptors(t), runtime.NumGoroutine()
		if calm++; f < fds || goroutines == 0 || g < goroutines {
			calm = 0
		}
		fds = min(fds, f)
		if goroutines == 0 || g < goroutines {
			goroutines = g
		}
		return calm >= 50
	})
	for range 5 {
		attempts()
	}
	settled("descriptors", func() int { return descriptors(t) }, fds)
	settled("goroutines", runtime.NumGoroutine, goroutines)
}

package probe

import (
	"bufio"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
)

// serve answers every connection with f and closes it afterwards.
func serve(t *testing.T, f func(c *net.TCPConn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	stop, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() { cancel(); l.Close(); conns.Wait() })
	conns.Add(1)
	go func() {
		defer conns.Done()
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Add(1)
			go func() {
				defer conns.Done()
				defer context.AfterFunc(stop, func() { c.Close() })()
				defer c.Close()
				f(c.(*net.TCPConn))
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// answering reads one HTTP/1 request and writes raw.
func answering(raw string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			_, _ = c.Write([]byte(raw))
		}
	}
}

// closedPort is an address of the loopback where nobody listens.
func closedPort(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// blackHole is an address of the loopback that accepts no more connections and refuses none: a listener with a full backlog.
func blackHole(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	at := l.Addr().(*net.TCPAddr).AddrPort()
	shrinkBacklog(t, l.(*net.TCPListener))
	for range 8 {
		c, err := net.DialTimeout("tcp", at.String(), 200*time.Millisecond)
		if err != nil {
			return at
		}
		t.Cleanup(func() { c.Close() })
	}
	t.Fatal("the backlog does not fill")
	return at
}

func attempt(t *testing.T, what checkers.Probe) checkers.Result {
	t.Helper()
	if what.Timeout == 0 {
		what.Timeout = 10 * time.Second
	}
	p := New(Options{})
	defer p.Close()
	return p.Probe(context.Background(), &what)
}

// expect fails the test unless the attempt ended for that reason.
func expect(t *testing.T, r checkers.Result, want checkers.Reason) {
	t.Helper()
	if r.Reason != want || r.OK != (want == checkers.OK) {
		t.Errorf("got %v %s (%s), want %s", r.OK, r.Reason, r.Detail, want)
	}
	if !r.OK && r.Detail == "" {
		t.Errorf("%s without a detail", r.Reason)
	}
}

func discard() *log.Logger { return log.New(io.Discard, "", 0) }

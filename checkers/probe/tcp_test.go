package probe

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/checkers"
)

func shrinkBacklog(t *testing.T, l *net.TCPListener) {
	t.Helper()
	raw, err := l.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := onFD(raw, func(fd int) error { return unix.Listen(fd, 0) }); err != nil {
		t.Fatal(err)
	}
}

func TestTCP(t *testing.T) {
	greeter := serve(t, func(c *net.TCPConn) {
		_, _ = c.Write([]byte("+OK red"))
		_, _ = c.Write([]byte("is ready\r\n"))
		_, _ = io.Copy(io.Discard, c)
	})
	echo := serve(t, func(c *net.TCPConn) { _, _ = io.Copy(c, c) })
	silent := serve(t, func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) })
	endless := serve(t, func(c *net.TCPConn) {
		for junk := bytes.Repeat([]byte("junk"), 4096); ; {
			if _, err := c.Write(junk); err != nil {
				return
			}
		}
	})
	resetting := serve(t, func(c *net.TCPConn) { _ = c.SetLinger(0) })
	closing := serve(t, func(*net.TCPConn) {})
	short := 300 * time.Millisecond
	for _, row := range []struct {
		name string
		what checkers.Probe
		want checkers.Reason
	}{
		{"connect", checkers.Probe{Target: silent}, checkers.OK},
		{"connect with rst", checkers.Probe{Target: silent, Params: &checkers.TCPParams{CloseRST: true}}, checkers.OK},
		{"refused", checkers.Probe{Target: closedPort(t)}, checkers.Refused},
		{"black hole", checkers.Probe{Target: blackHole(t), Timeout: short}, checkers.Timeout},
		{"bound to a local address", checkers.Probe{Target: silent, Bind: netip.MustParseAddrPort("127.0.0.9:0")}, checkers.OK},
		{"bound to a foreign address", checkers.Probe{Target: silent, Bind: netip.MustParseAddrPort("192.0.2.1:0")}, checkers.NoAddress},
		{"bound to a missing interface", checkers.Probe{Target: silent, Interface: "nonesuch0"}, checkers.NoAddress},
		{"greeting in pieces", checkers.Probe{Target: greeter, Params: &checkers.TCPParams{Expect: `^\+OK redis`}}, checkers.OK},
		{"wrong greeting", checkers.Probe{Target: greeter, Params: &checkers.TCPParams{Expect: "^220", MaxReply: 10}}, checkers.Body},
		{"other greeting, and waits", checkers.Probe{Target: greeter, Timeout: short, Params: &checkers.TCPParams{Expect: "^220"}}, checkers.Body},
		{"echo", checkers.Probe{Target: echo, Params: &checkers.TCPParams{Send: []byte("PING\r\n"), Expect: "PING"}}, checkers.OK},
		{"PROXY 1", checkers.Probe{Target: echo, Params: &checkers.TCPParams{Proxy: 1, Expect: "^PROXY UNKNOWN\r\n"}}, checkers.OK},
		{"PROXY 2", checkers.Probe{Target: echo, Params: &checkers.TCPParams{Proxy: 2, Expect: "QUIT\n\x20\x00\x00\x00"}}, checkers.OK},
		{"says nothing", checkers.Probe{Target: silent, Timeout: short, Params: &checkers.TCPParams{Expect: "x"}}, checkers.Timeout},
		{"never ends", checkers.Probe{Target: endless, Params: &checkers.TCPParams{Expect: "x"}}, checkers.Body},
		{"resets", checkers.Probe{Target: resetting, Params: &checkers.TCPParams{Expect: "x"}}, checkers.Reset},
		{"closes", checkers.Probe{Target: closing, Params: &checkers.TCPParams{Expect: "x"}}, checkers.Closed},
		{"pattern that does not compile", checkers.Probe{Target: silent, Params: &checkers.TCPParams{Expect: "("}}, checkers.Invalid},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.what.Kind = checkers.TCP
			r := attempt(t, row.what)
			expect(t, r, row.want)
			if r.OK && r.Latency.Connect <= 0 {
				t.Error("no latency")
			}
		})
	}
}

func TestFixedSourcePortCanBeUsedAgain(t *testing.T) {
	at := serve(t, func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) })
	free := closedPort(t).Port()
	for range 3 {
		expect(t, attempt(t, checkers.Probe{Kind: checkers.TCP, Target: at, Bind: netip.AddrPortFrom(netip.Addr{}, free)}), checkers.OK)
	}
}

// The answer is there before the limit has passed, whoever is late to look.
func TestAnAnswerInTimeCountsHoweverLateItIsSeen(t *testing.T) {
	p := New(Options{})
	defer p.Close()
	at := serve(t, func(*net.TCPConn) {})
	for range 20 {
		if err := p.connector.connect(t.Context(), at, 1, false); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	}
	fd, err := connecting(at, false)
	if err != nil || fd < 0 {
		t.Fatal(fd, err)
	}
	defer shut(fd)
	for deadline := time.Now().Add(20 * time.Second); !answered(fd); {
		if time.Now().After(deadline) {
			t.Fatal("connected, and not seen to be")
		}
	}
	hole := blackHole(t)
	fd2, err := connecting(hole, false)
	if err != nil || fd2 < 0 {
		t.Fatal(fd2, err)
	}
	defer shut(fd2)
	if answered(fd2) {
		t.Error("nobody has answered")
	}
}

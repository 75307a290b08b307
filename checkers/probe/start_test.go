package probe

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
)

// endings hears how attempts end.
type endings chan checkers.Result

func (e endings) End(r checkers.Result, _ time.Time) { e <- r }

func (e endings) next(t *testing.T) checkers.Result {
	t.Helper()
	select {
	case r := <-e:
		return r
	case <-time.After(20 * time.Second):
		t.Fatal("the attempt does not end")
	}
	return checkers.Result{}
}

// An attempt that is started without a goroutine comes to what the same attempt comes to with one.
func TestStartComesToWhatProbeComesTo(t *testing.T) {
	open := serve(t, func(*net.TCPConn) {})
	open6 := netip.AddrPortFrom(netip.IPv6Loopback(), closedPort(t).Port())
	for _, row := range []struct {
		name string
		what checkers.Probe
		want checkers.Reason
	}{
		{"open", checkers.Probe{Target: open}, checkers.OK},
		{"open, reset", checkers.Probe{Target: open, Params: &checkers.TCPParams{CloseRST: true}}, checkers.OK},
		{"closed", checkers.Probe{Target: closedPort(t)}, checkers.Refused},
		{"closed, IPv6", checkers.Probe{Target: open6}, checkers.Refused},
		{"black hole", checkers.Probe{Target: blackHole(t), Timeout: 50 * time.Millisecond}, checkers.Timeout},
		{"broadcast", checkers.Probe{Target: netip.MustParseAddrPort("255.255.255.255:1")}, checkers.NoRoute},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.what.Kind = checkers.TCP
			p, end := New(Options{}), make(endings, 1)
			defer p.Close()
			if !p.Start(&row.what, time.Now(), end) {
				t.Fatal("not started")
			}
			p.Started()
			r := end.next(t)
			expect(t, r, row.want)
			if again := p.Probe(t.Context(), &row.what); again.Reason != r.Reason || again.Detail != r.Detail {
				t.Errorf("started: %s %q, probed: %s %q", r.Reason, r.Detail, again.Reason, again.Detail)
			}
			if r.Latency.Total <= 0 || r.OK && r.Latency.Connect <= 0 {
				t.Errorf("latency %+v", r.Latency)
			}
		})
	}
}

func TestStartLeavesToProbeWhatItCannotDo(t *testing.T) {
	p := New(Options{})
	defer p.Close()
	at := serve(t, func(*net.TCPConn) {})
	for _, what := range []checkers.Probe{
		{Kind: checkers.HTTP, Target: at, Params: &checkers.HTTPParams{}},
		{Kind: checkers.TCP, Target: at, Mark: 1},
		{Kind: checkers.TCP, Target: at, Bind: netip.MustParseAddrPort("127.0.0.1:0")},
		{Kind: checkers.TCP, Target: at, Interface: "lo"},
		{Kind: checkers.TCP, Target: at, Via: checkers.Via{Server: at}},
		{Kind: checkers.TCP, Target: netip.MustParseAddrPort("[fe80::1%lo]:80")},
		{Kind: checkers.TCP, Target: at, Params: &checkers.TCPParams{Expect: "x"}},
		{Kind: checkers.TCP, Target: at, Params: &checkers.TCPParams{Proxy: 1}},
	} {
		if p.Start(&what, time.Now(), make(endings, 1)) {
			t.Errorf("%+v was started", what)
		}
	}
}

// A crowd of all sorts ends one by one, those that nobody answers too, and leaves nothing open.
func TestCrowdOfStartedAttempts(t *testing.T) {
	open, closed, hole := serve(t, func(*net.TCPConn) {}), closedPort(t), blackHole(t)
	p := New(Options{})
	const each = 100
	end := make(endings, 3*each)
	whats := []checkers.Probe{{Kind: checkers.TCP, Target: open}, {Kind: checkers.TCP, Target: closed}, {Kind: checkers.TCP, Target: hole, Timeout: 100 * time.Millisecond}}
	for i := range 3 * each {
		if !p.Start(&whats[i%3], time.Now(), end) {
			t.Fatal("not started")
		}
		if i%10 == 9 {
			p.Started()
		}
	}
	p.Started()
	got := map[checkers.Reason]int{}
	for range 3 * each {
		got[end.next(t).Reason]++
	}
	if got[checkers.OK] != each || got[checkers.Refused] != each || got[checkers.Timeout] != each {
		t.Errorf("%v", got)
	}
	if n := len(p.connector.calls) + len(p.connector.limits); n > 0 {
		t.Errorf("%d are left", n)
	}
	p.Close()
}

// Close ends what is under way.
func TestCloseEndsStartedAttempts(t *testing.T) {
	p, end := New(Options{}), make(endings, 2)
	hole := checkers.Probe{Kind: checkers.TCP, Target: blackHole(t), Timeout: time.Hour}
	p.Start(&hole, time.Now(), end)
	p.Started()
	p.Start(&hole, time.Now(), end)
	p.Close()
	for range 2 {
		if r := end.next(t); r.OK {
			t.Errorf("%+v", r)
		}
	}
}

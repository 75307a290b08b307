package probe

import (
	"context"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
)

// rawAllowed says whether this process may open raw sockets. Tests assert the refusal otherwise.
func rawAllowed(t *testing.T) bool {
	t.Helper()
	c, err := net.ListenPacket("ip4:icmp", "127.0.0.1")
	if err != nil {
		return false
	}
	c.Close()
	return true
}

func TestPing(t *testing.T) {
	answered := checkers.OK
	missing, silent := checkers.NoAddress, checkers.Timeout
	if !rawAllowed(t) {
		answered, missing, silent = checkers.Denied, checkers.Denied, checkers.Denied
	}
	six := answered
	if b, err := os.ReadFile("/proc/net/if_inet6"); err != nil || !strings.Contains(string(b), "lo") {
		six = checkers.NoAddress
	}
	_ = silent
	for _, row := range []struct {
		name string
		what checkers.Probe
		want checkers.Reason
	}{
		{"IPv4", checkers.Probe{Target: netip.MustParseAddrPort("127.0.0.1:0")}, answered},
		{"IPv4 in IPv6 clothes", checkers.Probe{Target: netip.MustParseAddrPort("[::ffff:127.0.0.1]:0")}, answered},
		{"with a source", checkers.Probe{Target: netip.MustParseAddrPort("127.0.0.1:0"), Bind: netip.MustParseAddrPort("127.0.0.8:0")}, answered},
		{"with a foreign source", checkers.Probe{Target: netip.MustParseAddrPort("127.0.0.1:0"), Bind: netip.MustParseAddrPort("192.0.2.1:0")}, missing},
		{"with a missing interface", checkers.Probe{Target: netip.MustParseAddrPort("127.0.0.1:0"), Interface: "nonesuch0"}, missing},
		{"over lo", checkers.Probe{Target: netip.MustParseAddrPort("127.0.0.1:0"), Interface: "lo"}, answered},
		{"IPv6", checkers.Probe{Target: netip.MustParseAddrPort("[::1]:0")}, six},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.what.Kind = checkers.Ping
			r := attempt(t, row.what)
			if row.want == checkers.NoAddress && six == checkers.NoAddress && row.name == "IPv6" {
				if r.OK {
					t.Error("answered without IPv6")
				}
				return
			}
			expect(t, r, row.want)
		})
	}
}

// A reply counts only with the token and from the address that was asked.
func TestPingRepliesAreMatched(t *testing.T) {
	s := &pingSocket{id: 7, waiting: map[uint64]*waiting{}}
	w := &waiting{from: netip.MustParseAddr("192.0.2.1"), got: make(chan struct{}, 1)}
	token := s.await(w)
	reply := echo(false, 7, 1, token)
	reply[0] = echoReply4
	got, ok := parseEchoReply(false, 7, reply)
	if !ok || got != token {
		t.Fatalf("token %x, %v", got, ok)
	}
	if _, ok := parseEchoReply(false, 8, reply); ok {
		t.Error("another id was taken")
	}
	s.arrived(token+1, w.from)
	s.arrived(token, netip.MustParseAddr("192.0.2.2"))
	if len(w.got) != 0 {
		t.Error("a stranger's reply was taken")
	}
	s.arrived(token, netip.MustParseAddr("::ffff:192.0.2.1"))
	s.arrived(token, w.from) // a duplicate must not block
	if len(w.got) != 1 {
		t.Error("the reply was not taken")
	}
	if checksum(reply[:2]) == 0 || checksum(echo(false, 7, 1, token)) != 0 {
		t.Error("the checksum of a message with its checksum is 0")
	}
}

func TestPingSharesOneSocket(t *testing.T) {
	if !rawAllowed(t) {
		expect(t, attempt(t, checkers.Probe{Kind: checkers.Ping, Target: netip.MustParseAddrPort("127.0.0.1:0")}), checkers.Denied)
		return
	}
	p := New(Options{})
	defer p.Close()
	var all sync.WaitGroup
	for i := range 200 {
		all.Add(1)
		go func() {
			defer all.Done()
			to := netip.AddrFrom4([4]byte{127, 0, 1, byte(i)})
			r := p.Probe(context.Background(), &checkers.Probe{Kind: checkers.Ping, Target: netip.AddrPortFrom(to, 0), Timeout: 20 * time.Second})
			if !r.OK {
				t.Errorf("%s: %s %s", to, r.Reason, r.Detail)
			}
		}()
	}
	all.Wait()
	if n := len(p.pings.open); n != 1 {
		t.Errorf("%d sockets", n)
	}
}

func TestOncePings(t *testing.T) {
	what := &checkers.Probe{Kind: checkers.Ping, Target: netip.MustParseAddrPort("127.0.0.1:0")}
	r := Once(context.Background(), Options{}, what)
	if !r.OK && (r.Reason != checkers.Denied || rawAllowed(t)) {
		t.Errorf("got %+v", r)
	}
	if lines := strings.Join(Explain(what, r), "\n"); !strings.HasPrefix(lines, "PING_CHECK of 127.0.0.1, at most 5s\n") {
		t.Errorf("got %s", lines)
	}
}

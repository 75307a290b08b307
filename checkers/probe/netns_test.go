//go:build netns

package probe

import (
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/checkers"
)

// fresh puts the test's thread into a new network namespace, for good: the thread ends with the test.
func fresh(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	command(t, "ip link set lo up")
}

// command runs in the test's namespace: a child starts where the thread is that starts it.
func command(t *testing.T, line string) {
	t.Helper()
	words := strings.Fields(line)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", line, err, out)
	}
}

// neighbour is another namespace behind the interface near, with the address 192.0.2.2; commands run there with the prefix returned.
func neighbour(t *testing.T) (there string) {
	t.Helper()
	other := exec.Command("unshare", "-n", "sh", "-c", "echo ready; exec sleep 300")
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Process.Kill(); _ = other.Wait() })
	if _, err := out.Read(make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	there = "nsenter -n -t " + strconv.Itoa(other.Process.Pid) + " "
	link(t, other.Process.Pid, there)
	return there
}

func link(t *testing.T, pid int, there string) {
	t.Helper()
	command(t, "ip link add near type veth peer name far")
	command(t, "ip link set far netns "+strconv.Itoa(pid))
	command(t, "ip addr add 192.0.2.1/24 dev near")
	command(t, "ip link set near up")
	command(t, there+"ip link set lo up")
	command(t, there+"ip addr add 192.0.2.2/24 dev far")
	command(t, there+"ip link set far up")
	// A missing neighbour is noticed in 0.3 s instead of 3.
	if err := os.WriteFile("/proc/sys/net/ipv4/neigh/near/retrans_time_ms", []byte("100"), 0); err != nil {
		t.Fatal(err)
	}
}

// What the director's own network says has its own reason, for each kind of socket.
func TestRealNetworkReasons(t *testing.T) {
	fresh(t)
	there := neighbour(t)
	command(t, "ip rule add fwmark 7 prohibit")
	command(t, there+"ip addr add 192.0.2.3/24 dev far")
	probes := map[checkers.Kind]checkers.Params{
		checkers.TCP: nil, checkers.HTTP: get(checkers.URL{Path: "/"}), checkers.UDP: &checkers.UDPParams{RequireReply: true}, checkers.Ping: nil,
	}
	p := New(Options{})
	defer p.Close()
	for kind, params := range probes {
		for _, row := range []struct {
			name string
			what checkers.Probe
			want checkers.Reason
			ping checkers.Reason // where a raw socket is told something else
		}{
			{"answers", checkers.Probe{Target: netip.MustParseAddrPort("192.0.2.2:9")}, checkers.Refused, checkers.OK},
			{"answers from a source", checkers.Probe{Target: netip.MustParseAddrPort("192.0.2.3:9"), Bind: netip.MustParseAddrPort("192.0.2.1:0")}, checkers.Refused, checkers.OK},
			{"nobody has the address", checkers.Probe{Target: netip.MustParseAddrPort("192.0.2.66:9")}, checkers.Unreachable, checkers.Timeout},
			{"no route", checkers.Probe{Target: netip.MustParseAddrPort("203.0.113.1:9")}, checkers.NoRoute, checkers.NoRoute},
			{"source address gone", checkers.Probe{Target: netip.MustParseAddrPort("192.0.2.2:9"), Bind: netip.MustParseAddrPort("192.0.2.77:0")}, checkers.NoAddress, checkers.NoAddress},
			{"mark with a rule against it", checkers.Probe{Target: netip.MustParseAddrPort("192.0.2.2:9"), Mark: 7}, checkers.Denied, checkers.Denied},
			{"interface", checkers.Probe{Target: netip.MustParseAddrPort("192.0.2.2:9"), Interface: "near"}, checkers.Refused, checkers.OK},
		} {
			row.what.Kind, row.what.Params, row.what.Timeout = kind, params, 6*time.Second
			want := row.want
			if kind == checkers.Ping {
				want = row.ping
				row.what.Timeout = 2 * time.Second
			}
			r := p.Probe(t.Context(), &row.what)
			if r.Reason != want {
				t.Errorf("%s, %s: %s (%s), want %s", kind, row.name, r.Reason, r.Detail, want)
			}
		}
	}
}

// An interface that was deleted and made again is another one; the shared ICMP socket bound to it is replaced.
func TestRealNetworkInterfaceMadeAgain(t *testing.T) {
	fresh(t)
	there := neighbour(t)
	pid, err := strconv.Atoi(strings.Fields(there)[3])
	if err != nil {
		t.Fatal(err)
	}
	p := New(Options{})
	defer p.Close()
	what := &checkers.Probe{Kind: checkers.Ping, Target: netip.MustParseAddrPort("192.0.2.2:0"), Interface: "near", Timeout: 10 * time.Second}
	expect(t, p.Probe(t.Context(), what), checkers.OK)
	command(t, "ip link del near")
	if r := p.Probe(t.Context(), what); r.OK || !r.Reason.IsLocal() {
		t.Errorf("without its interface: %s %s", r.Reason, r.Detail)
	}
	link(t, pid, there)
	expect(t, p.Probe(t.Context(), what), checkers.OK)
}

// A director that holds a virtual address of IPv6 asks under its own: a real server that has the virtual one too would answer itself.
func TestRealNetworkSource(t *testing.T) {
	fresh(t)
	there := neighbour(t)
	command(t, "ip -6 addr add 2001:db8::11/64 dev near nodad")
	command(t, there+"ip -6 addr add 2001:db8::21/64 dev far nodad")
	command(t, there+"ip -6 addr add 2001:db8::100/128 dev lo nodad")
	command(t, there+"ip -6 addr add 2001:db8::101/128 dev lo nodad")
	virtual := []netip.Addr{netip.MustParseAddr("2001:db8::100"), netip.MustParseAddr("2001:db8::101")}
	target := netip.AddrPortFrom(netip.MustParseAddr("2001:db8::21"), 80) // nothing listens: an answer is a refusal
	p := New(Options{NeverFrom: virtual})
	defer p.Close()
	plain := New(Options{})
	defer plain.Close()
	for i, row := range []struct {
		name, before string
		prober       *Prober
		bind         netip.Addr
		tcp          checkers.Reason
		ping         bool
	}{
		{"without a virtual address", "", p, netip.Addr{}, checkers.Refused, true},
		{"one virtual address", "ip -6 addr add 2001:db8::100/64 dev near nodad", p, netip.Addr{}, checkers.Refused, true},
		{"two", "ip -6 addr add 2001:db8::101/64 dev near nodad", p, netip.Addr{}, checkers.Refused, true},
		{"bindto is obeyed", "", p, virtual[0], checkers.Timeout, false},
		{"what the kernel would do", "", plain, netip.Addr{}, checkers.Timeout, false},
	} {
		if row.before != "" {
			command(t, row.before)
		}
		limit := 10 * time.Second
		if row.tcp == checkers.Timeout {
			limit = 300 * time.Millisecond // no answer ever comes
		}
		what := &checkers.Probe{Kind: checkers.TCP, Target: target, Bind: netip.AddrPortFrom(row.bind, 0), Timeout: limit}
		if r := row.prober.Probe(t.Context(), what); r.Reason != row.tcp {
			t.Errorf("%d %s: TCP: %v %s, want %v", i, row.name, r.Reason, r.Detail, row.tcp)
		}
		mail := &checkers.Probe{Kind: checkers.SMTP, Target: target, Timeout: limit, Params: &checkers.SMTPParams{Hosts: []checkers.SMTPHost{{Target: target, Bind: what.Bind}}}}
		if r := row.prober.Probe(t.Context(), mail); r.Reason != row.tcp {
			t.Errorf("%d %s: SMTP: %v %s, want %v", i, row.name, r.Reason, r.Detail, row.tcp)
		}
		echo := &checkers.Probe{Kind: checkers.Ping, Target: target, Bind: what.Bind, Timeout: limit}
		if r := row.prober.Probe(t.Context(), echo); r.OK != row.ping {
			t.Errorf("%d %s: ping: %v %s", i, row.name, r.Reason, r.Detail)
		}
	}
	if from := p.sources.sourced(&checkers.Probe{Target: target}).Bind.Addr(); from != netip.MustParseAddr("2001:db8::11") {
		t.Errorf("the source is %s", from)
	}
	p.NeverFrom(nil)
	if from := p.sources.sourced(&checkers.Probe{Target: target}).Bind.Addr(); from.IsValid() {
		t.Errorf("the source is %s without virtual addresses", from)
	}
}

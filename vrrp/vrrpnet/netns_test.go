//go:build netns

package vrrpnet

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/vrrp"
)

const patience = 20 * time.Second

// fresh puts the test's thread into a new network namespace, for good: the thread ends with the test.
func fresh(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	ip(t, "link set lo up")
}

// ip runs the command in the test's namespace: a child starts where the thread is that starts it.
func ip(t *testing.T, args string) string {
	t.Helper()
	out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ip %s: %v: %s", args, err, out)
	}
	return string(out)
}

func pair(t *testing.T) {
	t.Helper()
	ip(t, "link add left type veth peer name right")
	for n, dev := range []string{"left", "right"} {
		// Both ends are in one namespace: each hears packets from an address of its own host.
		for name, value := range map[string]string{"ipv6/conf/" + dev + "/accept_dad": "0", "ipv4/conf/" + dev + "/accept_local": "1",
			"ipv4/conf/" + dev + "/rp_filter": "0", "ipv4/conf/all/rp_filter": "0"} {
			if err := os.WriteFile("/proc/sys/net/"+name, []byte(value), 0); err != nil {
				t.Fatal(err)
			}
		}
		ip(t, "link set "+dev+" up")
		ip(t, "addr add 192.0.2."+strconv.Itoa(n+1)+"/24 dev "+dev)
	}
}

func index(t *testing.T, dev string) int {
	t.Helper()
	b, err := os.ReadFile("/proc/thread-self/net/dev_mcast") // any file of the thread's namespace with numbers and names
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(b), "\n") {
		if f := strings.Fields(line); len(f) > 1 && f[1] == dev {
			n, _ := strconv.Atoi(f[0])
			return n
		}
	}
	t.Fatalf("no interface %s in %s", dev, b)
	return 0
}

func wire(t *testing.T) *Wire {
	t.Helper()
	w, err := NewWire()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func receive(t *testing.T, w *Wire) vrrp.Packet {
	t.Helper()
	var got []vrrp.Packet
	for end := time.After(patience); len(got) == 0; {
		select {
		case <-w.Readable():
			w.Drain(func(p vrrp.Packet) {
				p.Payload = slices.Clone(p.Payload)
				got = append(got, p)
			})
		case <-end:
			t.Fatal("nothing arrived")
		}
	}
	return got[0]
}

func TestAdvertsTravel(t *testing.T) {
	one, link := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("fe80::aa")
	for name, c := range map[string]struct {
		family   vrrp.Family
		proto    uint8
		src, dst netip.Addr
		ttl      uint8
		id       uint16
	}{
		"IPv4 multicast": {vrrp.IPv4, vrrp.ProtoVRRP, one, vrrp.Group4, 255, 0},
		"IPv4 AH":        {vrrp.IPv4, vrrp.ProtoAH, one, vrrp.Group4, 255, 4711},
		"IPv6 multicast": {vrrp.IPv6, vrrp.ProtoVRRP, link, vrrp.Group6, 255, 0},
	} {
		t.Run(name, func(t *testing.T) {
			fresh(t)
			pair(t)
			ip(t, "addr add fe80::aa/64 dev left nodad")
			left := Endpoint{Interface: "left", Index: index(t, "left"), Family: c.family, Proto: c.proto}
			right := Endpoint{Interface: "right", Index: index(t, "right"), Family: c.family, Proto: c.proto}
			a, b := wire(t), wire(t)
			for w, e := range map[*Wire]Endpoint{a: left, b: right} {
				if err := w.Listen(map[Endpoint][]netip.Addr{e: {c.dst, c.dst}}); err != nil {
					t.Fatal(err)
				}
			}
			if err := a.Send(left, c.src, vrrp.Outgoing{Dst: c.dst, Proto: c.proto, TTL: c.ttl, IPID: c.id, Payload: []byte("an advertisement")}); err != nil {
				t.Fatal(err)
			}
			p := receive(t, b)
			if p.Src != c.src || p.Dst != c.dst || p.TTL != c.ttl || p.Proto != c.proto || p.Interface != "right" || string(p.Payload) != "an advertisement" {
				t.Errorf("got %+v", p)
			}
			if c.id != 0 && p.IPID != c.id {
				t.Errorf("IP identification %d, want %d", p.IPID, c.id)
			}
			a.Drain(func(p vrrp.Packet) { t.Errorf("the sender heard itself: %+v", p) })
			if err := a.Send(right, c.src, vrrp.Outgoing{Dst: c.dst, Proto: c.proto}); err == nil {
				t.Error("nothing is open on right")
			}
		})
	}
}

func addresses(t *testing.T) *Addresses {
	t.Helper()
	a, err := NewAddresses()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

func held(prefix string, life time.Duration) Held {
	return Held{Address: vrrp.Address{Prefix: netip.MustParsePrefix(prefix), Interface: "left"}, Lifetime: life}
}

func TestHold(t *testing.T) {
	fresh(t)
	pair(t)
	a := addresses(t)
	has := func(prefix string) bool { return strings.Contains(ip(t, "addr show dev left"), prefix+" ") }
	want := []Held{held("192.0.2.100/24", 60*time.Second), held("198.51.100.1/32", 60*time.Second), held("2001:db8::100/64", 60*time.Second)}
	if err := a.Hold("VI_1", want); err != nil {
		t.Fatal(err)
	}
	for _, h := range want {
		if !has(h.Prefix.String()) {
			t.Errorf("%s is missing", h.Prefix)
		}
	}
	if got := ip(t, "addr show dev left"); !strings.Contains(got, "valid_lft 60sec") && !strings.Contains(got, "valid_lft 59sec") {
		t.Errorf("no lifetime:\n%s", got)
	}
	if err := a.Hold("VI_2", want[:1]); err != nil {
		t.Fatal(err)
	}
	if err := a.Hold("VI_1", want[1:]); err != nil {
		t.Fatal(err)
	}
	if !has("192.0.2.100/24") {
		t.Error("an address of two owners stays until the last lets go")
	}
	ip(t, "addr del 198.51.100.1/32 dev left")
	if missing, err := a.Restore("left", netip.MustParsePrefix("198.51.100.1/32")); !missing || err != nil || !has("198.51.100.1/32") {
		t.Errorf("restore: %v %v", missing, err)
	}
	if missing, err := a.Restore("left", netip.MustParsePrefix("203.0.113.9/32")); missing || err != nil {
		t.Errorf("an address nobody holds: %v %v", missing, err)
	}
	if err := a.Refresh(); err != nil {
		t.Error(err)
	}
	for _, owner := range []string{"VI_1", "VI_2"} {
		if err := a.Hold(owner, nil); err != nil {
			t.Error(err)
		}
	}
	if has("192.0.2.100/24") || has("198.51.100.1/32") || has("2001:db8::100/64") || !has("192.0.2.1/24") {
		t.Errorf("left over:\n%s", ip(t, "addr show dev left"))
	}
	if err := a.Hold("VI_1", []Held{{Address: vrrp.Address{Prefix: netip.MustParsePrefix("192.0.2.7/32"), Interface: "absent"}}}); err == nil {
		t.Error("a missing interface is an error")
	}
	if err := a.Hold("VI_1", nil); err != nil {
		t.Errorf("letting go of what went with its interface: %v", err)
	}
}

func TestARefusedAddressIsNamedAndTriedAgain(t *testing.T) {
	fresh(t)
	pair(t)
	a := addresses(t)
	off := func(v string) {
		if err := os.WriteFile("/proc/sys/net/ipv6/conf/left/disable_ipv6", []byte(v), 0); err != nil {
			t.Fatal(err)
		}
	}
	off("1")
	want := []Held{held("2001:db8::100/64", time.Minute), held("192.0.2.100/24", time.Minute)}
	if err := a.Hold("VI_1", want); err == nil {
		t.Error("no error")
	}
	denied := a.Denied()
	if len(denied) != 1 || denied[0].Prefix != want[0].Prefix || !strings.Contains(denied[0].Reason, "net.ipv6.conf.left.disable_ipv6") {
		t.Errorf("%+v", denied)
	}
	if got := ip(t, "addr show dev left"); !strings.Contains(got, "192.0.2.100/24 ") {
		t.Errorf("the other one is not there:\n%s", got)
	}
	if err := a.Refresh(); err != nil {
		t.Errorf("a refresh leaves it to Hold: %v", err)
	}
	off("0")
	if err := a.Hold("VI_1", want); err != nil || len(a.Denied()) != 0 {
		t.Errorf("%v %v", err, a.Denied())
	}
	if got := ip(t, "addr show dev left"); !strings.Contains(got, "2001:db8::100/64 ") {
		t.Errorf("it is still not there:\n%s", got)
	}
	off("1")
	if _, err := a.Restore("left", want[0].Prefix); err == nil || len(a.Denied()) != 1 {
		t.Errorf("%v %v", err, a.Denied())
	}
	if err := a.Hold("VI_1", nil); err != nil || len(a.Denied()) != 0 {
		t.Errorf("%v %v", err, a.Denied())
	}
}

func TestAnOwnersAddressStays(t *testing.T) {
	fresh(t)
	pair(t)
	a := addresses(t)
	own := Held{Address: vrrp.Address{Prefix: netip.MustParsePrefix("192.0.2.1/24"), Interface: "left"}, Lifetime: time.Minute, Keep: true}
	for _, want := range [][]Held{{own}, nil} {
		if err := a.Hold("VI_1", want); err != nil {
			t.Fatal(err)
		}
		if got := ip(t, "addr show dev left"); !strings.Contains(got, "192.0.2.1/24 scope global left") {
			t.Errorf("it was touched:\n%s", got)
		}
		if err := a.Refresh(); err != nil {
			t.Fatal(err)
		}
	}
}

// The kernel gives the connected route of an IPv6 prefix the lifetime of the address that was written last.
func TestALifetimeNeverTakesTheInterfacesOwnRoute(t *testing.T) {
	fresh(t)
	pair(t)
	ip(t, "addr add 2001:db8::1/64 dev left nodad")
	a := addresses(t)
	if err := a.Hold("VI_1", []Held{held("2001:db8::100/64", time.Minute)}); err != nil {
		t.Fatal(err)
	}
	if err := a.Refresh(); err != nil {
		t.Fatal(err)
	}
	if got := ip(t, "-6 route show dev left"); !strings.Contains(got, "2001:db8::/64") || strings.Contains(got, "expires") {
		t.Errorf("routes:\n%s", got)
	}
}

// next waits for a change that fits.
func next(t *testing.T, w *Watch, what string, fits func(Change) bool) {
	t.Helper()
	for end := time.After(patience); ; {
		select {
		case c := <-w.Changes():
			if fits(c) {
				return
			}
		case <-end:
			t.Fatalf("not seen: %s", what)
		}
	}
}

func TestWatch(t *testing.T) {
	fresh(t)
	pair(t)
	w, err := NewWatch()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	first := <-w.Changes()
	at := slices.IndexFunc(first.Interfaces, func(i Interface) bool { return i.Name == "left" })
	if at < 0 || len(first.Interfaces[at].MAC) != 6 || !slices.Contains(first.Interfaces[at].Addrs, netip.MustParsePrefix("192.0.2.1/24")) {
		t.Fatalf("first change: %+v", first)
	}
	left := func(up bool) func(Change) bool {
		return func(c Change) bool {
			return slices.ContainsFunc(c.Interfaces, func(i Interface) bool { return i.Name == "left" && i.Up == up })
		}
	}
	if !first.Interfaces[at].Up {
		next(t, w, "left comes up", left(true))
	}
	ip(t, "link set right down") // the carrier of left goes with it
	next(t, w, "left without carrier", left(false))
	ip(t, "link set right up")
	next(t, w, "left is back", left(true))
	ip(t, "addr add 198.51.100.7/24 dev left")
	p := netip.MustParsePrefix("198.51.100.7/24")
	next(t, w, "a new address", func(c Change) bool {
		return slices.ContainsFunc(c.Interfaces, func(i Interface) bool { return slices.Contains(i.Addrs, p) })
	})
	ip(t, "addr del 198.51.100.7/24 dev left")
	next(t, w, "the lost address", func(c Change) bool { return slices.Contains(c.Lost, LostAddress{"left", p}) })
	ip(t, "link del left")
	next(t, w, "left is gone", func(c Change) bool { return slices.Contains(c.Gone, "left") })
}

// A burst that overflows the socket is followed by a list, so that nothing stays unseen.
func TestWatchSurvivesAnOverflow(t *testing.T) {
	fresh(t)
	pair(t)
	w, err := NewWatch()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	raw, err := w.file.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 4096) }); err != nil {
		t.Fatal(err)
	}
	a := addresses(t)
	var want []Held
	for i := range 500 {
		want = append(want, held("10.0."+strconv.Itoa(i/250)+"."+strconv.Itoa(i%250+1)+"/32", 0))
	}
	if err := a.Hold("VI_1", want); err != nil {
		t.Fatal(err)
	}
	next(t, w, "all 500 addresses", func(c Change) bool {
		return slices.ContainsFunc(c.Interfaces, func(i Interface) bool { return i.Name == "left" && len(i.Addrs) >= 500 })
	})
}

func TestShield(t *testing.T) {
	fresh(t)
	pair(t)
	ip(t, "addr add 192.0.2.100/24 dev left")
	ip(t, "addr add 2001:db8::100/64 dev left nodad")
	answers := func(addr string) bool {
		return exec.Command("ping", "-c", "1", "-W", "1", addr).Run() == nil
	}
	for _, addr := range []string{"192.0.2.100", "2001:db8::100"} {
		for end := time.Now().Add(patience); !answers(addr); {
			if time.Now().After(end) {
				t.Fatalf("%s does not answer without a shield", addr)
			}
		}
	}
	addrs := []netip.Addr{netip.MustParseAddr("192.0.2.100"), netip.MustParseAddr("2001:db8::100")}
	for i := range 2500 {
		addrs = append(addrs, netip.AddrFrom4([4]byte{10, 9, byte(i / 250), byte(i % 250)}))
	}
	for range 2 { // replacing it is one step
		if err := Shield(addrs); err != nil {
			t.Fatal(err)
		}
	}
	for _, addr := range []string{"192.0.2.100", "2001:db8::100"} {
		if answers(addr) {
			t.Errorf("%s answers", addr)
		}
	}
	if !answers("192.0.2.1") {
		t.Error("the interface's own address answers")
	}
	for range 2 {
		if err := Shield(nil); err != nil {
			t.Fatal(err)
		}
	}
	if !answers("192.0.2.100") {
		t.Error("it is gone")
	}
}

func TestVMACs(t *testing.T) {
	fresh(t)
	pair(t)
	v, err := NewVMACs()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	want := []MACVLAN{{vrrp.VMAC{Name: "vrrp.51", MAC: "00:00:5e:00:01:33"}, "left"}, {vrrp.VMAC{Name: "vrrp6.51", MAC: "00:00:5e:00:02:33"}, "left"}}
	changed, err := v.Make(want)
	if err != nil {
		t.Fatal(err)
	}
	if changed["left/arp_ignore"] != "0" || changed["left/arp_filter"] != "0" {
		t.Errorf("changed: %v", changed)
	}
	if got := ip(t, "-d link show dev vrrp.51"); !strings.Contains(got, "00:00:5e:00:01:33") || !strings.Contains(got, "mode private") || strings.Contains(got, ",UP") {
		t.Errorf("it is to be down until its instance is MASTER:\n%s", got)
	}
	before := index(t, "vrrp.51")
	if again, err := v.Make(want); err != nil || len(again) != 0 || index(t, "vrrp.51") != before {
		t.Errorf("what fits stays: %v %v", again, err)
	}
	if err := v.Switch("vrrp.51", true); err != nil {
		t.Fatal(err)
	}
	if got := ip(t, "addr show dev vrrp.51"); !strings.Contains(got, ",UP") || strings.Contains(got, "inet6") {
		t.Errorf("up and without an address of its own:\n%s", got)
	}
	ip(t, "link add taken type bridge")
	if _, err := v.Make(append(want, MACVLAN{vrrp.VMAC{Name: "taken", MAC: "00:00:5e:00:01:34"}, "left"})); err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("somebody else's interface of that name: %v", err)
	}
	if _, err := v.Make(nil); err != nil {
		t.Fatal(err)
	}
	if err := RestoreSettings(changed); err != nil {
		t.Fatal(err)
	}
	if got := ip(t, "link"); strings.Contains(got, "vrrp") {
		t.Errorf("left behind:\n%s", got)
	}
	if b, _ := os.ReadFile("/proc/sys/net/ipv4/conf/left/arp_ignore"); strings.TrimSpace(string(b)) != "0" {
		t.Errorf("arp_ignore is %s", b)
	}
}

func TestAReversePathFilterOfAllIsSpread(t *testing.T) {
	fresh(t)
	pair(t)
	const dir = "/proc/sys/net/ipv4/conf/"
	set := func(iface, value string) {
		if err := os.WriteFile(dir+iface+"/rp_filter", []byte(value), 0); err != nil {
			t.Fatal(err)
		}
	}
	get := func(iface string) string {
		b, _ := os.ReadFile(dir + iface + "/rp_filter")
		return strings.TrimSpace(string(b))
	}
	set("all", "1")
	set("right", "2")
	v, err := NewVMACs()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	changed, err := v.Make([]MACVLAN{{vrrp.VMAC{Name: "vrrp.51", MAC: "00:00:5e:00:01:33", LinkGroup: "7"}, "left"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := get("all") + get("default") + get("left") + get("right") + get("vrrp.51"); got != "01120" {
		t.Errorf("all, default, left, right, vrrp.51: %s", got)
	}
	if out := ip(t, "link show group 7"); !strings.Contains(out, "vrrp.51") {
		t.Errorf("its link group: %s", ip(t, "-d link show vrrp.51"))
	}
	if _, err := v.Make(nil); err != nil {
		t.Fatal(err)
	}
	if err := RestoreSettings(changed); err != nil {
		t.Fatal(err)
	}
	if got := get("all") + get("default") + get("left") + get("right"); got != "1002" {
		t.Errorf("restored: %s", got)
	}
}

func TestIPv6AddressesThatShareNobodysPrefixEndWithTheirRoute(t *testing.T) {
	fresh(t)
	pair(t)
	a := addresses(t)
	routes := func() string { return ip(t, "-6 route show 2001:db8:7::/64 dev left") }
	one, two := held("2001:db8:7::9/64", 30*time.Second), held("2001:db8:7::10/64", 30*time.Second)
	if err := a.Hold("a", []Held{one, two}); err != nil {
		t.Fatal(err)
	}
	if out := ip(t, "-6 addr show dev left scope global"); strings.Count(out, "dynamic") != 2 || strings.Contains(out, "noprefixroute") {
		t.Errorf("an address without a lifetime or without its route: %s", out)
	}
	if r := routes(); !strings.Contains(r, "expires") {
		t.Errorf("the route does not end with the addresses: %q", r)
	}
	if err := a.Refresh(); err != nil {
		t.Fatal(err)
	}
	if err := a.Hold("a", []Held{two}); err != nil {
		t.Fatal(err)
	}
	if r := routes(); !strings.Contains(r, "expires") {
		t.Errorf("the route of the address that stays: %q", r)
	}
	if err := a.Refresh(); err != nil {
		t.Fatal(err)
	}
	// The interface gets an address of its own: from the next refresh on its route is not ours.
	ip(t, "addr add 2001:db8:7::1/64 dev left nodad")
	if err := a.Refresh(); err != nil {
		t.Fatal(err)
	}
	if r := routes(); r == "" || strings.Contains(r, "expires") {
		t.Errorf("the interface's own route: %q", r)
	}
	if err := a.Hold("a", nil); err != nil {
		t.Fatal(err)
	}
	if r := routes(); r == "" || strings.Contains(r, "expires") {
		t.Errorf("the interface's own route went with the addresses: %q", r)
	}
	ip(t, "addr del 2001:db8:7::1/64 dev left")
	if err := a.Hold("a", []Held{one}); err != nil {
		t.Fatal(err)
	}
	if err := a.Hold("a", nil); err != nil {
		t.Fatal(err)
	}
	if r := routes(); r != "" {
		t.Errorf("left behind: %q", r)
	}
}

func TestAnAdvertFromAMACWhoseInterfaceIsDown(t *testing.T) {
	for name, c := range map[string]struct {
		family   vrrp.Family
		proto    uint8
		src, dst netip.Addr
		id       uint16
	}{
		"IPv4":    {vrrp.IPv4, vrrp.ProtoVRRP, netip.MustParseAddr("192.0.2.1"), vrrp.Group4, 0},
		"IPv4 AH": {vrrp.IPv4, vrrp.ProtoAH, netip.MustParseAddr("192.0.2.1"), vrrp.Group4, 4711},
		"IPv6":    {vrrp.IPv6, vrrp.ProtoVRRP, netip.MustParseAddr("fe80::aa"), vrrp.Group6, 0},
	} {
		t.Run(name, func(t *testing.T) {
			fresh(t)
			pair(t)
			ip(t, "addr add fe80::aa/64 dev left nodad")
			right := Endpoint{Interface: "right", Index: index(t, "right"), Family: c.family, Proto: c.proto}
			a, b := wire(t), wire(t)
			if err := b.Listen(map[Endpoint][]netip.Addr{right: {c.dst}}); err != nil {
				t.Fatal(err)
			}
			mac, left := net.HardwareAddr{0, 0, 0x5e, 0, 1, 51}, index(t, "left")
			send := func() {
				out := vrrp.Outgoing{Dst: c.dst, Proto: c.proto, IPID: c.id, Payload: []byte("an advertisement")}
				if err := a.SendFrom(left, mac, c.src, out); err != nil {
					t.Error(err)
				}
			}
			send()
			p := receive(t, b)
			if p.Src != c.src || p.Dst != c.dst || p.TTL != 255 || p.Proto != c.proto || string(p.Payload) != "an advertisement" || p.IPID != c.id {
				t.Errorf("got %+v", p)
			}
			// Who it was is found by listening to the next one.
			found, quiet := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(quiet)
				for {
					select {
					case <-found:
						return
					case <-time.After(10 * time.Millisecond):
						send()
					}
				}
			}()
			got, err := Sender(right.Index, c.src, patience)
			if err != nil || got.String() != mac.String() {
				t.Errorf("sender %s, %v", got, err)
			}
			close(found)
			<-quiet // it must not outlive the wire
			if got, err := Sender(right.Index, netip.MustParseAddr("192.0.2.9"), 50*time.Millisecond); err != nil || got != nil {
				t.Errorf("nobody: %s, %v", got, err)
			}
			if err := a.SendFrom(left, mac, c.src, vrrp.Outgoing{Dst: c.src, Proto: c.proto}); err == nil {
				t.Error("unicast has no such frame")
			}
		})
	}
}

// The kernel acknowledges an IPv6 address before packets to it arrive anywhere.
func TestAHeldAddressWorks(t *testing.T) {
	fresh(t)
	pair(t)
	a := addresses(t)
	link, err := a.link("left")
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		want := []Held{held("fe80::77/64", time.Minute), held("2001:db8::100/64", time.Minute), held("2001:db8::101/128", time.Minute)}
		if err := a.Hold("VI_1", want); err != nil {
			t.Fatal(err)
		}
		for _, h := range want {
			if !a.isLocal(link.Attrs().Index, h.Prefix.Addr()) {
				t.Errorf("%s does not work yet", h.Prefix)
			}
		}
		if err := a.Hold("VI_1", nil); err != nil {
			t.Fatal(err)
		}
	}
	if a.isLocal(link.Attrs().Index, netip.MustParseAddr("2001:db8::100")) {
		t.Error("an address that went works")
	}
}

package router

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/vrrp"
	"github.com/holdfast-ha/holdfast/vrrp/vrrpnet"
)

const vip = "192.0.2.100/24"

func transitionTo(s vrrp.State) func(seam.Message) bool {
	return func(m seam.Message) bool {
		return m.Event != nil && m.Event.Transition != nil && m.Event.Transition.To == s
	}
}

func TestALifeFromStartToStop(t *testing.T) {
	r := start(t, &memoryStore{}, eth0())
	b := r.balancer()
	if a := b.apply(1, oneInstance()); len(a.Problems) != 0 {
		t.Errorf("problems: %v", a.Problems)
	}
	b.wait("MASTER", transitionTo(vrrp.Master))
	r.until("the address is there and announced", func() bool {
		r.kernel.mu.Lock()
		defer r.kernel.mu.Unlock()
		return r.kernel.present[vip+" on eth0"] && r.kernel.announced[netip.MustParseAddr("192.0.2.100")] >= 2
	})
	r.until("adverts go out and are stamped", func() bool {
		r.store.mu.Lock()
		defer r.store.mu.Unlock()
		return r.store.stamps > 3 && r.store.saved != nil && r.store.saved.Instances[0].State == vrrp.Master
	})
	b.send(seam.Message{Query: &seam.Query{Token: 9}})
	st := b.wait("Status", func(m seam.Message) bool { return m.Status != nil }).Status
	if st.Token != 9 || st.Instances[0].State != vrrp.Master {
		t.Errorf("status: %+v", st)
	}

	r.signals <- syscall.SIGHUP
	b.wait("Reload", func(m seam.Message) bool { return m.Reload != nil })
	r.signals <- syscall.SIGUSR1
	b.wait("Dump", func(m seam.Message) bool { return m.Dump != nil && m.Dump.Kind == "data" })

	r.signals <- syscall.SIGTERM
	b.wait("Stop", func(m seam.Message) bool { return m.Stop != nil })
	if r.kernel.has("eth0", vip) {
		t.Error("the balancer is stopped after the addresses are gone")
	}
	if r.wire.adverts(0) == 0 {
		t.Error("no priority 0 was sent")
	}
	b.send(seam.Message{Stopped: &seam.Stopped{}})
	b.exit <- Exit{Code: 0}
	if err := r.ended(); err != nil || !r.store.cleared {
		t.Errorf("err %v, cleared %v", err, r.store.cleared)
	}
}

func TestBalancerDiesAndTheAddressStays(t *testing.T) {
	r := start(t, &memoryStore{}, eth0())
	b := r.balancer()
	b.apply(1, oneInstance())
	b.wait("MASTER", transitionTo(vrrp.Master))
	r.until("held", func() bool { return r.kernel.has("eth0", vip) })
	for range 2 {
		b.exit <- Exit{Code: -1, Reason: "signal: killed"}
		b = r.balancer()
	}
	if !r.kernel.has("eth0", vip) {
		t.Error("the address went with the balancer")
	}
	before := r.wire.adverts(100)
	b.apply(2, oneInstance())
	r.until("adverts go on", func() bool { return r.wire.adverts(100) > before+3 })
}

func TestASeamThatTalksNonsenseIsKilled(t *testing.T) {
	r := start(t, &memoryStore{}, eth0())
	b := r.balancer()
	b.conn.Close()
	<-b.killed
	r.balancer()
}

func TestARefusedFirstConfigurationEndsTheDaemon(t *testing.T) {
	r := start(t, &memoryStore{}, eth0())
	r.balancer().exit <- Exit{Code: ExitRefused}
	if err := r.ended(); !errors.Is(err, ErrRefused) {
		t.Errorf("got %v", err)
	}
}

// The connection of a balancer that ends closes before its status is known; the status is what counts.
func TestARefusalIsHeardAfterTheConnectionHasClosed(t *testing.T) {
	r := start(t, &memoryStore{}, eth0())
	b := r.balancer()
	b.conn.Close()
	closed := time.Now()
	select {
	case <-b.killed:
		if time.Since(closed) < exitWithin {
			t.Fatal("killed before it could say why it ends")
		}
	case <-time.After(exitWithin / 10):
		b.exit <- Exit{Code: ExitRefused}
		if err := r.ended(); !errors.Is(err, ErrRefused) {
			t.Errorf("got %v", err)
		}
	}
}

func TestTheServiceManagerIsToldTheStates(t *testing.T) {
	r := start(t, &memoryStore{}, eth0())
	told := func(s string) func() bool {
		return func() bool {
			r.mu.Lock()
			defer r.mu.Unlock()
			return slices.Contains(r.notified, s)
		}
	}
	b := r.balancer()
	r.until("nothing yet", told("STATUS=no VRRP instance"))
	c := oneInstance()
	c.Instances = append(c.Instances, c.Instances[0])
	c.Instances[1].Name, c.Instances[1].Interface, c.Instances[1].Addresses = "VI_2", "eth9", nil
	b.apply(1, c)
	r.until("the states", told("STATUS=VRRP: 1 MASTER, 1 FAULT"))
}

func TestAStolenAddressComesBack(t *testing.T) {
	r := start(t, &memoryStore{}, eth0())
	b := r.balancer()
	b.apply(1, oneInstance())
	b.wait("MASTER", transitionTo(vrrp.Master))
	r.until("held", func() bool { return r.kernel.has("eth0", vip) })
	r.kernel.steal("eth0", vip)
	b.wait("the event", func(m seam.Message) bool { return m.Event != nil && m.Event.Event.ID == "vrrp.address_restored" })
	if !r.kernel.has("eth0", vip) {
		t.Error("it is not back")
	}
}

func TestAMissingInterfaceIsAFaultThatHeals(t *testing.T) {
	r := start(t, &memoryStore{})
	b := r.balancer()
	a := b.apply(1, oneInstance())
	if len(a.Problems) != 1 || !strings.Contains(a.Problems[0], "eth0 does not exist") {
		t.Errorf("problems: %v", a.Problems)
	}
	r.until("FAULT", func() bool { return r.saw("vrrp.transition") })
	r.kernel.changes <- vrrpnet.Change{Interfaces: []vrrpnet.Interface{eth0()}}
	b.wait("MASTER", transitionTo(vrrp.Master))
	r.kernel.changes <- vrrpnet.Change{Gone: []string{"eth0"}}
	b.wait("FAULT", transitionTo(vrrp.Fault))
	r.until("let go", func() bool { return !r.kernel.has("eth0", vip) })
}

func TestLeftoversOfAnotherDaemonGoFirst(t *testing.T) {
	i := eth0()
	i.Addrs = append(i.Addrs, netip.MustParsePrefix(vip))
	r := start(t, &memoryStore{}, i)
	b := r.balancer()
	c := oneInstance()
	c.Instances[0].Interval = time.Hour // it stays BACKUP
	b.apply(1, c)
	if r.kernel.has("eth0", vip) {
		t.Error("a virtual address found at start is removed")
	}
	if !r.kernel.has("eth0", "192.0.2.1/24") {
		t.Error("the interface's own address is not")
	}
}

func TestStaticAddresses(t *testing.T) {
	r := start(t, &memoryStore{}, eth0())
	b := r.balancer()
	c := oneInstance()
	c.Statics = []vrrp.Address{{Prefix: netip.MustParsePrefix("198.51.100.1/32"), Interface: "eth0"}}
	b.apply(1, c)
	if !r.kernel.has("eth0", "198.51.100.1/32") {
		t.Error("static addresses are there whoever is MASTER")
	}
	r.signals <- syscall.SIGTERM
	b.wait("Stop", func(m seam.Message) bool { return m.Stop != nil })
	b.exit <- Exit{}
	if err := r.ended(); err != nil {
		t.Fatal(err)
	}
	if r.kernel.has("eth0", "198.51.100.1/32") {
		t.Error("nothing stays behind")
	}
}

func savedMaster() *Saved {
	c := oneInstance()
	held := onInterface("eth0", c.Instances[0].Addresses)
	return &Saved{Version: savedVersion, BootID: "boot", NetNS: "net", Gen: 7, Config: &c,
		Instances: []SavedInstance{{ID: c.Instances[0].ID(), State: vrrp.Master, Priority: 100, Index: 2, MAC: "02:00:00:00:00:01", Held: held}}}
}

func TestAdoption(t *testing.T) {
	i := eth0()
	i.Addrs = append(i.Addrs, netip.MustParsePrefix(vip))
	r := start(t, &memoryStore{saved: savedMaster(), age: 5 * time.Millisecond}, i)
	r.until("adverts go out before any balancer speaks", func() bool { return r.wire.adverts(100) > 2 })
	b := <-r.children
	snap := b.wait("Snapshot", func(m seam.Message) bool { return m.Snapshot != nil }).Snapshot
	if !snap.Adopted || snap.Gen != 7 || snap.Instances[0].State != vrrp.Master {
		t.Errorf("snapshot: %+v", snap)
	}
	if !r.kernel.has("eth0", vip) || !r.saw("router.adopted") {
		t.Error("the address stays")
	}
	b.apply(8, oneInstance())
	if n := r.wire.adverts(0); n != 0 {
		t.Errorf("%d adverts of priority 0", n)
	}
}

func TestStaleStateIsNotBelieved(t *testing.T) {
	i := eth0()
	i.Addrs = append(i.Addrs, netip.MustParsePrefix(vip))
	r := start(t, &memoryStore{saved: savedMaster(), age: 25 * time.Millisecond}, i)
	r.balancer()
	r.until("its address goes before anything else", func() bool { return !r.kernel.has("eth0", vip) })
	if n := r.wire.adverts(100); n != 0 || !r.saw("router.not_adopted") {
		t.Errorf("%d adverts", n)
	}
	name := oneInstance().Instances[0].Name
	if !r.sawField("router.not_adopted", "instance", name) {
		t.Errorf("it is not told under the name %s", name)
	}
}

func TestBelieve(t *testing.T) {
	ports := map[string]port{"eth0": {2, "02:00:00:00:00:01", true}}
	for name, c := range map[string]struct {
		change func(*Saved)
		age    time.Duration
		ports  map[string]port
		why    string
	}{
		"as it was":         {func(*Saved) {}, time.Millisecond, ports, ""},
		"other boot":        {func(s *Saved) { s.BootID = "x" }, 0, ports, "booted"},
		"other namespace":   {func(s *Saved) { s.NetNS = "x" }, 0, ports, "namespace"},
		"other version":     {func(s *Saved) { s.Version++ }, 0, ports, "version"},
		"too old":           {func(*Saved) {}, 20 * time.Millisecond, ports, "sign of life"},
		"from the future":   {func(*Saved) {}, -1, ports, "sign of life"},
		"interface gone":    {func(*Saved) {}, 0, nil, "gone"},
		"interface new":     {func(*Saved) {}, 0, map[string]port{"eth0": {3, "02:00:00:00:00:01", true}}, "another one"},
		"other card":        {func(*Saved) {}, 0, map[string]port{"eth0": {2, "02:00:00:00:00:02", true}}, "another one"},
		"FAULT":             {func(s *Saved) { s.Instances[0].State = vrrp.Fault }, 0, ports, "FAULT"},
		"not in the config": {func(s *Saved) { s.Config.Instances = nil }, 0, ports, "configuration"},
		"no configuration":  {func(s *Saved) { s.Config = nil }, 0, ports, "configuration"},
	} {
		s := savedMaster()
		c.change(s)
		adopted, why := believe(*s, "boot", "net", c.age, c.ports)
		got := why[oneInstance().Instances[0].ID()]
		if (c.why == "") != (len(adopted) == 1) || !strings.Contains(got, c.why) {
			t.Errorf("%s: adopted %d, because %q", name, len(adopted), got)
		}
	}
}

func TestLinkOf(t *testing.T) {
	p := netip.MustParsePrefix
	i := vrrpnet.Interface{Name: "eth0", Up: true, Addrs: []netip.Prefix{p("192.0.2.100/24"), p("192.0.2.1/24"), p("192.0.2.9/24"), p("2001:db8::1/64"), p("fe80::99/64"), p("fe80::1/64")}}
	got := linkOf(i, map[netip.Addr]bool{netip.MustParseAddr("192.0.2.100"): true, netip.MustParseAddr("fe80::99"): true})
	want := vrrp.Link{Name: "eth0", Exists: true, Up: true, Source4: netip.MustParseAddr("192.0.2.1"), Source6: netip.MustParseAddr("fe80::1")}
	if got != want {
		t.Errorf("got %+v", got)
	}
}

func TestLateness(t *testing.T) {
	var l lateness
	for range 990 {
		l.add(100 * time.Microsecond)
	}
	for range 10 {
		l.add(50 * time.Millisecond)
	}
	if p := l.p99(); p < 100 || p > 128 {
		t.Errorf("p99 %d", p)
	}
	if l.max != 50*time.Millisecond {
		t.Errorf("max %s", l.max)
	}
}

func TestFileStore(t *testing.T) {
	dir := t.TempDir()
	s, _, err := newFileStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if _, _, ok, err := s.Load(); ok || err != nil {
		t.Fatalf("an empty directory: %v %v", ok, err)
	}
	want := *savedMaster()
	s.Save(want)
	s.flush()
	if _, age, ok, err := s.Load(); !ok || err != nil || age < time.Hour {
		t.Errorf("without a stamp nobody was alive: age %s, %v, %v", age, ok, err)
	}
	s.Stamp()
	s.flush()
	got, age, ok, err := s.Load()
	if err != nil || !ok || age < 0 || age > patience || got.Gen != 7 || got.Config.Instances[0].Name != "VI_1" || got.Instances[0].Held[0] != want.Instances[0].Held[0] {
		t.Errorf("got %+v, %s, %v, %v", got, age, ok, err)
	}
	marks := []vrrp.Sequences{{ID: got.Instances[0].ID, Sent: 1 << 63, Heard: []vrrp.Heard{{From: netip.MustParseAddr("fe80::1"), Sequence: 3}}}}
	s.SaveSequences(marks)
	s.Clear()
	if _, _, ok, _ := s.Load(); ok {
		t.Error("cleared")
	}
	if got, err := s.Sequences(); err != nil || !reflect.DeepEqual(got, marks) {
		t.Errorf("sequences outlive an orderly stop: %+v %v", got, err)
	}
	lock, err := lockDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Release(dir, nil); !errors.Is(err, ErrRunning) {
		t.Errorf("a living router is left alone, got %v", err)
	}
	lock.Close()
	if removed, err := Release(dir, nil); err != nil || len(removed) != 0 {
		t.Errorf("nothing to release: %v %v", removed, err)
	}
	also := func() ([]string, error) {
		_, err := lockDir(dir, 0)
		return []string{"service"}, err
	}
	if removed, err := Release(dir, also); !errors.Is(err, ErrRunning) || len(removed) != 1 {
		t.Errorf("what the balancer left goes under the same lock: %v %v", removed, err)
	}
}

func TestABetterRouterTakesOver(t *testing.T) {
	r := start(t, &memoryStore{}, eth0())
	b := r.balancer()
	b.apply(1, oneInstance())
	b.wait("MASTER", transitionTo(vrrp.Master))
	peer := oneInstance().Instances[0]
	src := netip.MustParseAddr("192.0.2.2")
	r.wire.arrive(vrrp.Packet{Interface: "eth0", Family: vrrp.IPv4, Src: src, Dst: vrrp.Group4, TTL: 255, Proto: vrrp.ProtoVRRP,
		Payload: vrrp.Marshal(peer, src, vrrp.Group4, 200)})
	b.wait("BACKUP", transitionTo(vrrp.Backup))
	r.until("let go", func() bool { return !r.kernel.has("eth0", vip) })
	r.wire.arrive(vrrp.Packet{Interface: "eth0", Family: vrrp.IPv4, Src: src, Dst: vrrp.Group4, TTL: 254, Proto: vrrp.ProtoVRRP,
		Payload: vrrp.Marshal(peer, src, vrrp.Group4, 200)})
	r.until("a forwarded advert is refused by name", func() bool { return r.saw("vrrp.refused") })
}

func TestAnInstanceGivesUpAFight(t *testing.T) {
	r := start(t, &memoryStore{}, eth0())
	b := r.balancer()
	b.apply(1, oneInstance())
	b.wait("MASTER", transitionTo(vrrp.Master))
	const removals = 5
	for i := range removals {
		r.until("held", func() bool { return r.kernel.has("eth0", vip) })
		r.kernel.steal("eth0", vip)
		if i < removals-1 {
			b.wait("restored", func(m seam.Message) bool { return m.Event != nil && m.Event.Event.ID == "vrrp.address_restored" })
		}
	}
	b.wait("FAULT", transitionTo(vrrp.Fault))
}

func TestAnAddressTheKernelRefusesIsAFault(t *testing.T) {
	r := start(t, &memoryStore{}, eth0())
	r.kernel.refuse("192.0.2.100/24", errors.New("no memory"))
	b := r.balancer()
	b.apply(1, oneInstance())
	m := b.wait("FAULT", transitionTo(vrrp.Fault))
	if !strings.Contains(m.Event.Transition.Reason, "no memory") {
		t.Errorf("reason %q", m.Event.Transition.Reason)
	}
}

func TestOneAddressTheKernelRefusesIsNoFault(t *testing.T) {
	r := start(t, &memoryStore{}, eth0())
	const other = "198.51.100.7/32"
	r.kernel.refuse(other, errors.New("permission denied"))
	b := r.balancer()
	c := oneInstance()
	c.Instances[0].Addresses = append(c.Instances[0].Addresses, vrrp.Address{Prefix: netip.MustParsePrefix(other)})
	b.apply(1, c)
	m := b.wait("address_denied", func(m seam.Message) bool { return m.Event != nil && m.Event.Event.ID == "vrrp.address_denied" })
	if got := fmt.Sprint(m.Event.Event.Values); !strings.Contains(got, other+" on eth0: permission denied") {
		t.Error(got)
	}
	if told := r.kernel.told(other); told != 0 || !r.kernel.has("eth0", "192.0.2.100/24") {
		t.Errorf("%d announcements of an address that is not there", told)
	}
	applied := b.apply(2, c)
	if !slices.ContainsFunc(applied.Problems, func(p string) bool { return strings.Contains(p, other) }) {
		t.Errorf("problems %q", applied.Problems)
	}
	r.kernel.refuse(other, nil)
	b.wait("address_set", func(m seam.Message) bool {
		if m.Event != nil && m.Event.Transition != nil && m.Event.Transition.To == vrrp.Fault {
			t.Error("FAULT")
		}
		return m.Event != nil && m.Event.Event.ID == "vrrp.address_set"
	})
	r.until("it is set and announced", func() bool { return r.kernel.has("eth0", other) && r.kernel.told(other) > 0 })
}

func TestTheSourceAddressIsTracked(t *testing.T) {
	r := start(t, &memoryStore{}, eth0())
	b := r.balancer()
	c := oneInstance()
	c.Instances[0].Source, c.Instances[0].TrackSource = netip.MustParseAddr("192.0.2.5"), true
	b.send(seam.Message{Apply: &seam.Apply{Gen: 1, Config: c}})
	b.send(seam.Message{Ready: &vrrp.Ready{OK: true}})
	m := b.wait("FAULT", transitionTo(vrrp.Fault))
	if !strings.Contains(m.Event.Transition.Reason, "192.0.2.5") {
		t.Errorf("reason %q", m.Event.Transition.Reason)
	}
	with := eth0()
	with.Addrs = append(with.Addrs, netip.MustParsePrefix("192.0.2.5/24"))
	r.kernel.changes <- vrrpnet.Change{Interfaces: []vrrpnet.Interface{with}}
	b.wait("MASTER", transitionTo(vrrp.Master))
	r.kernel.changes <- vrrpnet.Change{Interfaces: []vrrpnet.Interface{eth0()}}
	b.wait("FAULT", transitionTo(vrrp.Fault))
	c.Instances = append([]vrrp.Instance{}, c.Instances...)
	c.Instances[0].TrackSource = false
	b.send(seam.Message{Apply: &seam.Apply{Gen: 2, Config: c}})
	b.wait("MASTER", transitionTo(vrrp.Master))
}

// A unicast instance whose address is not here (DHCP has not answered) would be MASTER without being heard.
func TestUnicastNeedsItsSourceAddress(t *testing.T) {
	lo := vrrpnet.Interface{Name: "lo", Index: 1, Up: true}
	r := start(t, &memoryStore{}, eth0(), lo)
	b := r.balancer()
	c := oneInstance()
	c.Instances[0].Source, c.Instances[0].Peers = netip.MustParseAddr("192.0.2.5"), []vrrp.Peer{{Addr: netip.MustParseAddr("192.0.2.6")}}
	b.send(seam.Message{Apply: &seam.Apply{Gen: 1, Config: c}})
	b.send(seam.Message{Ready: &vrrp.Ready{OK: true}})
	m := b.wait("FAULT", transitionTo(vrrp.Fault))
	if !strings.Contains(m.Event.Transition.Reason, "no interface has the source address 192.0.2.5") {
		t.Errorf("reason %q", m.Event.Transition.Reason)
	}
	with := lo // the address may be on another interface
	with.Addrs = append(with.Addrs, netip.MustParsePrefix("192.0.2.5/32"))
	r.kernel.changes <- vrrpnet.Change{Interfaces: []vrrpnet.Interface{with}}
	b.wait("MASTER", transitionTo(vrrp.Master))
	r.kernel.changes <- vrrpnet.Change{Interfaces: []vrrpnet.Interface{lo}}
	b.wait("FAULT", transitionTo(vrrp.Fault))
}

func TestTheProcessIsScheduledOnce(t *testing.T) {
	r := start(t, &memoryStore{}, eth0())
	b := r.balancer()
	c := oneInstance()
	for gen, nice := range []int{0, -5, -5, 0} {
		c.Process.Nice = nice
		b.apply(uint64(gen+1), c)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.scheduled) != 2 || r.scheduled[0].Nice != -5 || r.scheduled[1].Nice != 0 {
		t.Errorf("asked for %v", r.scheduled)
	}
}

func TestNoAccept(t *testing.T) {
	r := start(t, &memoryStore{}, eth0())
	b := r.balancer()
	c := oneInstance()
	c.Instances[0].NoAccept = true
	b.apply(1, c)
	shielded := func() int {
		r.kernel.mu.Lock()
		defer r.kernel.mu.Unlock()
		return len(r.kernel.shielded)
	}
	if shielded() != 1 {
		t.Error("the address is not kept from local programs")
	}
	c.Instances = append([]vrrp.Instance{}, c.Instances...)
	c.Instances[0].Priority = 255
	b.apply(2, c)
	if shielded() != 0 {
		t.Error("the owner accepts")
	}
}

func TestAFormerRoutersShieldGoes(t *testing.T) {
	r := start(t, &memoryStore{}, eth0())
	r.kernel.mu.Lock()
	r.kernel.shielded = []netip.Addr{netip.MustParseAddr("192.0.2.77")}
	r.kernel.mu.Unlock()
	r.balancer().apply(1, oneInstance()) // returns when it is applied
	r.kernel.mu.Lock()
	defer r.kernel.mu.Unlock()
	if len(r.kernel.shielded) != 0 {
		t.Errorf("a crashed router's %v are still kept from local programs", r.kernel.shielded)
	}
}

func TestAPanicOfTheKernelGoroutineReachesTheLoop(t *testing.T) {
	after := guarded(func() func() { panic("broken") })
	defer func() {
		if p := recover(); p == nil || !strings.Contains(p.(string), "broken") {
			t.Errorf("got %v", p)
		}
	}()
	after()
}

func TestAnOrphanReleasesOnlyWhatNobodyWouldAdopt(t *testing.T) {
	c := oneInstance() // 10 ms adverts: 20 ms
	slow := c.Instances[0]
	slow.VRID, slow.Interval = 52, time.Second // 2 s
	c.Instances = append(c.Instances, slow)
	s := Saved{Config: &c, Instances: []SavedInstance{{ID: c.Instances[0].ID()}, {ID: slow.ID()}}}
	for _, x := range []struct {
		age  time.Duration
		due  int
		wait time.Duration
	}{
		{5 * time.Millisecond, 0, 15 * time.Millisecond}, {500 * time.Millisecond, 1, 1500 * time.Millisecond}, {2 * time.Second, 2, 0},
	} {
		due, wait := stale(s, x.age)
		if len(due.Instances) != x.due || len(due.Config.Instances) != x.due || wait != x.wait {
			t.Errorf("%s: %d instances are due, the next in %s", x.age, len(due.Instances), wait)
		}
	}
	if len(s.Config.Instances) != 2 {
		t.Error("the state itself was changed")
	}
}

// A successor of somebody who still serves says so when it has the addresses, and at the latest when its patience is over.
func TestTheAdvertWaitsForTheAddresses(t *testing.T) {
	for _, stuck := range []bool{false, true} {
		t.Run(fmt.Sprintf("stuck %v", stuck), func(t *testing.T) {
			r := start(t, &memoryStore{}, eth0())
			b := r.balancer()
			c := oneInstance()
			c.Instances[0].Interval, c.Instances[0].Priority = time.Second, 254
			b.apply(1, c)
			slow := make(chan struct{})
			r.kernel.mu.Lock()
			r.kernel.slow = slow
			r.kernel.mu.Unlock()
			src := netip.MustParseAddr("192.0.2.9")
			r.wire.arrive(vrrp.Packet{Interface: "eth0", Family: vrrp.IPv4, Src: src, Dst: vrrp.Group4, TTL: 255, Proto: vrrp.ProtoVRRP, Payload: vrrp.Marshal(c.Instances[0], src, vrrp.Group4, 0)})
			b.wait("MASTER", transitionTo(vrrp.Master))
			if !stuck {
				close(slow)
			} else {
				defer close(slow)
			}
			r.until("it is said", func() bool { return r.wire.adverts(254) > 0 })
			if has := r.kernel.has("eth0", "192.0.2.100/24"); has == stuck {
				t.Errorf("the address is there: %v", has)
			}
		})
	}
}

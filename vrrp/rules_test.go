package vrrp

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func (r *rig) notices(as []Action) string {
	var out []string
	for _, a := range as {
		if n, ok := a.(Notice); ok {
			out = append(out, n.Kind)
		}
	}
	return strings.Join(out, " ")
}

// living keeps a MASTER of that priority heard once an interval for d, as long as the instance is BACKUP.
func (r *rig) living(id ID, prio uint8, d time.Duration) {
	interval := r.ms.byID[id].cfg.Interval
	for end := r.now.Add(d); r.now.Before(end) && r.state(id) == Backup; {
		r.hear(id, prio, addrA)
		r.run(interval)
	}
}

func TestPreemption(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Instance)
		for_   time.Duration
		want   State
	}{
		"a better router preempts":         {func(*Instance) {}, 4 * time.Second, Master},
		"nopreempt does not":               {func(i *Instance) { i.NoPreempt = true }, time.Minute, Backup},
		"preempt_delay waits":              {func(i *Instance) { i.PreemptDelay = 10 * time.Second }, 10 * time.Second, Backup},
		"preempt_delay ends":               {func(i *Instance) { i.PreemptDelay = 10 * time.Second }, 15 * time.Second, Master},
		"an owner preempts in spite of it": {func(i *Instance) { i.NoPreempt = true; i.Priority = 255 }, 4 * time.Second, Master},
		"one that serves waits":            {func(i *Instance) { i.Serves = true }, 29 * time.Second, Backup},
		"but not for ever":                 {func(i *Instance) { i.Serves = true }, 35 * time.Second, Master},
		"equal priority never preempts":    {func(i *Instance) { i.Priority = 50 }, time.Minute, Backup},
		"nor does a lower priority":        {func(i *Instance) { i.Priority = 49 }, time.Minute, Backup},
	} {
		t.Run(name, func(t *testing.T) {
			i := sample(3, IPv4)
			c.change(&i)
			r, _ := boot(t, i)
			r.living(i.ID(), 50, c.for_)
			r.want(i.ID(), c.want)
		})
	}
}

func TestPreemptDelayIsCancelledByABetterRouter(t *testing.T) {
	i := sample(3, IPv4)
	i.PreemptDelay = 5 * time.Second
	r, _ := boot(t, i)
	r.living(i.ID(), 50, 4*time.Second)
	r.hear(i.ID(), 200, addrA)
	r.living(i.ID(), 50, 5*time.Second)
	r.want(i.ID(), Backup)
	r.living(i.ID(), 50, 5*time.Second)
	r.want(i.ID(), Master)
}

func TestReadyEndsTheWait(t *testing.T) {
	i := sample(3, IPv4)
	i.Serves = true
	r, _ := boot(t, i)
	r.living(i.ID(), 50, 5*time.Second)
	r.step(Ready{OK: true})
	r.living(i.ID(), 50, 5*time.Second)
	r.want(i.ID(), Master)

	// A director that can never balance leaves the living one alone, and replaces a dead one.
	r, _ = boot(t, i)
	r.step(Ready{Lasting: true, Reason: "no IPVS"})
	r.living(i.ID(), 50, 5*time.Minute)
	r.want(i.ID(), Backup)
	r.run(4 * time.Second)
	r.want(i.ID(), Master)
}

func TestBalancerAway(t *testing.T) {
	i, j := sample(3, IPv4), sample(3, IPv4)
	i.Serves, j.VRID = true, 52
	r, _ := bootConfig(t, Config{Instances: []Instance{i, j}, HoldWithoutBalancer: 30 * time.Second})
	r.step(Ready{OK: true})
	r.run(4 * time.Second)
	r.step(Ready{Away: true, Reason: "it died"})
	r.run(20 * time.Second)
	// It comes back without being READY: the budget is not refilled.
	r.step(Ready{})
	r.step(Ready{Away: true, Reason: "it died again"})
	r.run(9 * time.Second)
	r.want(i.ID(), Master)
	r.run(2 * time.Second)
	r.want(i.ID(), Fault)
	r.want(j.ID(), Master)
	if s := r.ms.Snapshot(); !strings.Contains(s[0].Reason+s[1].Reason, "it died again") {
		t.Fatalf("%+v", s)
	}
	r.step(Ready{OK: true})
	r.want(i.ID(), Backup)
	r.step(Ready{Away: true})
	r.run(20 * time.Second)
	r.want(i.ID(), Master)
}

func TestPriorityZeroMeansSkewOnly(t *testing.T) {
	i := sample(2, IPv4)
	r, _ := boot(t, i)
	r.hear(i.ID(), 200, addrA)
	r.hear(i.ID(), 0, addrA)
	r.run(156*time.Second/256 - 1)
	r.want(i.ID(), Backup)
	a := r.run(1)
	r.want(i.ID(), Master)
	if tr := a[len(a)-1].(Transition); !strings.Contains(tr.Reason, "leaves") {
		t.Fatal(tr.Reason)
	}
}

func TestReasonOfPromotionNamesTheEvidence(t *testing.T) {
	i := sample(2, IPv4)
	i.Auth = Auth{Type: "PASS", Key: "right"}
	r, _ := boot(t, i)
	p := packetOf(i, addrA, Group4, 200)
	r.ms.Receive(r.now, p)
	wrong := i
	wrong.Auth.Key = "wrong"
	for range 3 {
		r.run(time.Second)
		r.ms.Receive(r.now, packetOf(wrong, addrA, Group4, 200))
	}
	a := r.run(time.Second)
	want := "no advertisement from 192.0.2.1 (priority 200) for 3.61s; refused meanwhile: 3 auth_failure"
	if tr, ok := a[len(a)-1].(Transition); !ok || tr.Reason != want {
		t.Fatalf("got %v, want %s", a[len(a)-1], want)
	}
}

func TestHandover(t *testing.T) {
	i := sample(3, IPv4)
	id := i.ID()
	r := master(t, i)
	r.shows(r.step(Handover{Instance: "VI", For: time.Minute}), "send 0")
	r.run(100 * time.Millisecond)
	r.shows(r.hear(id, 50, addrA), "hold 0, MASTER>BACKUP, notice handover_done, ended ok")
	if s := r.ms.Snapshot()[0]; !s.Yielded || s.HandingOver {
		t.Fatalf("%+v", s)
	}
	r.living(id, 50, 59*time.Second)
	r.want(id, Backup)
	r.living(id, 50, 10*time.Second)
	r.want(id, Master)

	// Until told to.
	r.step(Handover{})
	r.hear(id, 50, addrA)
	r.living(id, 50, time.Hour)
	r.want(id, Backup)
	r.shows(r.step(Handover{Cancel: true}), "notice handover_over, ended ok")
	r.living(id, 50, 5*time.Second)
	r.want(id, Master)

	// Or until the successor dies.
	r.step(Handover{})
	r.hear(id, 50, addrA)
	r.living(id, 50, 10*time.Second)
	r.run(4 * time.Second)
	r.want(id, Master)

	// Nobody takes it.
	r.step(Handover{Instance: "eth0/4/51"})
	a := r.run(2200 * time.Millisecond)
	if !strings.HasPrefix(show(a), "send 0, send 0, send 100, notice handover_failed, ended failed") {
		t.Fatal(show(a))
	}
	r.want(id, Master)
	r.run(time.Second)
	// Taken back while it waits.
	r.step(Handover{})
	r.shows(r.step(Handover{Cancel: true}), "send 100, notice handover_failed, ended failed, ended ok")
}

func TestSplitBrainIsTold(t *testing.T) {
	i := sample(3, IPv4)
	r := master(t, i)
	var all []Action
	for range 5 {
		all = append(all, r.hear(i.ID(), 50, addrA)...)
		all = append(all, r.run(time.Second)...)
	}
	if got := r.notices(all); got != "master_rx_lower_pri split_brain" {
		t.Fatal(got)
	}
}

func TestAnswersToARivalAreLimited(t *testing.T) {
	i := sample(3, IPv4)
	r := master(t, i)
	sent := r.ms.Snapshot()[0].Counters.AdvertsSent
	for range 1000 {
		r.hear(i.ID(), 50, addrA)
		r.after(10 * time.Microsecond)
	}
	if n := r.ms.Snapshot()[0].Counters.AdvertsSent - sent; n > 3 {
		t.Fatalf("%d answers in 10 ms", n)
	}
}

func TestLowerPriorityOptions(t *testing.T) {
	i := sample(3, IPv4)
	i.LowerPrioNoAdvert = true
	i.Gratuitous.LowerPrioRepeat = 0
	r := master(t, i)
	r.shows(r.hear(i.ID(), 50, addrA), "notice master_rx_lower_pri")
	i.HigherPrioSendAdvert = true
	r = master(t, i)
	r.shows(r.hear(i.ID(), 150, addrA), "send 100, hold 0, MASTER>BACKUP")
}

func TestWeights(t *testing.T) {
	type track struct {
		ref  TrackRef
		val  Track
		want int
	}
	ok, fails := Track{Known: true, OK: true}, Track{Known: true}
	file := func(n int) Track { return Track{Known: true, Value: n} }
	for name, c := range map[string]track{
		"unknown":                 {TrackRef{ID: "script/a", Weight: 20}, Track{}, 100},
		"positive, ok":            {TrackRef{ID: "script/a", Weight: 20}, ok, 120},
		"positive, fails":         {TrackRef{ID: "script/a", Weight: 20}, fails, 100},
		"negative, ok":            {TrackRef{ID: "script/a", Weight: -20}, ok, 100},
		"negative, fails":         {TrackRef{ID: "script/a", Weight: -20}, fails, 80},
		"positive, ok, reverse":   {TrackRef{ID: "script/a", Weight: 20, Reverse: true}, ok, 100},
		"negative, ok, reverse":   {TrackRef{ID: "script/a", Weight: -20, Reverse: true}, ok, 80},
		"hard, fails":             {TrackRef{ID: "process/a"}, fails, -1},
		"hard, ok, reverse":       {TrackRef{ID: "process/a", Reverse: true}, ok, -1},
		"clamped above":           {TrackRef{ID: "script/a", Weight: 253}, ok, 254},
		"clamped below":           {TrackRef{ID: "script/a", Weight: -253}, fails, 1},
		"file":                    {TrackRef{ID: "file/a", Weight: 2}, file(-10), 80},
		"file, reverse":           {TrackRef{ID: "file/a", Weight: 2, Reverse: true}, file(-10), 120},
		"file, hard, zero":        {TrackRef{ID: "file/a"}, file(0), 100},
		"file, hard, not zero":    {TrackRef{ID: "file/a"}, file(1), -1},
		"file, product too small": {TrackRef{ID: "file/a", Weight: -127}, file(2), -1},
	} {
		t.Run(name, func(t *testing.T) {
			i := sample(3, IPv4)
			i.Tracks = []TrackRef{c.ref}
			r, _ := boot(t, i)
			c.val.ID = c.ref.ID
			r.step(c.val)
			s := r.ms.Snapshot()[0]
			if c.want < 0 {
				if s.State != Fault {
					t.Fatalf("%+v", s)
				}
				return
			}
			if int(s.Priority) != c.want || s.State == Fault {
				t.Fatalf("priority %d, want %d (%s)", s.Priority, c.want, s.State)
			}
		})
	}
}

func TestTrackInterfaces(t *testing.T) {
	i := sample(3, IPv4)
	i.TrackInterfaces = []TrackInterface{{Name: "eth1", Weight: 10}, {Name: "eth2", Weight: -40}}
	r, _ := boot(t, i)
	if p := r.ms.Snapshot()[0].Priority; p != 70 {
		t.Fatal(p)
	}
	r.step(up("eth2"))
	if p := r.ms.Snapshot()[0].Priority; p != 110 {
		t.Fatal(p)
	}
	i.TrackInterfaces = []TrackInterface{{Name: "eth1"}}
	r, _ = boot(t, i)
	r.shows(r.step(Link{Name: "eth1"}), "BACKUP>FAULT")
}

func TestGroupDropsWeightsOfMembers(t *testing.T) {
	i := sample(3, IPv4)
	i.Tracks = []TrackRef{{ID: "script/a", Weight: -20}, {ID: "file/b", Weight: 1}}
	g := Group{Name: "G", Members: []ID{i.ID()}, Tracks: []TrackRef{{ID: "script/g", Weight: -5}}}
	r, _ := bootConfig(t, Config{Instances: []Instance{i}, Groups: []Group{g}})
	r.step(Track{ID: "script/a", Known: true})
	r.step(Track{ID: "script/g", Known: true})
	if p := r.ms.Snapshot()[0].Priority; p != 95 {
		t.Fatal(p)
	}
	r.step(Track{ID: "file/b", Known: true, Value: 3})
	r.want(i.ID(), Fault)
	g.TrackingWeight = true
	r.ms.Apply(r.now, Config{Instances: []Instance{i}, Groups: []Group{g}})
	if s := r.ms.Snapshot()[0]; s.State != Backup || s.Priority != 78 {
		t.Fatalf("%+v", s)
	}
}

func TestAdoptedPriorityStaysUntilTracksAreKnown(t *testing.T) {
	i := sample(3, IPv4)
	i.Tracks = []TrackRef{{ID: "script/a", Weight: 50}}
	r := &rig{t: t, ms: New(), now: t0}
	r.step(up("eth0"))
	r.ms.Apply(r.now, Config{Instances: []Instance{i}})
	r.shows(r.step(Adopt{Instances: []Adopted{{ID: i.ID(), State: Master, Priority: 150}}}), "send 150, hold 2, announce 2x5, INIT>MASTER")
	r.shows(r.step(Track{ID: "script/a", Known: true, OK: true}), "")
	r.shows(r.step(Track{ID: "script/a", Known: true}), "notice priority, send 100")
}

func TestInitWaitsForTheFirstResultOfAScript(t *testing.T) {
	i := sample(3, IPv4)
	i.Tracks = []TrackRef{{ID: "script/hard"}, {ID: "script/soft", Weight: 5}}
	for _, c := range []struct {
		name  string
		event Event
		after time.Duration
		want  string
	}{
		{"it succeeds", Track{ID: "script/hard", Known: true, OK: true}, time.Second, "INIT>BACKUP"},
		{"it fails", Track{ID: "script/hard", Known: true}, time.Second, "INIT>FAULT"},
		{"the link goes", Link{Name: "eth0", Exists: true}, time.Second, "INIT>FAULT"},
		{"another has a result", Track{ID: "script/soft", Known: true}, time.Second, ""},
		{"none comes", Track{ID: "script/soft", Known: true}, ScriptPatience, "notice start_without_result, INIT>BACKUP"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &rig{t: t, ms: New(), now: t0}
			r.step(up("eth0"))
			r.ms.Apply(r.now, Config{Instances: []Instance{i}})
			r.shows(r.run(0), "")
			r.want(i.ID(), Init)
			r.step(c.event)
			r.shows(r.run(c.after), c.want)
		})
	}
	// Who runs already goes on when a reload brings a script; who is new waits.
	r, _ := boot(t, sample(3, IPv4))
	other := i
	other.VRID++
	r.ms.Apply(r.now, Config{Instances: []Instance{i, other}})
	r.run(time.Second)
	r.want(i.ID(), Backup)
	r.want(other.ID(), Init)
	// An adopted one does not wait either.
	r = &rig{t: t, ms: New(), now: t0}
	r.step(up("eth0"))
	r.ms.Apply(r.now, Config{Instances: []Instance{i}})
	r.step(Adopt{Instances: []Adopted{{ID: i.ID(), State: Backup, Priority: 100}}})
	r.want(i.ID(), Backup)
}

func TestReloadInPlace(t *testing.T) {
	i := sample(3, IPv4)
	r := master(t, i)
	apply := func(change func(*Instance)) []Action {
		change(&i)
		return r.ms.Apply(r.now, Config{Instances: []Instance{i}, TransitionWindow: time.Minute})
	}
	r.shows(apply(func(i *Instance) { i.Name = "renamed" }), "")
	r.shows(apply(func(i *Instance) { i.Priority = 120 }), "notice priority, send 120")
	r.shows(apply(func(i *Instance) { i.Interval = 500 * time.Millisecond }), "send 120")
	r.shows(r.run(500*time.Millisecond), "send 120")
	vip3 := Address{Prefix: netip.MustParsePrefix("192.0.2.103/32")}
	r.shows(apply(func(i *Instance) { i.Addresses = []Address{vip1, vip2, vip3} }), "send 120, hold 3, announce 1x5")
	r.shows(apply(func(i *Instance) { i.Addresses = []Address{vip1, vip3} }), "send 120, hold 2")
	r.shows(apply(func(i *Instance) { i.Addresses = []Address{vip2, vip3} }), "send 120, hold 3, hold 2, announce 1x5")
	r.shows(apply(func(i *Instance) { i.Routes = []Route{{Type: "unicast", Interface: "eth1"}} }), "hold 2")
	r.shows(apply(func(i *Instance) { i.Version = 2; i.Interval = time.Second }), "notice window, send 120")
	r.want(i.ID(), Master)
	// Both forms go out and are accepted for a minute.
	if out := r.ms.Packet(Send{ID: i.ID(), Priority: 120}, addrB); len(out) != 2 || out[0].Payload[0] != 0x21 || out[1].Payload[0] != 0x31 {
		t.Fatalf("%x", out)
	}
	if n := len(r.ms.Spoken()); n != 2 {
		t.Fatal(n)
	}
	r.run(time.Minute)
	if n := len(r.ms.Spoken()); n != 1 {
		t.Fatal(n)
	}
	if out := r.ms.Packet(Send{ID: i.ID(), Priority: 120}, addrB); len(out) != 1 {
		t.Fatalf("%x", out)
	}
	r.shows(r.step(Link{Name: "eth1"}), "send 0, send 0, hold 0, MASTER>FAULT") // the route's interface
	r.step(up("eth1"))
	r.run(5 * time.Second)
	r.shows(r.ms.Apply(r.now, Config{}), "send 0, send 0, hold 0, MASTER>INIT")
	if out := r.ms.Packet(Send{ID: i.ID()}, addrB); len(out) != 1 {
		t.Fatal("the farewell of a removed instance cannot be built")
	}
	if len(r.ms.Snapshot()) != 0 {
		t.Fatal("still there")
	}
}

func TestAddressMovesBetweenInstances(t *testing.T) {
	i, j := sample(3, IPv4), sample(3, IPv4)
	j.VRID, j.Addresses = 52, []Address{{Prefix: netip.MustParsePrefix("192.0.2.110/32")}}
	r, _ := boot(t, i, j)
	r.run(4 * time.Second)
	i.Addresses, j.Addresses = []Address{vip1}, append([]Address{vip2}, j.Addresses...)
	var holds []Hold
	for _, a := range r.ms.Apply(r.now, Config{Instances: []Instance{j, i}}) {
		if h, ok := a.(Hold); ok {
			holds = append(holds, h)
		}
	}
	if len(holds) != 2 || holds[0].ID != j.ID() || holds[1].ID != i.ID() {
		t.Fatalf("take first, then let go: %v", holds)
	}
}

func TestFormerAuthenticationIsAcceptedInTheWindow(t *testing.T) {
	i := sample(2, IPv4)
	i.Auth = Auth{Type: "PASS", Key: "old"}
	r, _ := boot(t, i)
	old := packetOf(i, addrA, Group4, 200)
	i.Auth.Key = "new"
	r.ms.Apply(r.now, Config{Instances: []Instance{i}, TransitionWindow: 10 * time.Second})
	r.shows(r.ms.Receive(r.now, old), "")
	r.shows(r.ms.Receive(r.now, packetOf(i, addrA, Group4, 200)), "")
	r.run(3 * time.Second)
	r.ms.Receive(r.now, old)
	r.run(3 * time.Second)
	r.ms.Receive(r.now, old)
	r.run(3 * time.Second)
	r.ms.Receive(r.now, old)
	r.run(2 * time.Second)
	r.shows(r.ms.Receive(r.now, old), "refused auth_failure")
}

func TestLateWake(t *testing.T) {
	i := sample(3, IPv4)
	// Nobody else was there: carry on, and tell the segment again.
	r := master(t, i)
	r.after(10 * time.Second)
	a := r.step(Tick{})
	r.want(i.ID(), Master)
	if got := show(a); !strings.HasPrefix(got, "notice late_wake, send 100, announce 2x5") {
		t.Fatal(got)
	}
	// Somebody took over meanwhile, with whatever priority: no fight.
	r = master(t, i)
	r.after(10 * time.Second)
	r.shows(r.hear(i.ID(), 50, addrA), "hold 0, MASTER>BACKUP")
	r.shows(r.step(Tick{}), "")
	// A BACKUP that did not run does not believe its timer.
	r, _ = boot(t, i)
	r.hear(i.ID(), 200, addrA)
	r.after(10 * time.Second)
	r.shows(r.step(Tick{}), "notice late_wake")
	r.run(time.Second)
	r.want(i.ID(), Backup)
	r.run(time.Second)
	r.want(i.ID(), Master)
}

func TestUnicastRules(t *testing.T) {
	i := sample(3, IPv4)
	i.Peers = []Peer{{Addr: addrA, MinTTL: 254}, {Addr: netip.MustParseAddr("198.51.100.1")}}
	r, _ := boot(t, i)
	send := func(src netip.Addr, ttl uint8) string {
		p := packetOf(i, src, addrB, 200)
		p.TTL = ttl
		return show(r.ms.Receive(r.now, p))
	}
	for _, c := range []struct {
		src  string
		ttl  uint8
		want string
	}{
		{"192.0.2.1", 255, ""},
		{"192.0.2.1", 253, "refused ttl"},
		{"198.51.100.1", 3, ""},
		{"198.51.100.2", 255, "refused unknown_peer"},
	} {
		if got := send(netip.MustParseAddr(c.src), c.ttl); got != c.want {
			t.Errorf("%s ttl %d: got %q, want %q", c.src, c.ttl, got, c.want)
		}
	}
	r.shows(r.ms.Receive(r.now, packetOf(i, addrA, Group4, 200)), "refused transport")
	if out := r.ms.Packet(Send{ID: i.ID(), Priority: 1}, addrB); len(out) != 2 || out[1].Dst != i.Peers[1].Addr || out[0].TTL != 255 {
		t.Fatalf("%+v", out)
	}
	i.Peers, i.UnicastFaultNoPeer = nil, true
	r, _ = boot(t, i)
	r.want(i.ID(), Fault)
}

func TestBlockedConfigurationIsFault(t *testing.T) {
	i := sample(3, IPv4)
	i.Blocked = "line 7: unknown keyword"
	r, a := boot(t, i)
	r.shows(a, "INIT>FAULT")
	if s := r.ms.Snapshot()[0]; !strings.Contains(s.Reason, "line 7") {
		t.Fatal(s.Reason)
	}
	i.Blocked = ""
	r.shows(r.ms.Apply(r.now, Config{Instances: []Instance{i}}), "FAULT>BACKUP")
}

func TestAddressMismatchIsToldOnce(t *testing.T) {
	i := sample(3, IPv4)
	r, _ := boot(t, i)
	peer := i
	peer.Addresses = []Address{vip1}
	r.shows(r.ms.Receive(r.now, packetOf(peer, addrA, Group4, 200)), "notice address_mismatch")
	r.shows(r.ms.Receive(r.now, packetOf(peer, addrA, Group4, 200)), "")
	if n := r.ms.Snapshot()[0].Counters.AddressMismatch; n != 2 {
		t.Fatal(n)
	}
}

func TestGroupChangesKeepMaster(t *testing.T) {
	i, j := sample(3, IPv4), sample(3, IPv4)
	j.VRID, j.Name = 52, "VJ"
	r, _ := bootConfig(t, Config{Instances: []Instance{i}, Groups: []Group{{Name: "G", Members: []ID{i.ID()}}}})
	r.run(4 * time.Second)
	a := r.ms.Apply(r.now, Config{Instances: []Instance{i, j}, Groups: []Group{{Name: "G", Members: []ID{i.ID(), j.ID()}}}})
	r.shows(a, "send 100, hold 2, announce 2x5, INIT>MASTER")
	r.shows(r.ms.Apply(r.now, Config{Instances: []Instance{i, j}}), "")
	r.want(i.ID(), Master)
	r.shows(r.hear(j.ID(), 200, addrA), "hold 0, MASTER>BACKUP")
	r.want(i.ID(), Master)
	a = r.ms.Apply(r.now, Config{Instances: []Instance{i, j}, Groups: []Group{{Name: "H", Members: []ID{i.ID(), j.ID()}}}})
	r.shows(a, "send 0, hold 0, MASTER>BACKUP")
}

func TestHandoverOfAllIsAnsweredOnce(t *testing.T) {
	i, j, k := sample(3, IPv4), sample(3, IPv4), sample(3, IPv4)
	i.Name, j.Name, k.Name, j.VRID, k.VRID = "I", "J", "K", 52, 53
	cfg := Config{Instances: []Instance{i, j, k}, Groups: []Group{{Name: "G", Members: []ID{i.ID(), j.ID()}}}}
	r, _ := bootConfig(t, cfg)
	r.run(5 * time.Second)
	r.step(Handover{})
	r.hear(i.ID(), 50, addrA)
	r.hear(j.ID(), 50, addrA)
	a := r.hear(k.ID(), 50, addrA)
	r.shows(a, "hold 0, MASTER>BACKUP, notice handover_done, ended ok")

	// One that loses its link while it hands over for good stops nevertheless.
	r, _ = bootConfig(t, cfg)
	r.run(5 * time.Second)
	r.step(Release{})
	if got := show(r.step(Link{Name: "eth0"})); !strings.HasSuffix(got, "released") {
		t.Fatal(got)
	}
	// A reload that takes the group apart meanwhile: everybody speaks again.
	r, _ = bootConfig(t, cfg)
	r.run(5 * time.Second)
	r.step(Handover{Instance: "G"})
	r.shows(r.ms.Apply(r.now, Config{Instances: []Instance{i, j, k}}), "ended failed, send 100, send 100")
	if got := show(r.run(1100 * time.Millisecond)); strings.Count(got, "send 100") < 3 {
		t.Fatal(got)
	}
}

func TestAddressesTakenTooOftenAreFault(t *testing.T) {
	i := sample(3, IPv4)
	r := master(t, i)
	for n := range 4 {
		r.shows(r.step(Taken{ID: i.ID(), Prefix: vip1.Prefix}), "")
		r.run(10 * time.Second)
		if n == 0 {
			r.run(30 * time.Second)
		}
	}
	r.step(Taken{ID: i.ID(), Prefix: vip1.Prefix})
	r.want(i.ID(), Master) // the first is more than a minute ago
	r.shows(r.step(Taken{ID: i.ID(), Prefix: vip2.Prefix}), "")
	r.shows(r.step(Taken{ID: i.ID(), Prefix: vip1.Prefix}), "send 0, send 0, hold 0, MASTER>FAULT")
	r.shows(r.run(59*time.Second), "")
	r.shows(r.run(time.Second), "FAULT>BACKUP")
}

func TestPacedAnnouncements(t *testing.T) {
	i := sample(3, IPv4)
	i.Addresses = append(i.Addresses, Address{Prefix: netip.MustParsePrefix("2001:db8::1/64"), Excluded: true})
	i.Gratuitous.Interval = 10 * time.Millisecond
	i.Gratuitous.Repeat = 2
	r, _ := boot(t, i)
	r.shows(r.run(TakeoverTime(i)), "send 100, hold 3, announce 1x2, announce 1x1, BACKUP>MASTER")
	r.shows(r.run(9*time.Millisecond), "")
	r.shows(r.run(time.Millisecond), "announce 1x1")
	r.shows(r.run(20*time.Millisecond), "announce 1x1, announce 1x1")
	r.shows(r.run(500*time.Millisecond), "")
	// Losing the addresses ends it.
	r.ms.announce(r.now, r.ms.byID[i.ID()], i.Addresses, 5)
	r.hear(i.ID(), 200, addrA)
	r.shows(r.run(time.Second), "")
}

func TestBalancerThatCanNeverServeIsNotAway(t *testing.T) {
	i := sample(3, IPv4)
	i.Serves = true
	r, _ := bootConfig(t, Config{Instances: []Instance{i}, HoldWithoutBalancer: 30 * time.Second})
	r.step(Ready{Lasting: true, Reason: "no IPVS"})
	r.run(5 * time.Second)
	r.want(i.ID(), Master)
	r.step(Ready{Away: true, Reason: "it died"})
	r.run(10 * time.Second)
	r.step(Ready{Lasting: true, Reason: "no IPVS"})
	r.run(time.Minute)
	r.want(i.ID(), Master)
}

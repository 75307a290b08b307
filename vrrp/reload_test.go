package vrrp

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

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

// TestRenamingChangesNothing: the identity is (interface, family, VRID), for instances and for the members of a group.
func TestRenamingChangesNothing(t *testing.T) {
	a, b := sample(3, IPv4), sample(3, IPv4)
	b.VRID, b.Interface, b.Name = 52, "eth1", "VI2"
	c := Config{Instances: []Instance{a, b}, Groups: []Group{{Name: "G", Members: []ID{a.ID(), b.ID()}}}, TransitionWindow: time.Minute}
	r, _ := bootConfig(t, c)
	r.run(TakeoverTime(a))
	r.want(a.ID(), Master)
	before, _ := r.ms.Deadline()
	a.Name, b.Name = "other", "names"
	r.shows(r.ms.Apply(r.now, Config{Instances: []Instance{b, a}, Groups: []Group{{Name: "H", Members: []ID{a.ID(), b.ID()}}}, TransitionWindow: time.Minute}), "")
	r.want(a.ID(), Master)
	r.want(b.ID(), Master)
	if at, _ := r.ms.Deadline(); !at.Equal(before) {
		t.Errorf("the next advert is due at %s, was %s", at, before)
	}
	names := ""
	for _, s := range r.ms.Snapshot() {
		names += s.Name + " " + s.Group + " "
	}
	if names != "names H other H " {
		t.Error(names)
	}
}

package vrrp

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

var t0 = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// rig is one router under test with a clock of its own.
type rig struct {
	t   *testing.T
	ms  *Machines
	now time.Time
	cfg Config
}

func up(name string) Link {
	return Link{Name: name, Exists: true, Up: true, Source4: addrB, Source6: netip.MustParseAddr("fe80::2")}
}

// boot starts a router with these instances on links that are up; every instance is BACKUP, or MASTER if it is an owner.
func boot(t *testing.T, instances ...Instance) (*rig, []Action) {
	return bootConfig(t, Config{Instances: instances})
}

func bootConfig(t *testing.T, cfg Config) (*rig, []Action) {
	r := &rig{t: t, ms: New(), now: t0, cfg: cfg}
	r.step(up("eth0"))
	r.step(up("eth1"))
	for _, i := range cfg.Instances { // INIT would wait for them
		for _, ref := range i.Tracks {
			if ref.script() && ref.Weight == 0 {
				r.step(Track{ID: ref.ID, Known: true, OK: !ref.Reverse})
			}
		}
	}
	if a := r.ms.Apply(r.now, cfg); len(a) != 0 {
		t.Fatalf("Apply of new instances acted: %s", show(a))
	}
	return r, r.step(Tick{})
}

func (r *rig) step(ev Event) []Action { return r.ms.Step(r.now, ev) }

func (r *rig) after(d time.Duration) *rig { r.now = r.now.Add(d); return r }

// run ticks at every deadline up to d from now.
func (r *rig) run(d time.Duration) []Action {
	end := r.now.Add(d)
	var out []Action
	for {
		at, ok := r.ms.Deadline()
		if !ok || at.After(end) {
			r.now = end
			return out
		}
		r.now = later(r.now, at)
		out = append(out, r.step(Tick{})...)
	}
}

func (r *rig) hear(id ID, prio uint8, from netip.Addr) []Action {
	m := r.ms.byID[id]
	a := Advert{Version: m.cfg.Version, VRID: id.VRID, Priority: prio, Interval: m.cfg.Interval, Addresses: m.cfg.advertised()}
	return r.step(Received{ID: id, Advert: a, From: from})
}

func (r *rig) state(id ID) State {
	for _, s := range r.ms.Snapshot() {
		if s.ID == id {
			return s.State
		}
	}
	return 99
}

func (r *rig) want(id ID, s State) {
	r.t.Helper()
	if got := r.state(id); got != s {
		r.t.Fatalf("%s is %s, want %s", id, got, s)
	}
}

// show writes actions as one short line each, for comparison.
func show(as []Action) string {
	var out []string
	for _, a := range as {
		switch a := a.(type) {
		case Send:
			out = append(out, fmt.Sprintf("send %d", a.Priority))
		case Hold:
			out = append(out, fmt.Sprintf("hold %d", len(a.Addresses)))
		case Announce:
			out = append(out, fmt.Sprintf("announce %dx%d", len(a.Addresses), a.Repeat))
		case Transition:
			out = append(out, fmt.Sprintf("%s>%s", a.From, a.To))
		case Refused:
			out = append(out, "refused "+string(a.Refusal.Reason))
		case Notice:
			out = append(out, "notice "+a.Kind)
		case HandoverEnded:
			if a.Error == "" {
				out = append(out, "ended ok")
			} else {
				out = append(out, "ended failed")
			}
		case Released:
			out = append(out, "released")
		}
	}
	return strings.Join(out, ", ")
}

func (r *rig) shows(as []Action, want string) {
	r.t.Helper()
	if got := show(as); got != want {
		r.t.Fatalf("actions\n got: %s\nwant: %s", got, want)
	}
}

func master(t *testing.T, i Instance) *rig {
	r, _ := boot(t, i)
	r.run(TakeoverTime(i))
	r.want(i.ID(), Master)
	return r
}

func TestStartAndTakeOver(t *testing.T) {
	i := sample(3, IPv4)
	r, a := boot(t, i)
	r.shows(a, "INIT>BACKUP")
	down := 3*time.Second + 156*time.Second/256
	if got, _ := r.ms.Deadline(); !got.Equal(t0.Add(down)) {
		t.Fatalf("master-down after %s, want %s", got.Sub(t0), down)
	}
	r.shows(r.run(down-time.Nanosecond), "")
	r.shows(r.run(time.Nanosecond), "send 100, hold 2, announce 2x5, BACKUP>MASTER")
	r.shows(r.run(time.Second), "send 100")
	r.shows(r.run(4*time.Second), "send 100, send 100, send 100, send 100, announce 2x5")
}

func TestV2SkewIsOfASecond(t *testing.T) {
	i := sample(2, IPv4)
	i.Interval = 4 * time.Second
	if got, want := TakeoverTime(i), 12*time.Second+156*time.Second/256; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

func TestOwnerIsMasterAtOnce(t *testing.T) {
	i := sample(3, IPv4)
	i.Priority = 255
	_, a := boot(t, i)
	if got := show(a); got != "send 255, hold 2, announce 2x5, INIT>MASTER" {
		t.Fatal(got)
	}
}

func TestUnchangedApplyDoesNothing(t *testing.T) {
	i := sample(3, IPv4)
	j := sample(2, IPv4)
	j.VRID, j.Priority = 52, 120
	k := sample(3, IPv6)
	cfg := Config{Instances: []Instance{i, j, k}, Groups: []Group{{Name: "G", Members: []ID{i.ID(), j.ID()}}}}
	r, _ := bootConfig(t, cfg)
	for range 12 {
		r.run(time.Second / 2)
		before := r.ms.Snapshot()
		deadline, _ := r.ms.Deadline()
		r.shows(r.ms.Apply(r.now, cfg), "")
		after, _ := r.ms.Deadline()
		if !reflect.DeepEqual(before, r.ms.Snapshot()) || !deadline.Equal(after) {
			t.Fatal("an unchanged configuration changed something")
		}
	}
	r.want(i.ID(), Master)
}

func TestMasterDownAdoptsInterval(t *testing.T) {
	i := sample(3, IPv4)
	r, _ := boot(t, i)
	m := r.ms.byID[i.ID()]
	r.step(Received{ID: i.ID(), From: addrA, Advert: Advert{Version: 3, VRID: 51, Priority: 200, Interval: 100 * time.Millisecond, Addresses: i.advertised()}})
	if got, want := m.masterDown(), 300*time.Millisecond+156*100*time.Millisecond/256; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	r.run(m.masterDown())
	r.want(i.ID(), Master)
	if at, _ := r.ms.Deadline(); !at.Equal(r.now.Add(time.Second)) {
		t.Fatal("a MASTER keeps its own interval")
	}
}

func TestLinkLossAndReturn(t *testing.T) {
	i := sample(3, IPv4)
	r := master(t, i)
	r.shows(r.step(Link{Name: "eth0", Exists: true, Source4: addrB}), "send 0, send 0, hold 0, MASTER>FAULT")
	if s := r.ms.Snapshot()[0]; s.Reason != "interface eth0 is down" || len(s.Faults) != 1 {
		t.Fatalf("%+v", s)
	}
	r.shows(r.step(Link{Name: "eth0"}), "notice fault_changed")
	r.shows(r.run(time.Minute), "")
	r.shows(r.step(up("eth0")), "FAULT>BACKUP")
	r.shows(r.run(TakeoverTime(i)-1), "")
	r.shows(r.run(1), "send 100, hold 2, announce 2x5, BACKUP>MASTER")
}

func TestUnknownInterfaceIsFault(t *testing.T) {
	i := sample(3, IPv4)
	i.Interface = "eth9"
	r, a := boot(t, i)
	r.shows(a, "INIT>FAULT")
	r.shows(r.step(Link{Name: "eth9", Exists: true, Up: true}), "notice fault_changed")
	r.shows(r.step(up("eth9")), "FAULT>BACKUP")
}

func TestPlannedStop(t *testing.T) {
	i := sample(3, IPv4)
	r := master(t, i)
	r.shows(r.step(Release{}), "send 0")
	r.shows(r.run(5*time.Millisecond), "send 0")
	r.shows(r.hear(i.ID(), 0, addrA), "")
	r.shows(r.hear(i.ID(), 90, addrA), "hold 0, MASTER>INIT, released")
	if _, ok := r.ms.Deadline(); ok {
		t.Fatal("something still waits")
	}
	r.shows(r.hear(i.ID(), 90, addrA), "")
}

func TestPlannedStopWithoutSuccessor(t *testing.T) {
	i := sample(3, IPv4)
	r := master(t, i)
	r.step(Release{})
	began := r.now
	var all []Action
	for len(all) == 0 || show(all[len(all)-1:]) != "released" {
		at, ok := r.ms.Deadline()
		if !ok {
			t.Fatal("waits for ever")
		}
		r.now = at
		all = append(all, r.step(Tick{})...)
	}
	r.shows(all, "send 0, send 0, hold 0, MASTER>INIT, released")
	if d := r.now.Sub(began); d < 2*time.Second-4*time.Millisecond || d > 2200*time.Millisecond {
		t.Fatalf("took %s", d)
	}
}

func TestReleaseOfBackupAndNow(t *testing.T) {
	i := sample(3, IPv4)
	r, _ := boot(t, i)
	r.shows(r.step(Release{}), "BACKUP>INIT, released")
	r = master(t, i)
	r.step(Release{})
	r.shows(r.step(ReleaseNow{}), "send 0, hold 0, MASTER>INIT, released")
	r, _ = boot(t)
	r.shows(r.step(Release{}), "released")
}

func TestAdoption(t *testing.T) {
	i, j := sample(3, IPv4), sample(3, IPv4)
	j.VRID = 52
	r := &rig{t: t, ms: New(), now: t0}
	r.shows(r.ms.Apply(r.now, Config{Instances: []Instance{i, j}}), "")
	r.step(up("eth0"))
	a := r.step(Adopt{Instances: []Adopted{{ID: i.ID(), State: Master, Priority: 100}, {ID: j.ID(), State: Backup, Priority: 100}}})
	r.shows(a, "send 100, hold 2, announce 2x5, INIT>MASTER, INIT>BACKUP")
	for _, x := range a {
		if tr, ok := x.(Transition); ok && tr.Reason != ReasonAdopted {
			t.Fatal(tr)
		}
	}
	r.shows(r.step(Tick{}), "")
	if c := r.ms.Snapshot()[0].Counters.BecameMaster; c != 0 {
		t.Fatalf("became master %d times", c)
	}
	if at, _ := r.ms.Deadline(); !at.Equal(t0.Add(time.Second)) {
		t.Fatal("next advert")
	}
	r.hear(j.ID(), 200, addrA)
	r.want(j.ID(), Backup)
}

func TestReceiveRefusesByName(t *testing.T) {
	i := sample(2, IPv4)
	i.Auth = Auth{Type: "PASS", Key: "right"}
	for name, c := range map[string]struct {
		peer   func(*Instance)
		packet func(*Packet)
		want   Reason
	}{
		"version":   {peer: func(i *Instance) { i.Version = 3 }, want: ReasonVersion},
		"no auth":   {peer: func(i *Instance) { i.Auth = Auth{} }, want: ReasonAuthType},
		"bad auth":  {peer: func(i *Instance) { i.Auth.Key = "wrong" }, want: ReasonAuthFailure},
		"interval":  {peer: func(i *Instance) { i.Interval = 2 * time.Second }, want: ReasonInterval},
		"unicast":   {packet: func(p *Packet) { p.Dst = addrB }, want: ReasonTransport},
		"own":       {packet: func(p *Packet) { p.Src = addrB }, want: ReasonOwn},
		"ttl":       {packet: func(p *Packet) { p.TTL = 254 }, want: ReasonTTL},
		"checksum":  {packet: func(p *Packet) { p.Payload[9]++ }, want: ReasonChecksum},
		"truncated": {packet: func(p *Packet) { p.Payload = p.Payload[:12] }, want: ReasonTruncated},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := boot(t, i)
			peer := i
			if c.peer != nil {
				c.peer(&peer)
			}
			p := packetOf(peer, addrA, Group4, 200)
			if c.packet != nil {
				c.packet(&p)
			}
			before, _ := r.ms.Deadline()
			r.after(time.Second)
			r.shows(r.ms.Receive(r.now, p), "refused "+string(c.want))
			after, _ := r.ms.Deadline()
			if !before.Equal(after) || r.ms.Snapshot()[0].Counters.Refused[string(c.want)] != 1 {
				t.Fatal("more happened than a refusal")
			}
		})
	}
	r, _ := boot(t, i)
	p := packetOf(i, addrA, Group4, 200)
	r.shows(r.ms.Receive(r.now, p), "")
	p = packetOf(sample(3, IPv4), addrA, Group4, 200)
	p.Interface = "eth7"
	r.ms.Receive(r.now, p)
	r.ms.Receive(r.now, Packet{})
	if u := r.ms.Unknown(); u["vrid"] != 1 || u["protocol"] != 1 || len(r.ms.Foreign()) != 1 {
		t.Fatal(u, r.ms.Foreign())
	}
}

func TestSyncGroupMovesAsOne(t *testing.T) {
	i, j := sample(3, IPv4), sample(3, IPv4)
	i.Name, j.Name, j.VRID, j.Interface, j.Priority = "A", "B", 52, "eth1", 90
	cfg := Config{Instances: []Instance{i, j}, Groups: []Group{{Name: "G", Members: []ID{i.ID(), j.ID()}}}}
	r, a := bootConfig(t, cfg)
	r.shows(a, "INIT>BACKUP, INIT>BACKUP")
	// B has a living master, A has none: nobody moves.
	for range 20 {
		r.hear(j.ID(), 90, addrA)
		r.run(time.Second / 2)
		r.want(i.ID(), Backup)
	}
	r.run(5 * time.Second)
	r.want(i.ID(), Master)
	r.want(j.ID(), Master)
	a = r.step(Link{Name: "eth1"})
	r.shows(a, "send 0, send 0, send 0, send 0, hold 0, hold 0, MASTER>FAULT, MASTER>FAULT")
	if last := a[len(a)-1].(Transition); last.Group != "G" || !strings.Contains(last.Reason, "eth1") {
		t.Fatal(last)
	}
	r.shows(r.step(up("eth1")), "FAULT>BACKUP, FAULT>BACKUP")
	r.run(5 * time.Second)
	r.want(j.ID(), Master)
	a = r.hear(i.ID(), 200, addrA)
	r.shows(a, "hold 0, hold 0, MASTER>BACKUP, MASTER>BACKUP")
	r.run(5 * time.Second)
	r.want(j.ID(), Master)
	// The hand-over waits for the successor of each.
	r.step(Release{})
	r.shows(r.hear(i.ID(), 50, addrA), "")
	r.shows(r.hear(j.ID(), 50, addrA), "hold 0, hold 0, MASTER>INIT, MASTER>INIT, released")
}

package vrrp

import (
	"testing"
	"time"
)

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

func TestAChangeOfPrioritySaysItsSum(t *testing.T) {
	i := sample(3, IPv4)
	i.Tracks = []TrackRef{{ID: "script/web", Weight: -20}, {ID: "process/db", Weight: 5}, {ID: "file/load", Weight: 2}, {ID: "script/new", Weight: 7}}
	i.TrackInterfaces = []TrackInterface{{Name: "eth1", Weight: 10}}
	r, _ := boot(t, i)
	r.step(Track{ID: "file/load", Known: true, Value: 3})
	r.step(Track{ID: "process/db", Known: true})
	r.step(up("eth1"))
	for _, a := range r.step(Track{ID: "script/web", Known: true}) {
		if n, ok := a.(Notice); ok && n.Kind == "priority" {
			want := "effective priority 96, was 116: base 100, +10 interface eth1 is up, -20 script web fails, no +5, process db fails, +6 file load is 3"
			if n.Detail != want {
				t.Errorf("got  %s\nwant %s", n.Detail, want)
			}
			return
		}
	}
	t.Error("the change was not told")
}

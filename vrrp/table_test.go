package vrrp

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

// TestStateEventTable has a row for every event in every state: what is done, and the state afterwards. The instance has priority 100, address
// .2, three members of the LAN around it; every event meets a fresh machine 100 ms after it entered the state.
func TestStateEventTable(t *testing.T) {
	i := sample(3, IPv4)
	i.Tracks = []TrackRef{{ID: "script/weighted", Weight: -30}, {ID: "script/hard"}}
	id := i.ID()
	enter := map[State]func(t *testing.T) *rig{
		Init: func(t *testing.T) *rig {
			r := &rig{t: t, ms: New(), now: t0}
			r.step(up("eth0"))
			r.ms.Apply(r.now, Config{Instances: []Instance{i}, StartupDelay: time.Hour})
			return r
		},
		Backup: func(t *testing.T) *rig { r, _ := boot(t, i); return r },
		Master: func(t *testing.T) *rig { return master(t, i) },
		Fault: func(t *testing.T) *rig {
			r, _ := boot(t, i)
			r.step(Trouble{ID: id, Kind: "test", Detail: "made for the test"})
			return r
		},
	}
	advert := func(prio uint8) Event {
		return Received{ID: id, From: addrA, Advert: Advert{Version: 3, VRID: 51, Priority: prio, Interval: time.Second, Addresses: i.advertised()}}
	}
	fromAbove := advert(100).(Received)
	fromAbove.From = addrB.Next()
	type cell struct {
		actions string
		state   State
	}
	type row struct {
		name  string
		event Event
		want  map[State]cell
	}
	same := func(x string, s ...State) map[State]cell {
		out := map[State]cell{}
		for _, k := range s {
			out[k] = cell{x, k}
		}
		return out
	}
	nothing := func() map[State]cell { return same("", Init, Backup, Master, Fault) }
	with := func(m map[State]cell, s State, actions string, to State) map[State]cell {
		m[s] = cell{actions, to}
		return m
	}
	down := Link{Name: "eth0", Exists: true, Source4: addrB}
	gone := Link{Name: "eth0"}
	bare := Link{Name: "eth0", Exists: true, Up: true}
	rows := []row{
		{"tick before anything is due", Tick{}, nothing()},
		{"advert of priority 0", advert(0), with(nothing(), Master, "send 100", Master)},
		{"lower priority", advert(50), with(with(nothing(), Backup, "notice lower_priority", Backup), Master, "notice master_rx_lower_pri, send 100, announce 2x5", Master)},
		{"equal priority, lower address", advert(100), with(nothing(), Master, "notice master_rx_lower_pri, send 100, announce 2x5", Master)},
		{"equal priority, higher address", fromAbove, with(nothing(), Master, "hold 0, MASTER>BACKUP", Backup)},
		{"higher priority", advert(150), with(nothing(), Master, "hold 0, MASTER>BACKUP", Backup)},
		{"owner", advert(255), with(nothing(), Master, "hold 0, MASTER>BACKUP", Backup)},
		{"refused advert", Received{ID: id, From: addrA, Refusal: &Refusal{Reason: ReasonChecksum, From: addrA, Detail: "x"}}, same("refused checksum", Init, Backup, Master, Fault)},
		{"boot time", Booted{For: time.Hour}, nothing()},
		{"advert for nobody", Received{ID: ID{Interface: "eth0", Family: IPv4, VRID: 99}}, nothing()},
		{"link unchanged", up("eth0"), nothing()},
		{"link down", down, with(with(with(nothing(), Backup, "BACKUP>FAULT", Fault), Master, "send 0, send 0, hold 0, MASTER>FAULT", Fault), Fault, "notice fault_changed", Fault)},
		{"link gone", gone, with(with(with(nothing(), Backup, "BACKUP>FAULT", Fault), Master, "send 0, send 0, hold 0, MASTER>FAULT", Fault), Fault, "notice fault_changed", Fault)},
		{"link without address", bare, with(with(with(nothing(), Backup, "BACKUP>FAULT", Fault), Master, "send 0, send 0, hold 0, MASTER>FAULT", Fault), Fault, "notice fault_changed", Fault)},
		{"another link down", Link{Name: "eth1"}, nothing()},
		{"weighted track fails", Track{ID: "script/weighted", Known: true}, with(with(with(nothing(), Backup, "notice priority", Backup), Master, "notice priority, send 70", Master), Fault, "notice priority", Fault)},
		{"weighted track passes", Track{ID: "script/weighted", Known: true, OK: true}, nothing()},
		{"track unknown", Track{ID: "script/hard"}, nothing()},
		{"hard track fails", Track{ID: "script/hard", Known: true}, with(with(with(nothing(), Backup, "BACKUP>FAULT", Fault), Master, "send 0, send 0, hold 0, MASTER>FAULT", Fault), Fault, "notice fault_changed", Fault)},
		{"hard track passes", Track{ID: "script/hard", Known: true, OK: true}, nothing()},
		{"foreign track", Track{ID: "script/other", Known: true}, nothing()},
		{"ready", Ready{OK: true}, nothing()},
		{"balancer away", Ready{Away: true}, nothing()},
		{"trouble", Trouble{ID: id, Kind: "address", Detail: "cannot add"}, with(with(with(nothing(), Backup, "BACKUP>FAULT", Fault), Master, "send 0, send 0, hold 0, MASTER>FAULT", Fault), Fault, "notice fault_changed", Fault)},
		{"trouble over", Trouble{ID: id, Kind: "test"}, with(nothing(), Fault, "FAULT>BACKUP", Backup)},
		{"trouble of nobody", Trouble{ID: ID{}, Kind: "x", Detail: "y"}, nothing()},
		{"address taken", Taken{ID: id, Prefix: vip1.Prefix}, nothing()},
		{"address denied", Denied{ID: id, Addresses: []DeniedAddress{{Prefix: vip1.Prefix, Interface: "eth0", Reason: "no"}}}, with(nothing(), Master, "notice address_denied", Master)},
		{"release", Release{}, map[State]cell{Init: {"released", Init}, Backup: {"BACKUP>INIT, released", Init}, Master: {"send 0", Master}, Fault: {"FAULT>INIT, released", Init}}},
		{"release now", ReleaseNow{}, map[State]cell{Init: {"released", Init}, Backup: {"BACKUP>INIT, released", Init}, Master: {"send 0, hold 0, MASTER>INIT, released", Init}, Fault: {"FAULT>INIT, released", Init}}},
		{"handover", Handover{}, with(same("notice handover_done, ended ok", Init, Backup, Fault), Master, "send 0", Master)},
		{"handover of another", Handover{Instance: "other"}, same("ended failed", Init, Backup, Master, Fault)},
		{"cancel of no handover", Handover{Cancel: true}, same("ended ok", Init, Backup, Master, Fault)},
		{"adopt as MASTER", Adopt{Instances: []Adopted{{ID: id, State: Master, Priority: 100}}}, with(nothing(), Init, "send 100, hold 2, announce 2x5, INIT>MASTER", Master)},
		{"adopt as BACKUP", Adopt{Instances: []Adopted{{ID: id, State: Backup, Priority: 100}}}, with(nothing(), Init, "INIT>BACKUP", Backup)},
		{"sequences of a former process", Sequences{ID: id, Sent: 1}, nothing()},
		{"adopt as FAULT", Adopt{Instances: []Adopted{{ID: id, State: Fault}}}, nothing()},
	}
	named := map[string]bool{}
	for _, row := range rows {
		named[reflect.TypeOf(row.event).Name()] = true
	}
	for _, name := range eventTypes(t) {
		if !named[name] {
			t.Errorf("no row for the event %s", name)
		}
	}
	for _, row := range rows {
		for _, s := range []State{Init, Backup, Master, Fault} {
			want, ok := row.want[s]
			if !ok {
				t.Errorf("%s in %s: a hole in the table", row.name, s)
				continue
			}
			t.Run(row.name+"/"+s.String(), func(t *testing.T) {
				r := enter[s](t)
				r.want(id, s)
				r.after(100 * time.Millisecond)
				r.shows(r.step(row.event), want.actions)
				r.want(id, want.state)
			})
		}
	}
}

// eventTypes are the types of this package with a method event.
func eventTypes(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, name := range names {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name == "event" && fn.Recv != nil {
				out = append(out, fn.Recv.List[0].Type.(*ast.Ident).Name)
			}
		}
	}
	if len(out) < 12 {
		t.Fatalf("only %v", out)
	}
	return out
}

package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/internal/event"
)

func sampleStatus() control.Status {
	down := control.RealServer{ID: "10.0.0.2:80", Forward: "DR", Configured: 1, Checks: []control.Check{{Kind: "TCP_CHECK", Ran: true, Reason: "refused", Detail: "connection refused"}}}
	drained := control.RealServer{ID: "10.0.0.3:80", Forward: "DR", Up: true, Draining: true, DrainedBy: "ann", DrainWhy: "new disk", DrainSince: time.Now().Add(-90 * time.Second), DrainUntil: time.Now().Add(time.Hour), InTable: true, Configured: 2, Traffic: &control.Traffic{Active: 4, Inactive: 1}}
	return control.Status{
		Version: "1.0", NotReady: "not every check has run yet",
		Config: control.Config{File: "/etc/holdfast/holdfast.yaml", Generation: 3, Rejected: "a.conf:3:5: error: bad", Problems: []string{"eth7 is missing"}},
		Router: control.Router{PID: 42, UnknownAdverts: map[string]uint64{"vrid": 2}},
		Kernel: &control.IPVS{Overrides: map[string]int{"TCP 192.0.2.1:80 10.0.0.3:80": 9}, Problems: []string{"add service: refused"}, Sync: &control.Sync{Daemons: []control.SyncDaemon{{Role: "master", Interface: "eth0", ID: 5}}, Counted: true, Learned: 2, Own: 7, Dropped: 3}},
		Instances: []control.Instance{{Name: "VI_1", Interface: "eth0", VRID: 51, State: "MASTER", Since: time.Now(), Priority: 130, BasePriority: 150,
			Addresses: []string{"192.0.2.1/24"}, Counters: control.Counters{Refused: map[string]uint64{"ttl": 3}}}},
		VirtualServers: []control.VirtualServer{{ID: "TCP 192.0.2.1:80", Scheduler: "rr", Servers: []control.RealServer{down, drained}}},
		Tracked:        []control.Tracked{{ID: "script/chk", Known: true}, {ID: "file/f", Known: true, Value: 7}},
		Events:         []event.Event{event.ConfigReload.With("SIGHUP")},
	}
}

func TestStatusShowsTroublesFirst(t *testing.T) {
	var out bytes.Buffer
	if err := printStatus(&out, sampleStatus(), "text"); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	last := -1
	for _, want := range []string{
		"router pid 42, configuration 3", "! the last reload was refused", "! waits: eth7 is missing", "! not ready: not every check", "! the kernel refuses: add service",
		"! weight set by hand: TCP 192.0.2.1:80 10.0.0.3:80 9", "! advertisements for nobody here: vrid 2", "connections are synchronised: master eth0 id 5; connections: 2 learned from a peer, 7 own; 3 MESSAGES LOST", "INSTANCE", "130 (base 150)", "this director", "[refused adverts: ttl 3]",
		"VIRTUAL SERVER TCP 192.0.2.1:80 (rr, QUORUM LOST)", "DOWN, not in the table", "TCP_CHECK DOWN: refused connection refused",
		"draining by ann (new disk) for 1m30s, 5 connections left, 1h0m0s at most", "TRACKED", "FAILED", "LAST EVENTS", "config.reload",
	} {
		at := strings.Index(text, want)
		if at < 0 || at < last {
			t.Errorf("%q is missing or out of order in\n%s", want, text)
		}
		last = max(at, 0)
	}
}

func TestStatusAsJSONIsWhatTheDaemonSaid(t *testing.T) {
	var out bytes.Buffer
	if err := printStatus(&out, sampleStatus(), "json"); err != nil {
		t.Fatal(err)
	}
	var back control.Status
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back.VirtualServers[0].Servers[1].DrainWhy != "new disk" || back.Instances[0].State != "MASTER" {
		t.Errorf("%v\n%s", err, out.String())
	}
}

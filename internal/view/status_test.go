package view

import (
	"bytes"
	"fmt"
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
	if err := Status(&out, sampleStatus(), sampleStatus()); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	last := -1
	for _, want := range []string{
		"router pid 42, configuration 3", "1 instance: 1 MASTER", "1 virtual server: 1 without quorum; 2 real servers: 1 down, 1 draining", "1 of 2 tracked things failed", "! the last reload was refused", "! waits: eth7 is missing", "! not ready: not every check", "! the kernel refuses: add service",
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

// many is a status with so many instances, and as many virtual servers of ten real servers each; the last of everything is in trouble.
func many(n int) control.Status {
	s := control.Status{Ready: true, Instances: []control.Instance{}, VirtualServers: []control.VirtualServer{}}
	for i := range n {
		state := "MASTER"
		if i == n-1 {
			state = "FAULT"
		}
		s.Instances = append(s.Instances, control.Instance{Name: fmt.Sprintf("VI_%d", i), State: state, Priority: 100, BasePriority: 100, Addresses: []string{fmt.Sprintf("192.0.2.%d/32", i)}})
		v := control.VirtualServer{ID: fmt.Sprintf("TCP 192.0.2.%d:80", i), Scheduler: "rr", Quorum: true}
		for r := range 10 {
			up := i < n-1 || r > 0
			v.Servers = append(v.Servers, control.RealServer{ID: fmt.Sprintf("10.0.%d.%d:80", i, r), Up: up, InTable: up, Weight: 1, Configured: 1})
		}
		s.VirtualServers = append(s.VirtualServers, v)
	}
	return s
}

func TestSummaryComesFirstHoweverMany(t *testing.T) {
	for n, want := range map[int]string{
		0:   "no instances and no virtual servers are configured\n",
		1:   "1 instance: 1 FAULT\n1 virtual server: 1 ok; 10 real servers: 9 up, 1 down\n",
		100: "100 instances: 99 MASTER, 1 FAULT\n100 virtual servers: 100 ok; 1000 real servers: 999 up, 1 down\n",
	} {
		var out bytes.Buffer
		if err := Status(&out, many(n), many(n)); err != nil {
			t.Fatal(err)
		}
		_, text, _ := strings.Cut(out.String(), "\n")
		if !strings.HasPrefix(text, want) {
			t.Errorf("%d: got %.200s", n, text)
		}
	}
}

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		name                        string
		words                       []string
		problems                    bool
		instances, virtual, servers int
	}{
		{"all", nil, false, 100, 100, 1000},
		{"a name", []string{"vi_42"}, false, 1, 0, 0},
		{"an address is the instance's and the virtual server's", []string{"192.0.2.42"}, false, 1, 1, 10},
		{"a real server", []string{"10.0.7.3:80"}, false, 0, 1, 1},
		{"two words", []string{"10.0.7.3:80", "VI_7"}, false, 11, 1, 1}, // VI_7 and VI_70 to VI_79
		{"what is wrong", nil, true, 1, 1, 1},
		{"what is wrong with one", []string{"VI_1"}, true, 0, 0, 0},
		{"nothing", []string{"elsewhere"}, false, 0, 0, 0},
	} {
		got := Choose(many(100), c.words, c.problems)
		servers := 0
		for _, v := range got.VirtualServers {
			servers += len(v.Servers)
		}
		if len(got.Instances) != c.instances || len(got.VirtualServers) != c.virtual || servers != c.servers {
			t.Errorf("%s: %d instances, %d virtual servers, %d real servers", c.name, len(got.Instances), len(got.VirtualServers), servers)
		}
	}
}

func TestChooseKeepsTheEventsOfWhatIsChosen(t *testing.T) {
	s := many(2)
	s.Events = []event.Event{event.Transition.With("VI_1", "BACKUP", "MASTER", 100, "test"), event.ConfigReload.With("SIGHUP")}
	if got := Choose(s, []string{"VI_1"}, false).Events; len(got) != 1 || got[0].ID != event.Transition.ID {
		t.Errorf("%+v", got)
	}
	if len(s.Events) != 2 {
		t.Error("the status itself is not touched")
	}
}

func TestStatusSaysThatNothingIsChosen(t *testing.T) {
	var out bytes.Buffer
	if err := Status(&out, many(3), Choose(many(3), []string{"elsewhere"}, false)); err != nil || !strings.Contains(out.String(), "3 instances") || !strings.Contains(out.String(), "tracked thing is chosen") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

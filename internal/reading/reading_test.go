package reading

import (
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/assemble"
	"github.com/holdfast-ha/holdfast/internal/event"
)

// model is one virtual server with these real servers.
func model(servers ...string) *config.Model {
	v := config.VirtualServer{Addr: netip.MustParseAddr("192.0.2.1"), Port: 80, Protocol: "tcp", Scheduler: "rr", Quorum: 1}
	for _, a := range servers {
		v.RealServers = append(v.RealServers, config.RealServer{Addr: netip.MustParseAddr(a), Port: 80, Weight: 1})
	}
	return &config.Model{VirtualServers: []config.VirtualServer{v}}
}

func says(m *config.Model, diags ...config.Diagnostic) Parse {
	return func(fs.FS) (*config.Model, config.Diagnostics) { return m, diags }
}

// Between two changes nobody asks the Model for real servers; a reload has them for its plan.
func TestModelRestsBetweenChanges(t *testing.T) {
	m := model("10.0.0.1", "10.0.0.2")
	r, err := Read(says(m), nil, Reading{})
	if err != nil || len(r.Plan) > 0 {
		t.Fatalf("the first one comes from nowhere: %v %v", r.Plan, err)
	}
	posted := make(chan func(), 1)
	post := func(f func()) { posted <- f }
	r.Pack(post)
	(<-posted)()
	for _, vs := range r.Model.VirtualServers {
		if r.Model == m || vs.RealServers != nil {
			t.Fatalf("it still has %v", vs.RealServers)
		}
	}
	if !r.Same(assemble.All(m)) {
		t.Error("packing made it another configuration")
	}
	r.Pack(post) // nothing is left to do
	if len(posted) > 0 {
		t.Error("packed twice")
	}
	next := model("10.0.0.2", "10.0.0.3")
	after, err := Read(says(next), nil, r)
	if want := config.Diff(m, next); err != nil || len(want) != 2 || fmt.Sprint(after.Plan) != fmt.Sprint(want) {
		t.Errorf("the plan is %v, want %v (%v)", after.Plan, want, err)
	}
}

func TestWhatIsTold(t *testing.T) {
	var told []event.Event
	bus := &event.Bus{}
	bus.Add(func(e event.Event) { told = append(told, e) })
	count := func(id string) (n int) {
		for _, e := range told {
			if e.ID == id {
				n++
			}
		}
		return n
	}
	var diags config.Diagnostics
	for i := range maxDiagnostics + 7 {
		diags = append(diags, config.Diagnostic{Severity: config.Warning, File: "f", Line: i + 1, Message: "odd"})
	}
	r, _ := Read(says(model(), diags...), nil, Reading{})
	r.Tell(bus, "f")
	if n := count("config.warning"); n != maxDiagnostics+1 || len(r.Warnings()) != maxDiagnostics+7 || !strings.HasPrefix(fmt.Sprint(told[len(told)-1].Values[1]), "7 more") {
		t.Errorf("%d warnings told, the last one %+v", n, told[len(told)-1])
	}
	wrong := config.Diagnostic{Severity: config.Error, File: "f", Line: 3, Col: 4, Message: "wrong", Hint: "mend it"}
	r, _ = Read(says(nil, wrong, wrong), nil, Reading{})
	if why := r.TellRejected(bus, "f"); !r.Refused() || count("config.rejected") != 1 || !strings.Contains(why, "wrong") || !strings.Contains(why, "holdfast check f") {
		t.Errorf("refused %v: %q", r.Refused(), why)
	}
	r.Plan = make([]config.Change, maxTold+5)
	if r.TellPlan(bus); count("config.change") != maxTold+1 {
		t.Errorf("%d operations told", count("config.change"))
	}
}

// The mark that cannot be made is said, and the reading goes on.
func TestTheMarkOfReloadFile(t *testing.T) {
	m := model()
	m.Global.ReloadFile = filepath.Join(t.TempDir(), "reload")
	if err := os.WriteFile(m.Global.ReloadFile, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Read(says(m), nil, Reading{})
	if _, gone := os.Stat(m.Global.ReloadFile); err != nil || gone == nil {
		t.Errorf("the first reading ends who waits for it: %v", err)
	}
	r.Model.Global.ReloadFile = filepath.Join(t.TempDir(), "no", "such", "directory")
	if after, err := Read(says(model()), nil, r); err == nil || after.Model == nil {
		t.Errorf("%v %+v", err, after)
	}
}

package reconcile

import (
	"context"
	"errors"
	"testing"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/ipvssync"
	"github.com/holdfast-ha/holdfast/ipvssync/ipvstest"
)

// A process that died left services and settings; another one that knows only the run directory takes them away and leaves the rest.
func TestReleaseOfAnother(t *testing.T) {
	dir, k := t.TempDir(), ipvstest.New()
	if err := k.SetSysctl("net.ipv4.vs.expire_nodest_conn", "0"); err != nil {
		t.Fatal(err)
	}
	foreign := ipvssync.Service{Key: ipvssync.MarkKey(ipvssync.IPv4, 77), Scheduler: "rr"}
	if err := k.Apply(context.Background(), ipvssync.Op{Kind: ipvssync.AddService, Service: foreign}); err != nil {
		t.Fatal(err)
	}
	if Recorded(dir) {
		t.Error("nothing is recorded yet")
	}
	in(t, k, dir, func(_ *testing.T, g *rig) {
		g.set(Desired{Pools: map[string][]ipvssync.Service{"a": {svc(1, srv(1, 2))}}, Sysctls: map[string]string{"net.ipv4.vs.expire_nodest_conn": "1"}})
	})
	if !Recorded(dir) {
		t.Fatal("nothing is recorded")
	}
	if n, err := Release(context.Background(), k, dir, "another boot", nil); n != 0 || err != nil {
		t.Errorf("a record of another boot is not believed: %d %v", n, err)
	}
	in(t, k, dir, func(_ *testing.T, g *rig) {
		g.set(Desired{Pools: map[string][]ipvssync.Service{"a": {svc(1, srv(1, 2))}}, Sysctls: map[string]string{"net.ipv4.vs.expire_nodest_conn": "1"}})
	})
	if n, err := Release(context.Background(), k, dir, "", nil); n != 1 || err != nil {
		t.Errorf("%d services released, %v", n, err)
	}
	left, err := k.Services(context.Background())
	if err != nil || len(left) != 1 || left[0].Key != foreign.Key {
		t.Errorf("left: %v %v", left, err)
	}
	if Recorded(dir) {
		t.Error("the record stayed")
	}
}

type helpless struct{ *ipvstest.Kernel }

func (helpless) HelperError() error { return errors.New("no such module") }

// What the kernel could not load is told once and stands in the status.
func TestHelperThatIsMissing(t *testing.T) {
	told := 0
	bus := &event.Bus{}
	bus.Add(func(e event.Event) {
		if e.ID == "ipvs.failed" {
			told++
		}
	})
	r := New(helpless{ipvstest.New()}, Options{Bus: bus})
	for range 3 {
		r.apply(context.Background(), Desired{Pools: map[string][]ipvssync.Service{"a": {svc(1, srv(1, 2))}}})
	}
	if st := r.Status(); told != 1 || len(st.Problems) != 1 {
		t.Errorf("told %d times, status %v", told, st.Problems)
	}
}

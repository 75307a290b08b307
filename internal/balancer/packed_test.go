package balancer

import (
	"slices"
	"testing"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/assemble"
	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/internal/seam"
)

// Between two changes nobody asks the Model for real servers; a reload has them for its plan.
func TestModelRestsBetweenChanges(t *testing.T) {
	m := model("10.0.0.1", "10.0.0.2")
	d := &daemon{inbox: newInbox(), in: inputs{Inputs: assemble.All(m)}}
	d.pack()
	<-d.inbox.wake
	for _, f := range d.inbox.take() {
		f()
	}
	for _, vs := range d.in.Model.VirtualServers {
		if d.in.Model == m || vs.RealServers != nil {
			t.Fatalf("it still has %v", vs.RealServers)
		}
	}
	if whole := d.in.whole(); !config.Same(whole, m) {
		t.Errorf("it came back with %v", config.Diff(m, whole))
	}
	if !d.in.Same(assemble.All(m)) {
		t.Error("packing made it another configuration")
	}
	d.pack() // nothing is left to do
	if f := d.inbox.take(); len(f) > 0 {
		t.Error("packed twice")
	}
}

// One reload after the other says what it does to real servers, whether or not the Model rested.
func TestEveryReloadSaysItsPlan(t *testing.T) {
	steps := [][]string{{"10.0.0.1"}, {"10.0.0.1", "10.0.0.2"}, {"10.0.0.1", "10.0.0.2"}, {"10.0.0.2", "10.0.0.3"}, {"10.0.0.3"}}
	w := newWorld(t, model(steps[0]...))
	w.start(seam.Snapshot{})
	w.up()
	for i := range steps[1:] {
		old, next := model(steps[i]...), model(steps[i+1]...)
		w.set(next, nil)
		var r control.Reloaded
		if err := control.Do(t.Context(), w.dir, control.Request{Op: control.OpReload, Wait: true}, &r); err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, c := range config.Diff(old, next) {
			want = append(want, c.Lines()...)
		}
		if !slices.Equal(r.Operations, want) {
			t.Errorf("step %d: got %q, want %q", i, r.Operations, want)
		}
	}
}

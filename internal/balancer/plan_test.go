package balancer

import (
	"slices"
	"testing"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/internal/seam"
)

// What a reload does, what it answers and what it logs is the list of holdfast plan.
func TestReloadSaysItsPlan(t *testing.T) {
	old, next := model("10.0.0.1"), model("10.0.0.2")
	next.Instances[0].Version = 5 - old.Instances[0].Version // 2 or 3, the other one
	w := newWorld(t, old)
	w.start(seam.Snapshot{})
	w.up()
	w.set(next, nil)
	var r control.Reloaded
	if err := control.Do(t.Context(), w.dir, control.Request{Op: control.OpReload, Wait: true}, &r); err != nil || !r.Changed {
		t.Fatalf("%+v %v", r, err)
	}
	var want []string
	for _, c := range config.Diff(old, next) {
		want = append(want, c.Lines()...)
	}
	if len(want) < 3 || !slices.Equal(r.Operations, want) {
		t.Errorf("got %q, want %q", r.Operations, want)
	}
	if n := w.count("config.change"); n != len(config.Diff(old, next)) {
		t.Errorf("%d operations logged", n)
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

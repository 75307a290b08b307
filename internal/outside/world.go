package outside

import (
	"context"
	"path/filepath"
	"reflect"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/notify"
	"github.com/holdfast-ha/holdfast/internal/script"
	"github.com/holdfast-ha/holdfast/internal/track"
)

// Spec is what one configuration wants watched, and who is to be told.
type Spec struct {
	Scripts   []track.Script
	Files     []track.File
	Processes []track.Process
	Notify    notify.Config
}

// Equal says that two configurations ask for the same.
func (s Spec) Equal(o Spec) bool { return reflect.DeepEqual(s, o) }

// Options are the surroundings of a World.
type Options struct {
	// Programs run everything; nil: nothing is watched and nobody is told. Close closes them.
	Programs *Programs
	// RunDir has what was told already; "" keeps it in memory.
	RunDir string
	Bus    *event.Bus
	// Post has a function run later on the goroutine that the World belongs to.
	Post func(func())
	// OnTrack hears of every value that is new.
	OnTrack func(track.Value)
	// OnFile hears of every tracked file whose text changed, by the ID of the file; nil: nobody does.
	OnFile func(id string)
}

// World is everything outside that is watched or told.
type World struct {
	o        Options
	ctx      context.Context
	set      *track.Set
	notifier *notify.Notifier
	// errands are changes of configuration: they may wait for a program to die, so they happen in order on a goroutine of their own.
	errands *errands
	// applied: everything the first configuration names is watched.
	applied bool
	// sent are the things of which somebody heard a result.
	sent map[string]bool
	// reason is why the last check changed its mind.
	reason string
}

// New begins without anything to watch. Programs that nobody waits for end with ctx.
func New(ctx context.Context, o Options) *World {
	w := &World{o: o, ctx: ctx}
	if o.Programs == nil {
		return w
	}
	told := ""
	if o.RunDir != "" {
		told = filepath.Join(o.RunDir, "notified.json")
	}
	w.errands, w.sent = newErrands(), map[string]bool{}
	w.set = track.New(o.Programs.tracks, func(v track.Value) { o.Post(func() { w.send(v) }) }, o.Bus)
	if o.OnFile != nil {
		w.set.Touched = func(id string) { o.Post(func() { o.OnFile(id) }) }
	}
	w.notifier = notify.New(o.Programs.notify, o.Programs.readers, told, o.Bus)
	return w
}

// blind says that there are no programs: nothing is watched and nobody is told.
func (w *World) blind() bool { return w.o.Programs == nil }

// Close ends what is left. After Goodbye everybody has been told already; otherwise nobody is.
func (w *World) Close() {
	if w.blind() {
		return
	}
	w.errands.end()
	w.set.Close()
	w.notifier.Abandon()
	w.o.Programs.Close()
}

// Kill ends every program at once, and does not wait for it.
func (w *World) Kill() {
	if !w.blind() {
		go w.o.Programs.Close()
	}
}

// Apply makes exactly what spec names be watched and told. then runs on the owner's goroutine when that is so.
func (w *World) Apply(spec Spec, then func()) {
	if w.blind() {
		return
	}
	w.errands.add(func() {
		w.set.Apply(spec.Scripts, spec.Files, spec.Processes)
		w.notifier.Apply(spec.Notify)
		w.o.Post(func() {
			w.applied = true
			then()
		})
	})
}

// Run runs a program that starts or stops the daemon's work; then follows on the owner's goroutine when it has ended, however it ended.
func (w *World) Run(which string, c script.Command, then func()) {
	if w.blind() || c.Empty() {
		then()
		return
	}
	go func() {
		r := w.o.Programs.notify.Run(w.ctx, which, c)
		w.o.Post(func() {
			w.o.Bus.Publish(event.ScriptRan.With(which, c.String(), r.Reason(), r.OK()))
			then()
		})
	}()
}

package track

import (
	"context"
	"sort"
	"sync"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/script"
)

// Set is everything that is tracked. Apply and Close are called by one goroutine, the rest by any.
type Set struct {
	// Touched is told the ID of a file whose text is another than before, also where the value is not (it is limited, others look at more
	// of the text). It must not block. Set it, if at all, before the first Apply.
	Touched func(id string)

	runner Runner
	give   func(Value)
	bus    *event.Bus
	ctx    context.Context
	stop   context.CancelFunc

	scripts   map[string]*scriptWatch
	files     *fileWatch
	processes *processWatch

	mu     sync.Mutex
	closed bool
	status map[string]Status
}

// New makes an empty set. give receives every value that is new or has changed, one call at a time; it must not block and must not
// call the set. bus may be nil.
func New(runner Runner, give func(Value), bus *event.Bus) *Set {
	ctx, stop := context.WithCancel(context.Background())
	return &Set{runner: runner, give: give, bus: bus, ctx: ctx, stop: stop, scripts: map[string]*scriptWatch{}, status: map[string]Status{}}
}

// Apply makes the set watch exactly these. What is unchanged is not touched; what is gone is forgotten without a value; a script
// whose command, user and arguments stay keeps its verdict and streak when only its schedule or thresholds change.
func (s *Set) Apply(scripts []Script, files []File, processes []Process) {
	wanted := map[string]bool{}
	for _, conf := range scripts {
		conf = conf.withDefaults()
		wanted[conf.ID] = true
		old := s.scripts[conf.ID]
		if old != nil && old.conf.equal(conf) {
			continue
		}
		if old != nil {
			old.end()
		}
		s.scripts[conf.ID] = s.startScript(conf, old)
	}
	for id, w := range s.scripts {
		if !wanted[id] {
			w.end()
			delete(s.scripts, id)
		}
	}
	for _, f := range files {
		wanted[f.ID] = true
	}
	for _, p := range processes {
		wanted[p.ID] = true
	}
	if s.files == nil && len(files) > 0 {
		s.files = newFileWatch(s)
	}
	if s.files != nil {
		s.files.apply(files)
	}
	if s.processes == nil && len(processes) > 0 {
		s.processes = newProcessWatch(s)
	}
	if s.processes != nil {
		s.processes.apply(processes)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.status {
		if !wanted[id] {
			delete(s.status, id)
		}
	}
}

// end stops a script's watch and waits until its run is gone.
func (w *scriptWatch) end() {
	w.stop()
	<-w.done
}

// Values are the current values of everything, ordered by ID: what a restarted router must be told.
func (s *Set) Values() []Value {
	all := s.Status()
	values := make([]Value, len(all))
	for i, st := range all {
		values[i] = st.Value
	}
	return values
}

// Status is the state of everything, ordered by ID.
func (s *Set) Status() []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Status, 0, len(s.status))
	for _, st := range s.status {
		all = append(all, st)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].ID < all[j].ID })
	return all
}

// Number is the value of a tracked file, for FILE_CHECK; known is false when nothing of that ID is tracked.
func (s *Set) Number(id string) (value int, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, ok := s.status[id]
	return st.Value.Value, ok && st.Known
}

// Close stops everything, kills running scripts and returns when nothing is left. Nothing is given afterwards.
func (s *Set) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	for _, w := range s.scripts {
		<-w.done
	}
	if s.files != nil {
		s.files.close()
	}
	if s.processes != nil {
		s.processes.close()
	}
}

// hand records a value and gives it away if it is new.
func (s *Set) hand(v Value, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	old, had := s.status[v.ID]
	if had && old.Value == v {
		old.Reason = reason
		s.status[v.ID] = old
		return
	}
	s.status[v.ID] = Status{Value: v, Reason: reason, Since: time.Now()}
	s.give(v)
	switch {
	case !v.Known:
	case !v.OK:
		s.bus.Publish(event.TrackFailed.With(v.ID, reason))
	case had && old.Known && !old.OK:
		s.bus.Publish(event.TrackSucceeded.With(v.ID, reason))
	case v.Value != old.Value.Value:
		s.bus.Publish(event.TrackValue.With(v.ID, old.Value.Value, v.Value, reason))
	case had && !old.Known:
		s.bus.Publish(event.TrackSucceeded.With(v.ID, reason))
	}
}

// result tells of a single result that differs from the one before.
func (s *Set) result(id string, res script.Result) {
	s.bus.Publish(event.TrackResult.With(id, res.Reason(), res.Took.Round(time.Millisecond), res.Output))
}

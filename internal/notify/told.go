package notify

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/keep"
)

// told remembers the last state told of every object, in memory and in a file, so that a daemon that was killed and restarted goes
// on where it was instead of telling everything again. The file is written by a goroutine of its own.
type told struct {
	path string
	bus  *event.Bus
	wake chan struct{}
	quit chan struct{}
	done chan struct{}

	mu     sync.Mutex
	closed bool
	states map[string]entry
}

// entry is what was told of one object.
type entry struct {
	State    State `json:"state"`
	Priority int   `json:"priority,omitempty"`
}

// saveEvery is the least time between two writes of the file.
const saveEvery = 50 * time.Millisecond

// maxTold bounds the file that is read back.
const maxTold = 64 << 20

// newTold reads the file at path back; without a path nothing is kept.
func newTold(path string, bus *event.Bus) *told {
	t := &told{path: path, bus: bus, wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}), states: map[string]entry{}}
	if path != "" {
		if err := t.load(); err != nil {
			t.states = map[string]entry{}
			bus.Publish(event.NotifyProblem.With(path, err))
		}
	}
	go t.run()
	return t
}

func (t *told) load() error {
	text, err := keep.Read(t.path, maxTold)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(text, &t.states)
}

// last is what was told last of an object, the zero entry for nothing.
func (t *told) last(object string) entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.states[object]
}

// set records what is told and says whether the state is news.
func (t *told) set(object string, s State, priority int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.states[object].State == s {
		return false
	}
	t.states[object] = entry{s, priority}
	t.changed()
	return true
}

// keep forgets all objects but these.
func (t *told) keep(objects map[string]bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for o := range t.states {
		if !objects[o] {
			delete(t.states, o)
			t.changed()
		}
	}
}

// changed has the file written; the lock is held.
func (t *told) changed() {
	if t.closed {
		return
	}
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

func (t *told) run() {
	defer close(t.done)
	for range t.wake {
		if err := t.save(); err != nil {
			t.bus.Publish(event.NotifyProblem.With(t.path, err))
		}
		select {
		case <-time.After(saveEvery):
		case <-t.quit:
		}
	}
}

func (t *told) save() error {
	if t.path == "" {
		return nil
	}
	t.mu.Lock()
	text, err := json.Marshal(t.states)
	t.mu.Unlock()
	if err != nil {
		return err
	}
	return keep.Write(t.path, text, 0o600)
}

// close ends the writing and removes the file: after an orderly stop, everything is news again.
func (t *told) close() {
	t.end()
	if t.path != "" {
		_ = os.Remove(t.path)
	}
}

// end ends the writing.
func (t *told) end() {
	t.mu.Lock()
	t.closed = true
	close(t.quit)
	close(t.wake)
	t.mu.Unlock()
	<-t.done
}

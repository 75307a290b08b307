package balancer

import (
	"sync"

	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/internal/event"
)

// Sizes of the ring of recent events and of what a reader of the stream may be behind.
const (
	recentEvents = 256
	behindEvents = 1024
)

// recent remembers the last events, of both processes, and feeds those who follow. Its add never blocks: a reader that does not read
// loses events and is told how many.
type recent struct {
	mu      sync.Mutex
	ring    []event.Event
	readers map[*reader]struct{}
}

type reader struct {
	queue  []event.Event
	missed uint64
	wake   chan struct{}
}

func newRecent() *recent { return &recent{readers: map[*reader]struct{}{}} }

// add is a sink of the bus.
func (r *recent) add(e event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ring) == recentEvents {
		copy(r.ring, r.ring[1:])
		r.ring = r.ring[:recentEvents-1]
	}
	r.ring = append(r.ring, e)
	for reader := range r.readers {
		if len(reader.queue) >= behindEvents {
			reader.missed++
			continue
		}
		reader.queue = append(reader.queue, e)
		select {
		case reader.wake <- struct{}{}:
		default:
		}
	}
}

// last are the latest n events, oldest first.
func (r *recent) last(n int) []event.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]event.Event(nil), r.ring[max(0, len(r.ring)-n):]...)
}

// join adds a reader that begins with what is remembered.
func (r *recent) join() *reader {
	r.mu.Lock()
	defer r.mu.Unlock()
	reader := &reader{queue: append([]event.Event(nil), r.ring...), wake: make(chan struct{}, 1)}
	reader.wake <- struct{}{}
	r.readers[reader] = struct{}{}
	return reader
}

func (r *recent) leave(reader *reader) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.readers, reader)
}

func (r *recent) take(reader *reader) []control.Line {
	r.mu.Lock()
	defer r.mu.Unlock()
	var lines []control.Line
	for _, e := range reader.queue {
		lines = append(lines, control.Line{Event: e})
	}
	if len(lines) > 0 {
		lines[len(lines)-1].Missed, reader.missed = reader.missed, 0
	}
	reader.queue = nil
	return lines
}

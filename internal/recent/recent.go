package recent

import (
	"sync"

	"github.com/holdfast-ha/holdfast/internal/event"
)

// Sizes of the ring and of what a reader may be behind.
const (
	remembered = 256
	behind     = 1024
)

// Ring holds the last events of both processes. It is safe for concurrent use.
type Ring struct {
	mu      sync.Mutex
	ring    []event.Event
	readers map[*Reader]struct{}
}

// Reader follows a Ring.
type Reader struct {
	// Wake receives when there is something to Take.
	Wake   chan struct{}
	queue  []event.Event
	missed uint64
}

// New is an empty ring.
func New() *Ring { return &Ring{readers: map[*Reader]struct{}{}} }

// Add is a sink of the bus. Events of level debug go to those who follow but are not remembered: they would push out what matters.
func (r *Ring) Add(e event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Kind().Level > event.Debug {
		if len(r.ring) == remembered {
			copy(r.ring, r.ring[1:])
			r.ring = r.ring[:remembered-1]
		}
		r.ring = append(r.ring, e)
	}
	for reader := range r.readers {
		if len(reader.queue) >= behind {
			reader.missed++
			continue
		}
		reader.queue = append(reader.queue, e)
		select {
		case reader.Wake <- struct{}{}:
		default:
		}
	}
}

// Last are the latest n events, oldest first.
func (r *Ring) Last(n int) []event.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]event.Event(nil), r.ring[max(0, len(r.ring)-n):]...)
}

// Join adds a reader that begins with what is remembered.
func (r *Ring) Join() *Reader {
	r.mu.Lock()
	defer r.mu.Unlock()
	reader := &Reader{queue: append([]event.Event(nil), r.ring...), Wake: make(chan struct{}, 1)}
	reader.Wake <- struct{}{}
	r.readers[reader] = struct{}{}
	return reader
}

// Leave ends it.
func (r *Ring) Leave(reader *Reader) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.readers, reader)
}

// Take is what came since the last call, and how many events before it were lost to this reader.
func (r *Ring) Take(reader *Reader) (events []event.Event, missed uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	events, missed = reader.queue, reader.missed
	reader.queue, reader.missed = nil, 0
	return events, missed
}

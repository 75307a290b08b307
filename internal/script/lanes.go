package script

import (
	"context"
	"sync"
)

// lanes lets one caller per key pass at a time, in the order of the calls.
type lanes struct {
	mu   sync.Mutex
	busy map[string][]chan struct{} // present: somebody is inside; the channels are those who wait
}

// enter waits for the lane; it returns the context's error when that ends first.
func (l *lanes) enter(ctx context.Context, key string) error {
	l.mu.Lock()
	if l.busy == nil {
		l.busy = map[string][]chan struct{}{}
	}
	waiting, taken := l.busy[key]
	if !taken {
		l.busy[key] = nil
		l.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	l.busy[key] = append(waiting, turn)
	l.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	for i, w := range l.busy[key] {
		if w == turn {
			l.busy[key] = append(l.busy[key][:i:i], l.busy[key][i+1:]...)
			l.mu.Unlock()
			return context.Cause(ctx)
		}
	}
	l.mu.Unlock()
	l.leave(key) // our turn came at the same moment: pass it on
	return context.Cause(ctx)
}

// leave gives the lane to the next in line.
func (l *lanes) leave(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	waiting := l.busy[key]
	if len(waiting) == 0 {
		delete(l.busy, key)
		return
	}
	close(waiting[0])
	l.busy[key] = waiting[1:]
}

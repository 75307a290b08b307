package outside

import "sync"

// errands are done one after the other by a goroutine of their own. Who gives one never waits, however long the one before takes.
type errands struct {
	mu    sync.Mutex
	queue []func()
	ended bool
	wake  chan struct{}
	idle  chan struct{} // closed when the last one is done after end
}

func newErrands() *errands {
	e := &errands{wake: make(chan struct{}, 1), idle: make(chan struct{})}
	go e.run()
	return e
}

// add gives one more; after end it is ignored.
func (e *errands) add(f func()) {
	e.mu.Lock()
	if !e.ended {
		e.queue = append(e.queue, f)
	}
	e.mu.Unlock()
	e.nudge()
}

// end does what was given before, and returns when that is done.
func (e *errands) end() {
	e.mu.Lock()
	e.ended = true
	e.mu.Unlock()
	e.nudge()
	<-e.idle
}

func (e *errands) nudge() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

func (e *errands) run() {
	defer close(e.idle)
	for range e.wake {
		for {
			e.mu.Lock()
			if len(e.queue) == 0 {
				ended := e.ended
				e.mu.Unlock()
				if ended {
					return
				}
				break
			}
			f := e.queue[0]
			e.queue = e.queue[1:]
			e.mu.Unlock()
			f()
		}
	}
}

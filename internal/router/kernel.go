package router

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// kernelQueue runs what may block, in order, in one goroutine. Each job answers with what the loop has to do about its outcome (nil:
// nothing). The queue is as long as it has to be: what is in it was decided by machines whose number is bounded.
type kernelQueue struct {
	mu      sync.Mutex
	jobs    []func() func()
	wake    chan struct{}
	results chan func()
	quit    chan struct{}
	done    chan struct{}
}

func newKernelQueue() *kernelQueue {
	q := &kernelQueue{wake: make(chan struct{}, 1), results: make(chan func()), quit: make(chan struct{}), done: make(chan struct{})}
	go q.run()
	return q
}

func (q *kernelQueue) add(job func() func()) {
	q.mu.Lock()
	q.jobs = append(q.jobs, job)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *kernelQueue) run() {
	defer close(q.done)
	for {
		q.mu.Lock()
		var job func() func()
		if len(q.jobs) > 0 {
			job, q.jobs = q.jobs[0], q.jobs[1:]
		}
		q.mu.Unlock()
		if job == nil {
			select {
			case <-q.wake:
				continue
			case <-q.quit:
				return
			}
		}
		if after := guarded(job); after != nil {
			select {
			case q.results <- after:
			case <-q.quit:
				return
			}
		}
	}
}

// guarded runs a job; its panic becomes one of the loop, which is recovered and starts the router again in place.
func guarded(job func() func()) (after func()) {
	defer func() {
		if p := recover(); p != nil {
			stack := string(debug.Stack())
			after = func() { panic(fmt.Sprintf("%v, in the kernel goroutine: %s", p, stack)) }
		}
	}()
	return job()
}

// close ends the goroutine after the job in hand; what still waits is not done.
func (q *kernelQueue) close() {
	close(q.quit)
	<-q.done
}

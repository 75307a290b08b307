package router

import "sync"

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
		if after := job(); after != nil {
			select {
			case q.results <- after:
			case <-q.quit:
				return
			}
		}
	}
}

// close ends the goroutine after the job in hand; what still waits is not done.
func (q *kernelQueue) close() {
	close(q.quit)
	<-q.done
}

package notify

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/script"
)

const (
	// ScriptLimit is how long a notify script may run.
	ScriptLimit = 5 * time.Minute
	// ObsoleteLimit is how long a script may go on running once a newer state of its object waits.
	ObsoleteLimit = 30 * time.Second
)

// Runner runs a program; *script.Pool is one.
type Runner interface {
	Run(ctx context.Context, key string, c script.Command) script.Result
}

// job is what is to be run for one change.
type job struct {
	// kind is what a newer job replaces: "state", "lower".
	kind string
	// name is what the log calls the object, as people name it; "" is what identifies it.
	name string
	// what is the change in words, for the log: "MASTER".
	what     string
	commands []script.Command
}

// queues runs jobs, per object one at a time and in order. A job that waits is replaced by a newer one of its kind.
type queues struct {
	runner Runner
	bus    *event.Bus
	ctx    context.Context
	stop   context.CancelFunc

	mu      sync.Mutex
	closed  bool
	objects map[string]*queue
	idle    sync.WaitGroup
}

// queue belongs to one object; it exists while there is something to run.
type queue struct {
	waiting []job
	hurry   context.CancelCauseFunc // cuts the running job off; nil when none that could be obsolete runs
	kind    string
	timer   *time.Timer
}

func newQueues(runner Runner, bus *event.Bus) *queues {
	ctx, stop := context.WithCancel(context.Background())
	return &queues{runner: runner, bus: bus, ctx: ctx, stop: stop, objects: map[string]*queue{}}
}

// add puts a job in line and returns at once.
func (q *queues) add(object string, j job) {
	kept := j.commands[:0:0]
	for _, c := range j.commands {
		if !c.Empty() {
			kept = append(kept, c)
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	o := q.objects[object]
	if len(kept) == 0 && o == nil {
		return
	}
	j.commands = kept
	if j.name == "" {
		j.name = object
	}
	if o == nil {
		o = &queue{}
		q.objects[object] = o
		q.idle.Add(1)
		go q.drain(object, o)
	}
	for i, w := range o.waiting {
		if w.kind == j.kind {
			if len(w.commands) > 0 {
				q.bus.Publish(event.NotifySkipped.With(j.name, w.what, j.what))
			}
			o.waiting = append(o.waiting[:i:i], o.waiting[i+1:]...)
			break
		}
	}
	o.waiting = append(o.waiting, j)
	if o.hurry != nil && o.kind == j.kind && o.timer == nil {
		hurry := o.hurry
		o.timer = time.AfterFunc(ObsoleteLimit, func() { hurry(errObsolete) })
	}
}

var errObsolete = errors.New("killed because a newer state of the same object waited for it")

// drain runs an object's jobs until none is left.
func (q *queues) drain(object string, o *queue) {
	defer q.idle.Done()
	for {
		q.mu.Lock()
		if len(o.waiting) == 0 {
			delete(q.objects, object)
			q.mu.Unlock()
			return
		}
		j := o.waiting[0]
		o.waiting = o.waiting[1:]
		ctx, hurry := context.WithCancelCause(q.ctx)
		o.hurry, o.kind = hurry, j.kind
		q.mu.Unlock()
		for _, c := range j.commands {
			if c.Timeout == 0 {
				c.Timeout = ScriptLimit
			}
			res := q.runner.Run(ctx, object, c)
			if res.OK() {
				q.bus.Publish(event.NotifyRan.With(j.name, j.what, c, res.Took.Round(time.Millisecond), res.Output))
			} else {
				q.bus.Publish(event.NotifyFailed.With(j.name, j.what, c, res.Reason(), res.Output))
			}
		}
		q.mu.Lock()
		if o.timer != nil {
			o.timer.Stop()
		}
		o.hurry, o.timer = nil, nil
		q.mu.Unlock()
		hurry(nil)
	}
}

// close takes no more jobs, waits for those in line until ctx ends, then kills what runs. It returns when nothing runs.
func (q *queues) close(ctx context.Context) {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	done := make(chan struct{})
	go func() {
		q.idle.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		q.mu.Lock()
		for _, o := range q.objects {
			o.waiting = nil
		}
		q.mu.Unlock()
		q.stop()
		<-done
	}
	q.stop()
}

package track

import (
	"fmt"
	"sync"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
)

const (
	// pollProcesses is how often /proc is read while the kernel tells nothing.
	pollProcesses = time.Second
	// checkProcesses is how often it is read while the kernel tells every change: its telling is lossy under load.
	checkProcesses = 10 * time.Second
)

// processWatch counts the processes that match. Its one goroutine owns the counts.
type processWatch struct {
	set   *Set
	table processTable
	end   func() // ends the events
	kick  chan struct{}
	done  chan struct{}

	mu   sync.Mutex
	want map[string]Process
}

// processState is what is known about one tracked process.
type processState struct {
	conf Process
	pids map[int]bool
	// pending is when a change to the other verdict counts; zero when the verdict stands.
	pending time.Time
	known   bool
	ok      bool
}

func newProcessWatch(s *Set) *processWatch {
	events, end, err := listenProcesses()
	if err != nil {
		s.bus.Publish(event.TrackProblem.With("process", fmt.Errorf("process events: %w: /proc is read every %v instead", err, pollProcesses)))
	}
	w := startProcessWatch(s, procTable{"/proc"}, events)
	w.end = end
	return w
}

// startProcessWatch watches a table with the events that tell of its changes; events may be nil.
func startProcessWatch(s *Set, table processTable, events <-chan procEvent) *processWatch {
	w := &processWatch{set: s, table: table, end: func() {}, kick: make(chan struct{}, 1), done: make(chan struct{}), want: map[string]Process{}}
	go w.run(events)
	return w
}

func (w *processWatch) apply(processes []Process) {
	w.mu.Lock()
	w.want = map[string]Process{}
	for _, p := range processes {
		p.Quorum = max(1, p.Quorum)
		if p.QuorumMax == 0 {
			p.Quorum = 0 // none may run
		}
		w.want[p.ID] = p
	}
	w.mu.Unlock()
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

func (w *processWatch) close() {
	<-w.done
	w.end()
}

func (w *processWatch) run(events <-chan procEvent) {
	defer close(w.done)
	states := map[string]*processState{}
	period := pollProcesses
	next := time.NewTimer(0)
	defer next.Stop()
	lastScan := time.Time{}
	for {
		scan := false
		select {
		case <-w.set.ctx.Done():
			return
		case <-w.kick:
			w.adopt(states)
			scan = true
		case ev, ok := <-events:
			switch {
			case !ok:
				events, period, scan = nil, pollProcesses, true
			case ev.kind == procListening:
				period = checkProcesses
			case ev.kind == procLost:
				scan = true
			default:
				w.event(states, ev)
			}
		case <-next.C:
			scan = time.Since(lastScan) >= period-settle
		}
		now := time.Now()
		if scan {
			w.scan(states)
			lastScan = now
		}
		wake := lastScan.Add(period)
		for _, st := range states {
			w.judge(st, now)
			if !st.pending.IsZero() && st.pending.Before(wake) {
				wake = st.pending
			}
		}
		next.Reset(time.Until(wake))
	}
}

// adopt takes a new configuration over; what is unchanged keeps its state.
func (w *processWatch) adopt(states map[string]*processState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, st := range states {
		if conf, ok := w.want[id]; !ok || !conf.equal(st.conf) {
			delete(states, id)
		}
	}
	for id, conf := range w.want {
		if states[id] == nil {
			states[id] = &processState{conf: conf, pids: map[int]bool{}}
		}
	}
}

// scan reads the whole process table.
func (w *processWatch) scan(states map[string]*processState) {
	for _, st := range states {
		st.pids = map[int]bool{}
	}
	if len(states) == 0 {
		return
	}
	for _, pid := range w.table.pids() {
		w.look(states, pid)
	}
}

// look compares one process with every tracked one.
func (w *processWatch) look(states map[string]*processState, pid int) {
	p, ok := w.table.read(pid)
	for _, st := range states {
		if ok && st.conf.matches(p) {
			st.pids[pid] = true
		} else {
			delete(st.pids, pid)
		}
	}
}

// event follows one thing the kernel told.
func (w *processWatch) event(states map[string]*processState, ev procEvent) {
	switch ev.kind {
	case procChanged:
		w.look(states, ev.pid)
	case procForked:
		for _, st := range states {
			if st.pids[ev.parent] {
				st.pids[ev.pid] = true
			}
		}
	case procGone:
		for _, st := range states {
			delete(st.pids, ev.pid)
		}
	}
}

// judge hands the verdict out once it has held for its delay. The first verdict holds at once.
func (w *processWatch) judge(st *processState, now time.Time) {
	ok := st.conf.enough(len(st.pids))
	reason := fmt.Sprintf("%d running, at least %d wanted", len(st.pids), st.conf.Quorum)
	if st.conf.QuorumMax >= 0 {
		reason += fmt.Sprintf(", at most %d", st.conf.QuorumMax)
	}
	if st.known && ok != st.ok {
		delay := st.conf.TerminateDelay
		if ok {
			delay = st.conf.ForkDelay
		}
		if st.pending.IsZero() {
			st.pending = now.Add(delay)
		}
		if now.Before(st.pending) {
			return
		}
	}
	st.known, st.ok, st.pending = true, ok, time.Time{}
	w.set.hand(Value{ID: st.conf.ID, Known: true, OK: ok}, reason)
}

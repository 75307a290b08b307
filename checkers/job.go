package checkers

import (
	"container/heap"
	"encoding/binary"
	"time"
)

// check is one Spec and its state.
type check struct {
	spec    Spec
	probe   Fingerprint
	verdict Verdict
	job     *job
	since   time.Time
	weight  Weight
	// reason and detail are those of the attempt that last changed the state, or of the last failed one.
	reason  Reason
	detail  string
	warning string
}

// job is one probe and its schedule; it serves every check of the same share key.
type job struct {
	key     Fingerprint
	members []*check
	// due is when the next attempt starts, as time since the scheduler's base. index is the place in the heap, -1 when not there.
	due   time.Duration
	index int
	// running: an attempt is in flight or waits for a slot. again: another is wanted when it ends.
	running, again bool
	gone           bool
	ran            bool
	// stray is what the last result said about the director: 0 nothing, 1 unreachable, 2 local.
	stray          uint8
	passed, failed uint64
	last           Result
	lastAt         time.Time
}

func (j *job) spec() *Spec { return &j.members[0].spec }

// up says whether any member is up: its probes go first when slots are short.
func (j *job) up() bool {
	for _, c := range j.members {
		if c.verdict.Up {
			return true
		}
	}
	return false
}

func (j *job) suspended() bool {
	for _, c := range j.members {
		if !c.spec.Suspended {
			return false
		}
	}
	return true
}

// slot is the first regular moment after now. Each job has its own phase within its interval, which depends on nothing but what
// it does: attempts are spread evenly, and stay where they are when other checks come and go. Phases are whole milliseconds, so
// that one wake-up serves several.
func (j *job) slot(now time.Duration) time.Duration {
	interval := j.spec().Rules.interval()
	phase := time.Duration(binary.BigEndian.Uint64(j.key[:8])%uint64(max(interval/time.Millisecond, 1))) * time.Millisecond
	n := (now - phase) / interval
	if now < phase {
		return phase
	}
	return phase + (n+1)*interval
}

// queue is the heap of jobs by due.
type queue []*job

func (q queue) Len() int           { return len(q) }
func (q queue) Less(a, b int) bool { return q[a].due < q[b].due }
func (q queue) Swap(a, b int)      { q[a], q[b] = q[b], q[a]; q[a].index, q[b].index = a, b }

// Push is container/heap's; use put.
func (q *queue) Push(x any) { j := x.(*job); j.index = len(*q); *q = append(*q, j) }

// Pop is container/heap's; use take.
func (q *queue) Pop() any {
	old := *q
	j := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	j.index = -1
	return j
}

func (q *queue) put(j *job, due time.Duration) {
	j.due = due
	if j.index >= 0 {
		heap.Fix(q, j.index)
		return
	}
	heap.Push(q, j)
}

func (q *queue) drop(j *job) {
	if j.index >= 0 {
		heap.Remove(q, j.index)
	}
}

// line is a first-in first-out list of jobs that wait for a slot.
type line struct {
	jobs []*job
	head int
}

func (l *line) len() int { return len(l.jobs) - l.head }

func (l *line) push(j *job) { l.jobs = append(l.jobs, j) }

func (l *line) pop() *job {
	j := l.jobs[l.head]
	l.jobs[l.head] = nil
	l.head++
	if l.head == len(l.jobs) {
		l.jobs, l.head = l.jobs[:0], 0
	}
	return j
}

package checkers

import (
	"container/heap"
	"encoding/binary"
	"math"
	"time"
)

// check is one Spec and its state. There are tens of thousands of them and of jobs: their fields are ordered to leave no holes.
type check struct {
	// spec stands in the slice that Apply was given.
	spec    *Spec
	probe   Fingerprint
	verdict Verdict
	job     *job
	next    *check // of the same job
	// since is when the state began, as time since the scheduler's base; negative for one taken over from an earlier process.
	since  time.Duration
	weight Weight
	// told is the Seq of the last Change of this check.
	told uint64
	// detail and reason are those of the attempt that last changed the state, or of the last failed one.
	detail  string
	warning string
	reason  Reason
	// known: its state is that of an earlier process, whether or not it has run in this one.
	known bool
}

// job is one probe and its schedule; it serves every check of the same share key.
type job struct {
	key         Fingerprint
	first, last *check
	// due is when the next attempt starts, lastAt when the last one ended, as time since the scheduler's base.
	due, lastAt    time.Duration
	passed, failed uint64
	result         outcome
	// index is the place in the heap, -1 when not there.
	index   int32
	members int32
	// running: an attempt is in flight or waits for a slot. again: another is wanted when it ends.
	running, again bool
	gone           bool
	ran            bool
	// regular: due is one of its regular moments. fresh: it stands among those whose first attempt is to come.
	regular, fresh bool
	// stray is what the last result said about the director: met, unreached, astray or mute.
	stray uint8
}

// What a result says about the director's own side.
const (
	met       = iota // somebody answered
	unreached        // no neighbour did, which may be theirs or ours
	astray           // it is ours
	mute             // nothing
)

// strayOf sorts a result by that. Files and programs ask nobody whom the director must reach, a ping cannot tell a missing neighbour from a
// silent one, and a datagram that nobody answered may pass.
func strayOf(k Kind, r *Result) uint8 {
	switch {
	case r.Reason.IsLocal():
		return astray
	case r.Reason == Unreachable:
		return unreached
	case k == File, k == Misc, k == Ping && r.Reason == Timeout, k == UDP && r.OK && r.Latency.FirstByte == 0:
		return mute
	}
	return met
}

// outcome is a Result in little room: what Status tells of the last attempt.
type outcome struct {
	detail string
	// micros are Latency's fields in their order.
	micros [4]uint32
	reason Reason
	ok     bool
}

func shorten(r Result) outcome {
	o := outcome{detail: r.Detail, reason: r.Reason, ok: r.OK}
	for i, d := range [...]time.Duration{r.Latency.Total, r.Latency.Connect, r.Latency.TLS, r.Latency.FirstByte} {
		o.micros[i] = uint32(min(max(d.Microseconds(), 0), math.MaxUint32))
	}
	return o
}

func (o *outcome) result() Result {
	at := func(i int) time.Duration { return time.Duration(o.micros[i]) * time.Microsecond }
	return Result{OK: o.ok, Reason: o.reason, Detail: o.detail, Latency: Latency{Total: at(0), Connect: at(1), TLS: at(2), FirstByte: at(3)}}
}

func (j *job) spec() *Spec { return j.first.spec }

// add makes c the last of the job's checks.
func (j *job) add(c *check) {
	c.job, c.next = j, nil
	if j.first == nil {
		j.first = c
	} else {
		j.last.next = c
	}
	j.last = c
	j.members++
}

func (j *job) clear() { j.first, j.last, j.members = nil, nil, 0 }

// up says whether any member is up: its probes go first when slots are short.
func (j *job) up() bool {
	for c := j.first; c != nil; c = c.next {
		if c.verdict.Up {
			return true
		}
	}
	return false
}

func (j *job) suspended() bool {
	for c := j.first; c != nil; c = c.next {
		if !c.spec.Suspended {
			return false
		}
	}
	return true
}

// ahead is how much earlier than its regular moment an attempt may start, to be made together with others.
func (j *job) ahead() time.Duration { return min(early, j.spec().Rules.interval()/earlyPart) }

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
func (q queue) Swap(a, b int)      { q[a], q[b] = q[b], q[a]; q[a].index, q[b].index = int32(a), int32(b) }

// Push is container/heap's; use put.
func (q *queue) Push(x any) { j := x.(*job); j.index = int32(len(*q)); *q = append(*q, j) }

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
		heap.Fix(q, int(j.index))
		return
	}
	heap.Push(q, j)
}

func (q *queue) drop(j *job) {
	if j.index >= 0 {
		heap.Remove(q, int(j.index))
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

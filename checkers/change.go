package checkers

import "time"

// What says what kind of Change it is.
type What uint8

// The kinds of change.
const (
	// Began: the check is new to the Scheduler, or a reload gave it another state; Up is what it starts with.
	Began What = iota
	// Rose: down to up.
	Rose
	// Fell: up to down.
	Fell
	// Reweighed: only Weight changed.
	Reweighed
)

// String is the word for logs.
func (w What) String() string { return [...]string{"began", "up", "down", "weight"}[w&3] }

// Change is a check's state having become another one. Of one check they come in order, beginning with Began; a Change is the
// whole state, so that missing one loses nothing that the next does not say.
type Change struct {
	// Seq rises with every Change of the Scheduler, from 1.
	Seq  uint64
	ID   ID
	What What
	Kind Kind
	// Target is what is asked, as text: Probe.Asks.
	Target string
	// Up is the state now, Weight the server's last word about its weight.
	Up     bool
	Weight Weight
	// Reason, Detail and Latency are those of the attempt that did it.
	Reason  Reason
	Detail  string
	Latency Latency
	// Attempts is how many failed attempts in a row led to Fell (successful ones to Rose).
	Attempts int
	// At is when, Since when the state before it began (zero for Began).
	At, Since time.Time
}

// NoticeKind is a kind of Notice.
type NoticeKind uint8

// The kinds of notice.
const (
	// FailedAttempt: an attempt failed without changing the state, and the check wants to tell (log_all_failures, or a new check
	// that is down from the start and failed for the first time).
	FailedAttempt NoticeKind = iota
	// ProbePanic: the probe's code panicked; Detail has the stack's head.
	ProbePanic
	// LocalFault: every check fails on the director's own side. Count is how many.
	LocalFault
	// LocalFaultOver: no longer.
	LocalFaultOver
	// Warned: an attempt passed with a warning that is new, such as a certificate's end.
	Warned
	// Flapping: damping holds the check down; Detail says until when.
	Flapping
	// Overloaded: attempts start late for want of free slots. Count is how many wait. Told at most once a minute.
	Overloaded
)

// Notice is something worth telling that changes no state.
type Notice struct {
	Kind  NoticeKind
	ID    ID
	Check Kind
	// Target is what is asked, as text: Probe.Asks.
	Target string
	Reason Reason
	Detail string
	// Attempt is the how manieth failed one in a row, of Of that bring the check down.
	Attempt, Of int
	Count       int
	At          time.Time
}

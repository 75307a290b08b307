package script

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

// Result is how one run ended. Exactly one of these holds: Err is set (it did not run, or was given up), TimedOut, Signal is set
// (something else killed it), or Exit counts.
type Result struct {
	// Exit is the exit status, 0 to 255, -1 when there is none.
	Exit int
	// Signal killed the program, 0 when it ended by itself.
	Signal syscall.Signal
	// TimedOut says that its time limit passed and its process group was killed.
	TimedOut bool
	// Output is what it printed on standard output and standard error, at most [MaxOutput] bytes, the first ones.
	Output string
	// Truncated says that it printed more than Output holds.
	Truncated bool
	// Took is how long the program ran.
	Took time.Duration
	// Err says why it did not run to its end: not found, not permitted, no such user, [ErrClosed], or the context's error.
	Err error
}

// ErrClosed is the Err of runs that a closed pool refused or cut short.
var ErrClosed = errors.New("the daemon is stopping")

// ErrBusy is the Err of runs that found no free place in the pool before their context's deadline.
var ErrBusy = errors.New("no free place among the programs")

// OK says that the program ran to its end and exited with status 0.
func (r Result) OK() bool { return r.Err == nil && !r.TimedOut && r.Signal == 0 && r.Exit == 0 }

// Reason is one short clause for a log line: "exited with status 1".
func (r Result) Reason() string {
	switch {
	case r.Err != nil:
		return r.Err.Error()
	case r.TimedOut:
		return fmt.Sprintf("did not end within %v and was killed", r.Took.Round(time.Millisecond))
	case r.Signal != 0:
		return fmt.Sprintf("killed by signal %d (%v)", int(r.Signal), r.Signal)
	}
	return fmt.Sprintf("exited with status %d", r.Exit)
}

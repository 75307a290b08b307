package probe

import (
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
)

// Clock is the real time for a checkers.Scheduler.
type Clock struct{}

// Now is time.Now.
func (Clock) Now() time.Time { return time.Now() }

// AfterFunc is time.AfterFunc.
func (Clock) AfterFunc(d time.Duration, f func()) checkers.Timer { return time.AfterFunc(d, f) }

package control

import (
	"encoding/json"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/internal/event"
)

// The operations of a Request.
const (
	OpStatus   = "status"
	OpReload   = "reload"
	OpHandover = "handover"
	OpDrain    = "drain"
	OpUndrain  = "undrain"
	OpWeight   = "weight"
	OpCheckNow = "check-now"
	OpConverge = "reconcile"
	OpEvents   = "events"
	OpLogLevel = "log-level"
)

// Request is what a client asks. Fields that an operation does not use stay empty.
type Request struct {
	// Op is one of the operations.
	Op string `json:"op"`
	// Wait asks reload to answer when the configuration is in force or refused.
	Wait bool `json:"wait,omitempty"`
	// Instance is the VRRP instance to hand over, "" for all.
	Instance string `json:"instance,omitempty"`
	// For is how long a handed-over instance does not preempt; 0 until told or until the successor dies.
	For time.Duration `json:"for,omitempty"`
	// Cancel takes a hand-over back.
	Cancel bool `json:"cancel,omitempty"`
	// VirtualServer and RealServer choose for drain, undrain and weight; check-now takes every check whose names or target match both, and
	// "" matches all.
	VirtualServer string `json:"virtual_server,omitempty"`
	RealServer    string `json:"real_server,omitempty"`
	// Weight is the weight an operator wants; negative takes it back.
	Weight int `json:"weight,omitempty"`
	// Timeout ends a drain although connections are left; 0 waits for the last one.
	Timeout time.Duration `json:"timeout,omitempty"`
	// Why is for the others who look at status.
	Why string `json:"why,omitempty"`
	// Follow keeps events coming; otherwise only the recent ones are sent.
	Follow bool `json:"follow,omitempty"`
	// Level is the new log level.
	Level string `json:"level,omitempty"`
	// By is who asks. The server fills it in from the socket's credentials.
	By string `json:"-"`
}

// Response is the answer to everything but events.
type Response struct {
	// Error is why it did not happen, "" when it did.
	Error string `json:"error,omitempty"`
	// Result depends on the operation.
	Result json.RawMessage `json:"result,omitempty"`
}

// Reloaded is the result of reload --wait.
type Reloaded struct {
	// Generation is the number of the configuration in force.
	Generation uint64 `json:"generation"`
	// Changed says whether anything had to be done.
	Changed bool `json:"changed"`
	// Operations are what was done, as holdfast plan prints it.
	Operations []string `json:"operations,omitempty"`
	// Warnings are the diagnostics that did not refuse it.
	Warnings []string `json:"warnings,omitempty"`
	// Problems are parts that wait for something (an interface, for instance).
	Problems []string `json:"problems,omitempty"`
}

// Checked is the result of check-now for one check; without Wait there are none, and Count alone tells how many there are.
type Checked struct {
	Count  int       `json:"count"`
	Checks []Attempt `json:"checks,omitempty"`
}

// Attempt is one check and the attempt that was asked for.
type Attempt struct {
	VirtualServer string `json:"virtual_server"`
	RealServer    string `json:"real_server"`
	Kind          string `json:"kind"`
	Target        string `json:"target"`
	// Limit is the longest the attempt could take.
	Limit time.Duration `json:"limit"`
	// Ended: the attempt has ended and Result says how; otherwise it still runs, or the check is suspended.
	Ended     bool            `json:"ended"`
	Suspended bool            `json:"suspended,omitempty"`
	Result    checkers.Result `json:"result"`
	// Up is the verdict after it; Streak how many results in a row contradict it.
	Up     bool `json:"up"`
	Streak int  `json:"streak,omitempty"`
	// Shared is how many checks the attempt serves.
	Shared int       `json:"shared"`
	Next   time.Time `json:"next,omitzero"`
}

// HandedOver is the result of handover.
type HandedOver struct {
	// Nothing is what was not MASTER here, so that there was nothing to hand over: it only does not preempt from now on.
	Nothing []string `json:"nothing,omitempty"`
}

// Converged is the result of reconcile.
type Converged struct {
	// Writes is how many operations repaired what differed.
	Writes int `json:"writes"`
	// Problems are what the kernel refused.
	Problems []string `json:"problems,omitempty"`
}

// Line is one line of the stream of events.
type Line struct {
	Event event.Event `json:"event"`
	// Missed is how many events were lost to this reader before this one.
	Missed uint64 `json:"missed,omitempty"`
}

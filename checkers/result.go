package checkers

import (
	"context"
	"time"
)

// Result is what one attempt found.
type Result struct {
	// OK: the server answered as it should.
	OK bool `json:"ok"`
	// Reason is why not.
	Reason Reason `json:"reason"`
	// Detail is one line for a person: what was seen.
	Detail string `json:"detail,omitempty"`
	// Latency is how long the attempt took, as far as it got.
	Latency Latency `json:"latency"`
	// Weight is what the server itself asked for, if it did.
	Weight Weight `json:"weight"`
	// Unsaid is what the answer did not speak of, so that it stays as it was.
	Unsaid Unsaid `json:"-"`
	// Warning is something to tell although the attempt passed, such as a certificate that ends soon.
	Warning string `json:"warning,omitempty"`
}

// Unsaid is a set of things that an agent's answer left alone. HAProxy's rule: "parameters which are not advertised by the agent are not
// changed", so an agent that said maint or drain has to say ready, one that said down has to say up.
type Unsaid uint8

// What an answer may leave alone.
const (
	// UnsaidUp: neither up nor down.
	UnsaidUp Unsaid = 1 << iota
	// UnsaidReady: none of ready, drain and maint.
	UnsaidReady
	// UnsaidWeight: no percentage.
	UnsaidWeight
)

// Latency is the time of an attempt by phase; a phase that did not happen is 0. Phases are durations, not moments.
type Latency struct {
	Total     time.Duration `json:"total"`
	Connect   time.Duration `json:"connect,omitempty"`
	TLS       time.Duration `json:"tls,omitempty"`
	FirstByte time.Duration `json:"first_byte,omitempty"`
}

// Pass is the Result of a success.
func Pass() Result { return Result{OK: true} }

// Fail is the Result of a failure.
func Fail(reason Reason, detail string) Result { return Result{Reason: reason, Detail: detail} }

// Prober makes one attempt. It returns within the probe's Limit plus a little, or soon after ctx is done, whatever the target
// does. It is called from many goroutines at once. checkers/probe has the real one.
type Prober interface {
	Probe(ctx context.Context, p *Probe) Result
}

// Starter is a Prober that can make some attempts without a goroutine that waits for each: with thousands of checks those cost more
// than the checks.
type Starter interface {
	Prober
	// Start begins an attempt and answers whether it could; now is the time. It does not block. end hears how the attempt ended: once,
	// within the probe's Limit plus a little, from any goroutine, perhaps before Start returns. p stays as it is until then.
	Start(p *Probe, now time.Time, end Ender) bool
	// Started says that some attempts were started and no other follows at once; until then how they end may wait.
	Started()
}

// Ender hears how an attempt ended, and when.
type Ender interface {
	End(r Result, at time.Time)
}

// Clock is the time the Scheduler lives by. checkers/probe has the real one.
type Clock interface {
	// Now is the time, with Go's monotonic reading.
	Now() time.Time
	// AfterFunc runs f in its own goroutine after d.
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is what AfterFunc returns; *time.Timer is one.
type Timer interface {
	Stop() bool
	Reset(d time.Duration) bool
}

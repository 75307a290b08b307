package seam

import (
	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// Message is one frame. Exactly one field is set.
type Message struct {
	// Balancer to router.
	Apply    *Apply       `json:",omitempty"`
	Track    *vrrp.Track  `json:",omitempty"`
	Ready    *vrrp.Ready  `json:",omitempty"`
	Handover *HandoverAsk `json:",omitempty"`
	Query    *Query       `json:",omitempty"`
	LogLevel *LogLevel    `json:",omitempty"`
	// Stopped: the balancer has removed what it owned and ends.
	Stopped *Stopped `json:",omitempty"`

	// Router to balancer.
	Snapshot     *Snapshot     `json:",omitempty"`
	Event        *Event        `json:",omitempty"`
	Applied      *Applied      `json:",omitempty"`
	Status       *Status       `json:",omitempty"`
	HandoverDone *HandoverDone `json:",omitempty"`
	Reload       *Reload       `json:",omitempty"`
	Dump         *Dump         `json:",omitempty"`
	Stop         *Stop         `json:",omitempty"`

	// Both ways, once a second: an end that says nothing for 5 s hangs.
	Heartbeat *Heartbeat `json:",omitempty"`
}

// Apply is the configuration of the router. Gen rises with every reload.
type Apply struct {
	Gen    uint64
	Config vrrp.Config
}

// Applied answers an Apply: Problems are states that heal, not refusals.
type Applied struct {
	Gen      uint64
	Problems []string
}

// Snapshot is always the first message of the router and follows every overflow.
type Snapshot struct {
	Seq       uint64
	Gen       uint64
	Instances []vrrp.Status
	// Adopted says that the router continues what a former one did.
	Adopted bool
	// Dropped counts events lost since the last Snapshot because the balancer did not read.
	Dropped uint64
}

// Event is something the router saw. Transition and Notice are set when it is one, for notify and the sync daemon.
type Event struct {
	Seq        uint64
	Event      event.Event
	Transition *vrrp.Transition `json:",omitempty"`
	Notice     *vrrp.Notice     `json:",omitempty"`
}

// Query asks for a Status, answered with the same Token.
type Query struct{ Token uint64 }

// Status answers a Query.
type Status struct {
	Token     uint64
	Instances []vrrp.Status
	Router    RouterStatus
}

// RouterStatus is about the router process.
type RouterStatus struct {
	PID int
	// LatenessMicros: how late timers fired, maximum and 99th percentile since the last Query, in microseconds.
	LatenessMaxMicros, LatenessP99Micros int64
	// Lateness is the same since the start.
	Lateness         Lateness
	BalancerRestarts uint64
	// UnknownAdverts counts packets for no instance of ours by reason.
	UnknownAdverts map[string]uint64 `json:",omitempty"`
	// Foreign are virtual routers heard that no instance here belongs to.
	Foreign []vrrp.Foreign `json:",omitempty"`
	// Adopted as in Snapshot.
	Adopted bool
}

// Lateness is a histogram of how late timers fired: Buckets[n] counts those that were less than 2^n microseconds late and not less than half of that.
type Lateness struct {
	Buckets          [32]uint64
	Count, SumMicros uint64
}

// HandoverAsk is the operator's wish to hand over; answered with HandoverDone of the same Token.
type HandoverAsk struct {
	Token    uint64
	Handover vrrp.Handover
}

// HandoverDone answers: Error is empty when a successor took over.
type HandoverDone struct {
	Token uint64
	Error string
	// Nothing is what was not MASTER here.
	Nothing []string `json:",omitempty"`
}

// LogLevel changes how much the router logs.
type LogLevel struct{ Level string }

// Reload is SIGHUP, received by the router.
type Reload struct{}

// Dump is one of the signals keepalived's exporters use: "data" (USR1), "stats" (USR2), "json" (36), "stats_clear" (63).
type Dump struct{ Kind string }

// Stop tells the balancer to remove what it owns and end. The router has let go of its addresses before.
type Stop struct{}

// Stopped answers Stop.
type Stopped struct{ Error string }

// Heartbeat says that the sender's loop turns.
type Heartbeat struct{ Seq uint64 }

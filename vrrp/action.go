package vrrp

import (
	"net/netip"
	"time"
)

// Action is something to be done outside: what Step answers. Actions are carried out in order.
type Action interface{ action() }

// Send sends one advertisement of the instance now.
type Send struct {
	ID       ID
	Priority uint8
	// Patience above 0: as soon as the Hold before it has been carried out, but not later than this. Somebody else serves until the advertisement is heard.
	Patience time.Duration
}

// Hold makes the addresses of the instance present (those that are missing are added), then its routes, then its rules. It names the full
// wanted lists; what this daemon holds for the instance beyond them goes, rules and routes first. Empty lists let everything go. An address that two
// instances hold (it moves between them in a reload) stays until the last lets go.
type Hold struct {
	ID        ID
	Addresses []Address
	Routes    []Route
	Rules     []Rule
	// NoAccept: packets to the addresses are dropped, except neighbour discovery and what IPVS forwards.
	NoAccept bool
}

// Announce sends Repeat gratuitous ARP (or unsolicited NA) frames for each address.
type Announce struct {
	ID        ID
	Addresses []Address
	Repeat    int
}

// Transition reports a change of state.
type Transition struct {
	ID       ID
	Name     string
	From, To State
	Priority uint8
	Reason   string
	// Group is the name of the sync group that moved as a whole with this instance as the last member, else "".
	Group string
}

// Refused reports a dropped advertisement.
type Refused struct {
	ID      ID
	Refusal Refusal
	// Count is how many of this reason from this sender the instance has seen since it last accepted one; report the first and every hundredth.
	Count uint64
}

// Notice is a thing an operator should know that is no transition: split brain suspected, address list differs, handover without successor ...
type Notice struct {
	ID   ID
	Name string
	// Kind is a constant word: "split_brain", "address_mismatch", "priority", "preempt_wait", "handover_done", "handover_failed", "fault_changed", "lower_priority" (a BACKUP is about to preempt), "master_rx_lower_pri" (a MASTER heard one of lower priority: runs notify_master_rx_lower_pri),
	// "late_wake", "unsigned", "clock_skew", "interval_mismatch", "window", "window_over", "handover_over", "start_without_result", "start_delayed", "address_denied", "address_set".
	Kind   string
	Detail string
	// Priority is the effective priority of the instance.
	Priority uint8
	// From is whose advertisements are the evidence, if it is worth looking for that machine.
	From netip.Addr
}

// HandoverEnded answers a Handover event, once for each, when all that it concerns have ended: Error is empty when nothing asked for is
// owned here any more, else it says what stayed and why.
type HandoverEnded struct {
	// Instance is what was asked for.
	Instance string
	Error    string
	// Nothing is what was not MASTER here: there was nothing to hand over.
	Nothing []string
}

// Released says that nothing is owned any more and the router may end.
type Released struct{}

func (Send) action()          {}
func (Hold) action()          {}
func (Announce) action()      {}
func (Transition) action()    {}
func (Refused) action()       {}
func (Notice) action()        {}
func (HandoverEnded) action() {}
func (Released) action()      {}

// State is the state of an instance.
type State uint8

// The states, as people know them; MASTER is RFC 9568's Active.
const (
	Init State = iota
	Backup
	Master
	Fault
)

// String is the state's name in capitals.
func (s State) String() string { return [...]string{"INIT", "BACKUP", "MASTER", "FAULT"}[s&3] }

// Status is what there is to know of one instance. It crosses the seam in Snapshots.
type Status struct {
	ID   ID
	Name string
	// State since when, and why.
	State  State
	Since  time.Time
	Reason string
	// Priority is the effective priority; Base the configured one.
	Priority, Base uint8
	// MasterAddr, MasterPriority: whose adverts were heard last.
	MasterAddr     string
	MasterPriority uint8
	Faults         []string
	// Group is the name of its sync group.
	Group     string
	Addresses []Address
	// Denied are those of them that the kernel refused to set when this router last was MASTER.
	Denied []DeniedAddress
	// Rival is another MASTER that is heard, or refused, while this router is MASTER; told as a split brain.
	Rival Rival
	// Takeover is how long after the MASTER's last advert this router takes over, all intervals being equal.
	Takeover time.Duration
	// Yielded: it has handed over and does not preempt. HandingOver: it has said priority 0 and waits for the successor.
	Yielded, HandingOver bool
	Counters             Counters
}

// Rival is another MASTER beside this one.
type Rival struct {
	// Addr is who it is, "" for nobody; Refused is why its adverts are not accepted here, "" if they are.
	Addr, Refused string
	Priority      uint8
	// Since is its first advert as a rival; from Until on, without another one, it is over.
	Since, Until time.Time
}

// Counters are what keepalived's .stats file counts, per instance, plus the refusals by reason.
type Counters struct {
	AdvertsReceived, AdvertsSent       uint64
	BecameMaster, ReleasedMaster       uint64
	PriorityZeroSent, PriorityZeroRcvd uint64
	// AddressMismatch counts accepted adverts whose list of addresses is another one.
	AddressMismatch uint64
	Refused         map[string]uint64
}

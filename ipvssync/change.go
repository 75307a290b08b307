package ipvssync

import (
	"net/netip"
	"time"
)

// ChangeKind is what happened to a pool.
type ChangeKind uint8

// The kinds of change.
const (
	// ServerUp and ServerDown: the server's checks now all pass, or one began to fail. From and To are weights.
	ServerUp ChangeKind = iota
	ServerDown
	// ServerAdded and ServerRemoved: it came or went by a new configuration. A removed server was deleted or has finished draining.
	ServerAdded
	ServerRemoved
	// WeightChanged: From and To are the weights wanted, steps of a slow start included.
	WeightChanged
	// QuorumGained and QuorumLost: From and To are Sum and the threshold it was compared with.
	QuorumGained
	QuorumLost
	// SorryOn and SorryOff: the sorry server serves, or stopped.
	SorryOn
	SorryOff
	// DrainStarted, DrainEnded (cancelled, the server serves again) and Drained (no connection left, or the time is up: the
	// server left the table).
	DrainStarted
	DrainEnded
	Drained
	// PanicOn and PanicOff: From is the share up in percent, To the threshold.
	PanicOn
	PanicOff
)

var changeNames = [...]string{"server up", "server down", "server added", "server removed", "weight changed", "quorum gained",
	"quorum lost", "sorry server on", "sorry server off", "drain started", "drain ended", "drained", "panic on", "panic off"}

// String names the kind for people.
func (k ChangeKind) String() string { return changeNames[k] }

// Change is one thing that happened to a pool, in the order in which it happened. It is comparable.
type Change struct {
	// Kind says what.
	Kind ChangeKind
	// Server is the id of the real server, "" for those about the whole pool.
	Server string
	// Addr is the server's configured address.
	Addr netip.AddrPort
	// From and To depend on the kind.
	From, To int
}

// Health is what one check says of one server. It is comparable.
type Health struct {
	// Up says that the check passes.
	Up bool
	// HasWeight says that Weight is meant: the weight the server should have in place of the configured one (misc_dynamic).
	// Of several checks the differences from the configured weight add up.
	HasWeight bool
	Weight    int
	// Delta is added to the weight (FILE_CHECK).
	Delta int
	// Drain asks for a server without new connections although it is up (an agent's "drain" or "maint").
	Drain bool
}

// Drain is an operator's wish that a server gets no new connections.
type Drain struct {
	// Since is when it was asked for.
	Since time.Time
	// Timeout after which the server leaves the table with what connections it has; 0 waits for the last one.
	Timeout time.Duration
	// By and Why are for status.
	By, Why string
	// Done says that the server had left the table already: a wish from before a restart.
	Done bool
}

// Status is a pool as people see it.
type Status struct {
	// ID is the pool's.
	ID string
	// Keys are its services.
	Keys []Key
	// Quorum says that it is held; Sum is the weight of the servers up, Gain and Lose the thresholds.
	Quorum          bool
	Sum, Gain, Lose int
	// Sorry says that the sorry server serves; Panic that failed servers serve too; Suspended that nothing is wanted.
	Sorry, Panic, Suspended bool
	// Servers are the real servers in the order of the file, leaving ones last.
	Servers []ServerStatus
}

// ServerStatus is a real server as people see it.
type ServerStatus struct {
	// ID and Addr are its identity and configured address.
	ID   string
	Addr netip.AddrPort
	// Up says that every check passes. Failing are the ids of those that do not.
	Up      bool
	Failing []string
	// Configured and Weight are the static weight and the one wanted now.
	Configured, Weight int
	// Present says that the server is wanted in the table.
	Present bool
	// Draining, Drained and Leaving: it gets no new connections; it has left the table; it goes when that is done because
	// the configuration has it no more.
	Draining, Drained, Leaving bool
	// Drain is the operator's wish while Draining.
	Drain Drain
	// Connections are those last reported by SetConnections, -1 when never.
	Connections int
	// Override is the weight an operator set, -1 for none.
	Override int
}

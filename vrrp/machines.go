package vrrp

import (
	"net/netip"
	"time"
)

// Machines are the state machines of all instances of one router and the sync groups between them.
type Machines struct{}

// New makes machines without any instance.
func New() *Machines { return &Machines{} }

// Apply brings the machines to cfg: new instances start, gone ones let go, changed ones change in place and keep their state where that is
// possible. An unchanged instance gets no action at all.
func (m *Machines) Apply(now time.Time, cfg Config) []Action { return nil }

// Step takes one event and answers with what is to be done.
func (m *Machines) Step(now time.Time, ev Event) []Action { return nil }

// Receive takes what a socket delivered: it parses, finds the instance by (interface, family, VRID), refuses or steps.
func (m *Machines) Receive(now time.Time, p Packet) []Action { return nil }

// Packet builds what a Send action puts on the wire from src: one packet to the group, or one to each unicast peer.
func (m *Machines) Packet(s Send, src netip.Addr) []Outgoing { return nil }

// Unknown counts dropped packets that belong to no instance, by reason.
func (m *Machines) Unknown() map[string]uint64 { return nil }

// Deadline is when Tick is due next; false if nothing waits.
func (m *Machines) Deadline() (time.Time, bool) { return time.Time{}, false }

// Snapshot is the status of every instance, ordered by name.
func (m *Machines) Snapshot() []Status { return nil }

package vrrp

import (
	"net/netip"
	"time"
)

// Event is something that happened outside: what Step takes.
type Event interface{ event() }

// Tick says that the deadline which [Machines.Deadline] named has been reached and every socket was read empty before.
type Tick struct{}

// Received is an advertisement for the instance, already parsed; the refusal, if there is one, is counted and nothing else happens.
type Received struct {
	ID      ID
	Advert  Advert
	From    netip.Addr
	Refusal *Refusal
}

// Booted says how long the kernel has been running (CLOCK_BOOTTIME). It comes before the first Apply, for Config.DelayAfterBoot.
type Booted struct{ For time.Duration }

// Link is the state of a network interface now.
type Link struct {
	Name string
	// Exists and Up: the interface is there; it is administratively up and has carrier.
	Exists, Up bool
	// Source4 and Source6 are the addresses adverts would be sent from (first IPv4, first link-local IPv6); zero if there is none.
	Source4, Source6 netip.Addr
}

// Track is the value of a tracked script, file or process. It crosses the seam.
type Track struct {
	// ID is as in TrackRef.
	ID string
	// Known is false until the first result: the value then neither faults nor weighs (scripts with init_fail send a value at once).
	Known bool
	// OK is the result of a script or process.
	OK bool
	// Value is the number in a file, -254 to 254; 0 for the others.
	Value int
}

// Ready says whether this director could serve if it owned the addresses (first reconcile done, every checker ran once).
type Ready struct {
	OK bool
	// Away: the balancer is not there or not READY again; after Config.HoldWithoutBalancer instances that serve go to FAULT.
	Away bool
	// Lasting: it cannot balance for a reason that waiting does not mend (no IPVS in the kernel): the 30 s cap does not apply, a
	// living MASTER is left alone.
	Lasting bool
	Reason  string
}

// Release is the planned stop of everything: hand over, then let go (design, invariant 6).
type Release struct{}

// ReleaseNow lets go at once, without waiting for a successor (second SIGTERM).
type ReleaseNow struct{}

// Handover asks the instance of that name (or every instance, when empty) to give its addresses to a successor and not to preempt for
// the given time (0: until told or until the successor dies). Cancel takes it back.
type Handover struct {
	Instance string
	For      time.Duration
	Cancel   bool
}

// Adopt makes the machines continue as they were before a crash: a MASTER stays MASTER and says so with one advert before anything else.
//
// It comes after the first Apply and before the first Tick; Links may come in between.
type Adopt struct {
	Instances []Adopted
	// Tracks are the last known values. Where they are not known, the adopted priority stays until they are.
	Tracks []Track
}

// Adopted is what one instance was.
type Adopted struct {
	ID       ID
	State    State
	Priority uint8
}

// Trouble is a fault that the outside found with an instance: an address that cannot be added, one that somebody else keeps removing. An
// empty Detail takes the trouble of that Kind back.
type Trouble struct {
	ID   ID
	Kind string
	// Detail is what an operator reads as the fault.
	Detail string
}

// Taken says that somebody else removed an address, a route or a rule that is held for the instance. The router puts it back; the machines count, and stop
// fighting when it happens too often.
type Taken struct {
	ID ID
	// Prefix is the address; What names a route or rule instead, "route to 10.0.0.0/8 via 192.0.2.1".
	Prefix netip.Prefix
	What   string
}

func (Taken) event()      {}
func (Denied) event()     {}
func (Booted) event()     {}
func (Trouble) event()    {}
func (Tick) event()       {}
func (Received) event()   {}
func (Link) event()       {}
func (Track) event()      {}
func (Ready) event()      {}
func (Release) event()    {}
func (ReleaseNow) event() {}
func (Handover) event()   {}
func (Adopt) event()      {}

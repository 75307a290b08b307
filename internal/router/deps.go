package router

import (
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/vrrp"
	"github.com/holdfast-ha/holdfast/vrrp/vrrpnet"
)

// Wire is what the loop sends and receives with; none of it may wait. *vrrpnet.Wire is the real one.
type Wire interface {
	Readable() <-chan struct{}
	// Gather lets packets of a long dense row wait for each other for at most this long before Readable fires; 0 for never.
	Gather(most time.Duration)
	Listen(want map[vrrpnet.Endpoint][]netip.Addr) error
	Drain(deliver func(vrrp.Packet))
	Send(e vrrpnet.Endpoint, src netip.Addr, out vrrp.Outgoing) error
	// SendFrom sends one multicast packet on the interface with this number from a virtual MAC.
	SendFrom(index int, mac net.HardwareAddr, src netip.Addr, out vrrp.Outgoing) error
	Close()
}

// Kernel is what holds addresses. Changes belongs to the loop, Sender to anybody, everything else to the kernel goroutine, where it may take its time.
type Kernel interface {
	Changes() <-chan vrrpnet.Change
	Hold(owner string, want []vrrpnet.Held) error
	// Denied are the held addresses that the kernel refused when it was last asked for them.
	Denied() []vrrp.DeniedAddress
	Restore(iface string, prefix netip.Prefix) (bool, error)
	// Forget leaves an address alone that somebody else removed, until it is asked for anew.
	Forget(iface string, prefix netip.Prefix)
	Refresh() error
	HoldRoutes(owner string, routes []vrrp.Route, rules []vrrp.Rule) error
	RefreshRoutes() ([]vrrpnet.RestoredRoute, error)
	RemoveRoutes(routes []vrrp.Route, rules []vrrp.Rule) error
	Remove(addrs []vrrp.Address) error
	// MakeVMACs, SwitchVMAC and RestoreSettings are as in vrrpnet.VMACs.
	MakeVMACs(want []vrrpnet.MACVLAN) (changed map[string]string, err error)
	SwitchVMAC(name string, up bool) error
	RestoreSettings(values map[string]string) error
	// Shield keeps packets to the addresses from local programs; nil undoes it.
	Shield(addrs []netip.Addr) error
	Announce(index int, mac net.HardwareAddr, addr netip.Addr) error
	// Ask asks the segment who has addr, in the name of src at mac.
	Ask(index int, mac net.HardwareAddr, src, addr netip.Addr) error
	// Sender waits for the hardware address that adverts from this address come from. It may be called from any goroutine.
	Sender(index int, from netip.Addr, wait time.Duration) (net.HardwareAddr, error)
	// Answers asks the segment who has an IPv4 address, in the name of src at mac, and waits for the answers. It may be called from any goroutine.
	Answers(index int, mac net.HardwareAddr, src, addr netip.Addr, wait time.Duration) ([]net.HardwareAddr, error)
	Close()
}

// Store remembers across a crash. None of it may wait.
type Store interface {
	// Load reads what a former router left; ok is false if there is nothing. age is the time since its last Stamp.
	Load() (s Saved, age time.Duration, ok bool, err error)
	// Save replaces it. The argument must not be changed afterwards.
	Save(s Saved)
	// Sequences reads the auth_hmac sequences that were saved last, SaveSequences replaces them. The argument must not be changed afterwards.
	Sequences() ([]vrrp.Sequences, error)
	SaveSequences(all []vrrp.Sequences)
	// Stamp says that adverts were sent just now.
	Stamp()
	// Clear forgets the state for adoption: the router ended in an orderly way.
	Clear()
}

// Child is a running balancer.
type Child struct {
	PID  int
	Conn net.Conn
	// Exited delivers how it ended, once.
	Exited <-chan Exit
	// Kill ends it without asking.
	Kill func()
}

// Exit is how a process ended.
type Exit struct {
	// Code is the exit code, -1 after a signal.
	Code   int
	Reason string
}

// Deps are what the router works with.
type Deps struct {
	Wire   Wire
	Kernel Kernel
	Store  Store
	// Start starts a balancer.
	Start func() (Child, error)
	// Signals are the signals of the process, as os/signal delivers them.
	Signals <-chan os.Signal
	// Bus takes the router's events. Nil swallows them.
	Bus *event.Bus
	// Notify tells the service manager (sd_notify(3)). Nil if there is none.
	Notify func(state string)
	// SetLevel changes how much is logged. May be nil.
	SetLevel func(level string) error
	// Schedule asks the operating system to run this process so; it may be called from any goroutine. May be nil.
	Schedule func(p vrrp.Process) error
	// Watchdog is how often the service manager wants to hear from the loop; 0 for never.
	Watchdog time.Duration
	// BootID and NetNS identify this boot and network namespace: state of another is not believed.
	BootID, NetNS string
}

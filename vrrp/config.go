package vrrp

import (
	"fmt"
	"net/netip"
	"time"
)

// Family is the IP version an instance speaks: 4 or 6.
type Family uint8

// The two families.
const (
	IPv4 Family = 4
	IPv6 Family = 6
)

// ID is the identity of an instance on one host: not its name, which an operator may change in a reload, but what its peers see.
// (The network namespace is the daemon's own.)
type ID struct {
	Interface string
	Family    Family
	VRID      uint8
	// Part tells instances apart that share the rest, as unicast instances with different peers may; "" for the first of them.
	Part string `json:",omitempty"`
}

// String prints the identity as "eth0/4/51".
func (id ID) String() string {
	s := fmt.Sprintf("%s/%d/%d", id.Interface, id.Family, id.VRID)
	if id.Part != "" {
		s += "/" + id.Part
	}
	return s
}

// Config is the whole input of the room, as the seam's Apply carries it. Plain values only.
type Config struct {
	Instances []Instance
	Groups    []Group
	// Statics are addresses that are there while the daemon runs, whoever is MASTER (static_ipaddress).
	Statics []Address
	// StartupDelay is how long the router says nothing after its start (vrrp_startup_delay).
	StartupDelay time.Duration
	// DelayAfterBoot is how long after the boot of the kernel, as Booted tells it, no instance starts (vrrp_delay_after_boot).
	DelayAfterBoot time.Duration
	// StaticRoutes and StaticRules are there while the daemon runs, whoever is MASTER.
	StaticRoutes []Route
	StaticRules  []Rule
	// HoldWithoutBalancer is how long instances stay up while the director cannot balance (balancer_down_fault); 0 means for ever.
	HoldWithoutBalancer time.Duration
	// TransitionWindow is how long the former form of adverts is accepted after a reload that changes authentication, version,
	// transport or peers (transition_window, 60 s).
	TransitionWindow time.Duration
	// Process is how the process that runs the machines is to be run.
	Process Process
}

// Process is what an operator may ask of the operating system for the router.
type Process struct {
	// Nice is its nice value, -20 to 19; 0 leaves what it was started with (vrrp_priority).
	Nice int
	// Unasked says that Nice and RealTime are defaults: they are tried, and only if the process was started with an ordinary priority.
	Unasked bool
	// RealTime is its SCHED_RR priority, 1 to 99; 0 for none (vrrp_rt_priority).
	RealTime int
	// Resident keeps its memory from being swapped out (vrrp_no_swap).
	Resident bool
	// CPUs are the numbers of those it may run on, "0 2"; "" for all.
	CPUs string
	// MaxAuto is how far RealTime is raised, by one each time that a timer is AutoDelay late; 0 for never (max_auto_priority).
	MaxAuto   int
	AutoDelay time.Duration
}

// Auth is an instance's authentication.
type Auth struct {
	// Type is "", "PASS" (RFC 2338 simple text, v2) or "AH" (v2).
	Type string
	// Key is the shared word, at most 8 bytes for both.
	Key string
}

// Address is one virtual (or static) address.
type Address struct {
	Prefix netip.Prefix
	// Interface is where it lives; "" means the instance's own.
	Interface string
	// On, when not empty, is the virtual interface above Interface that carries it: the one of use_vmac or use_ipvlan, or one of the
	// instance's AddressVMACs.
	On        string
	Label     string
	Broadcast netip.Addr
	Scope     uint8
	// Excluded addresses are not in the adverts (virtual_ipaddress_excluded).
	Excluded bool
	// NoTrack: losing its interface does not make the instance FAULT.
	NoTrack bool
	// Deprecated addresses have preferred lifetime 0: they are never chosen as a source.
	Deprecated bool
	// Preferred is how long the address may be chosen as a source, counted from when it was added; 0 for as long as it is there.
	Preferred time.Duration
	// Peer is the other end of a point-to-point link, with the length of its prefix; not valid for none.
	Peer netip.Prefix
	// DAD has the kernel look for another holder of an IPv6 address before it is used (-nodad).
	DAD bool
	// Home, MngTmpAddr, NoPrefixRoute and AutoJoin are the kernel's flags of those names (ip-address(8)).
	Home, MngTmpAddr, NoPrefixRoute, AutoJoin bool
}

// TrackInterface is one line of track_interface.
type TrackInterface struct {
	Name string
	// Weight 0 means FAULT when it is down; otherwise it is added to the priority (positive: while up; negative: while down).
	Weight  int
	Reverse bool
}

// TrackRef is one line of track_script, track_file or track_process.
type TrackRef struct {
	// ID names the value that crosses the seam: "script/NAME", "file/NAME", "process/NAME".
	ID string
	// Weight 0 means FAULT when the value is down; for a file the value is multiplied by it.
	Weight  int
	Reverse bool
}

// Gratuitous says how gratuitous ARP and unsolicited NA are repeated.
type Gratuitous struct {
	// Repeat is the number of frames per address in a burst (garp_master_repeat, 5).
	Repeat int
	// Delay is the time to the second burst after becoming MASTER, 0 for none (garp_master_delay, 5 s).
	Delay time.Duration
	// Refresh is the time between refreshes while MASTER, 0 for none.
	Refresh       time.Duration
	RefreshRepeat int
	// LowerPrioDelay and LowerPrioRepeat rule the bursts after an advert of lower priority was seen while MASTER.
	LowerPrioDelay  time.Duration
	LowerPrioRepeat int
	// Interval and NAInterval are the least time between two frames on one interface, 0 for none.
	Interval   time.Duration
	NAInterval time.Duration
	// ExtraInterval is the time between announcements of addresses on other interfaces than the instance's while MASTER, 0 for none (garp_extra_if): of those on
	// AddressVMACs or, with ExtraAll, of all.
	ExtraInterval time.Duration
	ExtraAll      bool
}

// VMAC is the interface that carries an instance's addresses: a macvlan with the virtual router's own MAC (use_vmac), or an ipvlan with the MAC of the
// interface below (use_ipvlan). The zero value means none.
type VMAC struct {
	// Name is the name of the macvlan or ipvlan on the instance's interface.
	Name string
	// MAC is the macvlan's hardware address, by default that of RFC 9568 section 7.3: 00:00:5e:00:01:VRID, for IPv6 00:00:5e:00:02:VRID. "" for an ipvlan.
	MAC string
	// XmitBase sends adverts from the instance's interface.
	XmitBase bool
	// IPVLAN makes it an ipvlan of layer 2.
	IPVLAN bool
	// Mode of an ipvlan is "bridge", "private" or "vepa".
	Mode string
	// Own is the ipvlan's own address, which is there all the time and which adverts come from. Not valid for a macvlan.
	Own netip.Prefix
	// LinkGroup is its link group, a number or a name of /etc/iproute2/group; "" is that of the interface below.
	LinkGroup string
	// NotifyBase has the kernel tell of the interface below once more when this one was made on it.
	NotifyBase bool
}

// AddressVMAC is a macvlan for addresses on another interface, or of the other family, than the instance's (use_vmac_addr).
type AddressVMAC struct {
	VMAC
	// Parent is the interface it is made on.
	Parent string
}

// Peer is one unicast peer.
type Peer struct {
	Addr netip.Addr
	// MinTTL and MaxTTL bound the TTL of what it sends; 0 means no bound.
	MinTTL, MaxTTL uint8
}

// Instance is one virtual router.
type Instance struct {
	Name      string
	Interface string
	Family    Family
	VRID      uint8
	// Part is that of the ID.
	Part string `json:",omitempty"`
	// VRF says that Interface is a VRF device: adverts go and come through any interface in it.
	VRF bool
	// Version is 2 or 3.
	Version uint8
	// Priority is the base priority, 1 to 255; 255 is the owner of the addresses.
	Priority uint8
	// Interval is the time between adverts: whole seconds in v2, whole centiseconds in v3.
	Interval time.Duration
	// NoPreempt: a living MASTER of lower priority is left alone.
	NoPreempt bool
	// PreemptDelay is how long a better router waits before it takes over from a living MASTER.
	PreemptDelay time.Duration
	// LateBackup makes a MASTER go to BACKUP when it was silent for so long that a router of this priority, 1 to
	// 254, may have taken over, though nobody is heard; 0: it stays MASTER (timer_expired_backup).
	LateBackup uint8
	// StartMaster is "state MASTER" in the configuration: a hint that keepalived heeds for priority 255 only.
	StartMaster bool
	Auth        Auth
	// HMAC is auth_hmac; nil for none.
	HMAC *HMAC
	// Source is the address adverts are sent from; the zero value means the interface's first.
	Source netip.Addr
	// TrackSource: FAULT while the interface does not have Source (track_src_ip).
	TrackSource bool
	// Group is the multicast destination; the zero value means the standard group.
	Group netip.Addr
	// Peers makes the instance unicast when not empty.
	Peers []Peer
	// UnicastFaultNoPeer: FAULT while no peer is configured.
	UnicastFaultNoPeer bool
	// CheckUnicastSource drops adverts that do not come from a peer.
	CheckUnicastSource bool
	// TTL is what adverts are sent with; 0 means 255.
	TTL       uint8
	Addresses []Address
	// Routes and Rules are there while the instance is MASTER.
	Routes []Route
	Rules  []Rule
	VMAC   VMAC
	// AddressVMACs carry those of Addresses that say so with On.
	AddressVMACs []AddressVMAC
	// NoAccept drops packets to the addresses while MASTER, unless the instance owns them (priority 255).
	NoAccept bool
	// ChecksumAsV2 leaves the pseudo-header out of the v3 IPv4 checksum.
	ChecksumAsV2 bool
	// OldUnicastChecksum has the multicast group in place of the destination in the pseudo-header of unicast v3 IPv4 adverts (old_unicast_checksum); the
	// right form is accepted as well.
	OldUnicastChecksum bool
	// SkipCheckAdvAddr: the list of addresses in an advert is not compared when the same MASTER sent it as before.
	SkipCheckAdvAddr bool
	// DownTimerAdverts is the number of missed adverts before a takeover (3).
	DownTimerAdverts int
	// LowerPrioNoAdvert: do not answer an advert of lower priority at once.
	LowerPrioNoAdvert bool
	// HigherPrioSendAdvert: send one more advert when yielding.
	HigherPrioSendAdvert bool
	// OwnerIgnoreAdverts: a router of priority 255 ignores adverts.
	OwnerIgnoreAdverts bool
	Gratuitous         Gratuitous
	TrackInterfaces    []TrackInterface
	Tracks             []TrackRef
	// DontTrackPrimary: losing the instance's own interface is no FAULT.
	DontTrackPrimary bool
	// Blocked, when not empty, keeps the instance in FAULT: the configuration has an error that concerns it (design 6b).
	Blocked string
	// Serves says that virtual servers or other things of the balancer depend on this director: preemption waits for READY.
	Serves bool
}

// ID is the identity of the instance.
func (i Instance) ID() ID {
	return ID{Interface: i.Interface, Family: i.Family, VRID: i.VRID, Part: i.Part}
}

// Group is a sync group: its members change state together.
type Group struct {
	Name    string
	Members []ID
	// TrackingWeight lets members with weights keep them (sync_group_tracking_weight).
	TrackingWeight bool
	// TrackInterfaces and Tracks of the group count for every member.
	TrackInterfaces []TrackInterface
	Tracks          []TrackRef
}

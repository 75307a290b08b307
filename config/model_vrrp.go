package config

import (
	"net/netip"
	"time"
)

// VRRPInstance is a vrrp_instance block with global defaults filled in.
type VRRPInstance struct {
	Meta
	Name string
	// Blocked is why this instance must not run (FAULT with reason config): a word that decides who owns the address was not
	// understood or is not acted on yet. "" when it may run.
	Blocked string

	State        string // MASTER or BACKUP: a hint only, see the reference on state
	Interface    string
	VRID         int
	Priority     int
	PrioritySet  bool
	Version      int
	IPv6         bool // family of the adverts
	AdvertInt    time.Duration
	AuthType     string // "", PASS or AH
	AuthPass     string // at most 8 bytes
	AuthHMAC     AuthHMAC
	VIPs         []Address
	ExcludedVIPs []Address
	Routes       []Route
	Rules        []Rule

	NoVirtualIPAddress bool
	PromoteSecondaries bool

	TrackInterfaces []Track
	TrackScripts    []Track
	TrackFiles      []Track
	TrackProcesses  []Track
	TrackBFDs       []Track
	// TrackVirtualServers name virtual servers of this file, see VirtualServer.TrackName. Not in keepalived.
	TrackVirtualServers []Track
	TrackSrcIP          bool
	DontTrackPrimary    bool

	NoPreempt          bool
	PreemptDelay       time.Duration
	TimerExpiredBackup int // 0 = off
	DownTimerAdverts   int

	GarpMasterDelay         time.Duration
	GarpMasterRepeat        int
	GarpMasterRefresh       time.Duration
	GarpMasterRefreshRepeat int
	GarpLowerPrioDelay      time.Duration
	GarpLowerPrioRepeat     int
	GarpExtraIf             time.Duration
	GarpExtraIfAll          bool
	LowerPrioNoAdvert       bool
	HigherPrioSendAdvert    bool
	OwnerIgnoreAdverts      bool

	// SrcIP is the source of the adverts; the zero address means the interface's primary one.
	SrcIP              netip.Addr
	UnicastPeers       []UnicastPeer
	Unicast            bool // unicast_peer given, even if empty
	UnicastFaultNoPeer bool
	UnicastTTL         int
	CheckUnicastSrc    bool
	OldChecksum        string // "", "yes" or "never"
	McastDst           netip.Addr

	SkipCheckAdvAddr bool
	Strict           bool
	V3ChecksumAsV2   bool
	Accept           bool

	UseVMAC       bool
	VMACName      string
	VMACAddr      string // a MAC given by hand; of five octets, the last is the VRID
	UseVMACAddr   bool
	VMACXmitBase  bool
	UseIPVLAN     bool
	IPVLANName    string
	IPVLANAddr    netip.Prefix
	IPVLANMode    string
	VMACNetlink   bool
	VMACGroup     string // link group of the macvlan or ipvlan: a number or a name of /etc/iproute2/group
	VRF           string
	NotifyMaster  Command
	NotifyBackup  Command
	NotifyFault   Command
	NotifyStop    Command
	NotifyDeleted Command
	Notify        Command
	// NotifyRxLower is notify_master_rx_lower_pri.
	NotifyRxLower         Command
	ReportDeleted         bool // notify_deleted given, with or without a command
	NotifyPriorityChanges bool
	SMTPAlert             bool
	LVSSyncInterface      string
	KernelRxBuf           int
}

// AuthHMAC is the auth_hmac block, keepalived's own trailer.
type AuthHMAC struct {
	Given bool
	Keys  []HMACKey
	// ActiveKey is -1 when not given.
	ActiveKey int
	// TimeWindow is in whole seconds; AntiReplay is time or monotonic; Mode enforce, permissive or receive-only.
	TimeWindow time.Duration
	AntiReplay string
	Mode       string
	Pos        Pos
}

// HMACKey is one key of auth_hmac; Value is as written (may begin with hex: or file:).
type HMACKey struct {
	ID    int
	Value string
	// Secret is the key itself, 32 to 64 bytes.
	Secret []byte
	Pos    Pos
}

// UnicastPeer is a line of unicast_peer. TTL limits are -1 when not given.
type UnicastPeer struct {
	Addr           netip.Addr
	MinTTL, MaxTTL int
	Pos            Pos
}

// Track is a line of a track_ list. Weight 0 means that a failure is a FAULT.
type Track struct {
	Name    string
	Weight  int
	Reverse bool
	// WeightSet says that the line gave a weight of its own rather than the tracked object's.
	WeightSet bool
	Pos       Pos
}

// SyncGroup is a vrrp_sync_group block.
type SyncGroup struct {
	Meta
	Name    string
	Blocked string // as VRRPInstance.Blocked, for every member
	Members []string

	TrackInterfaces []Track
	TrackScripts    []Track
	TrackFiles      []Track
	TrackProcesses  []Track
	TrackBFDs       []Track
	// TrackVirtualServers as in VRRPInstance.
	TrackVirtualServers []Track
	// TrackingWeight is sync_group_tracking_weight: members keep their weighted trackers.
	TrackingWeight bool

	NotifyMaster, NotifyBackup, NotifyFault, NotifyStop, Notify Command
	NotifyPriorityChanges                                       bool
	SMTPAlert                                                   bool
}

// VRRPScript is a vrrp_script block.
type VRRPScript struct {
	Meta
	Name     string
	Script   Command
	Interval time.Duration
	Timeout  time.Duration
	Weight   int
	Reverse  bool
	Rise     int
	Fall     int
	InitFail bool
}

// TrackFile is a track_file block.
type TrackFile struct {
	Meta
	Name          string
	File          string
	Weight        int
	Reverse       bool
	Init          bool
	InitValue     int
	InitOverwrite bool
}

// TrackProcess is a vrrp_track_process block.
type TrackProcess struct {
	Meta
	Name       string
	Process    string
	Params     []string
	ParamMatch string // "", "exact", "initial" or "partial"
	Weight     int
	Reverse    bool
	Quorum     int
	QuorumMax  int // -1 = no limit

	ForkDelay, TerminateDelay time.Duration
	FullCommand               bool
}

// BFDInstance is a bfd_instance block.
type BFDInstance struct {
	Meta
	Name              string
	Neighbor, Source  netip.Addr
	MinRx, MinTx      time.Duration
	IdleTx            time.Duration
	Multiplier        int
	Passive           bool
	TTL               int // 0 = 255 for IPv4, 64 for IPv6
	MaxHops           int
	Multihop          bool
	Weight            int
	Reverse           bool
	ForVRRP, ForCheck bool
}

// TrackGroup names instances to put in FAULT when a static item's interface fails.
type TrackGroup struct {
	Meta
	Name    string
	Members []string
}

// GarpGroup makes interfaces share one limit for gratuitous ARP and neighbour advertisements.
type GarpGroup struct {
	Meta
	GarpInterval, GnaInterval time.Duration
	Interfaces                []string
}

// Address is an entry of virtual_ipaddress, virtual_ipaddress_excluded or static_ipaddress.
type Address struct {
	// Prefix has the address with its host bits; /32 or /128 when no length was written.
	Prefix netip.Prefix
	// LenGiven says that the length was written.
	LenGiven bool
	// Dev is "" for the instance's interface (or default_interface).
	Dev string
	// Broadcast is "", "+", "-" or an address.
	Broadcast    string
	Label        string
	Scope        string // "" = global
	Peer         netip.Prefix
	Home         bool
	MngTmpAddr   bool
	NoPrefixRt   bool
	AutoJoin     bool
	DAD          bool   // -nodad: do duplicate address detection
	PreferredLft string // "", "forever" or seconds
	NoTrack      bool
	TrackGroup   string
	UseVMAC      bool
	Pos          Pos
}

// Route is an entry of virtual_routes or static_routes.
type Route struct {
	Type string // "unicast" by default
	IPv6 bool
	// Dst is the zero Prefix length for default.
	Dst        netip.Prefix
	Src        netip.Addr
	Via        netip.Addr
	Dev        string
	Table      string
	Metric     uint32
	MetricSet  bool
	Scope      string
	Protocol   string
	Onlink     bool
	MTU        int
	MTULock    bool
	Nexthops   []Nexthop
	VRF        string
	NoTrack    bool
	TrackGroup string
	// Other are the remaining iproute2 words, in order.
	Other []string
	Pos   Pos
}

// Nexthop is one of several next hops of a Route.
type Nexthop struct {
	Via    netip.Addr
	Dev    string
	Weight int
	Onlink bool
	Other  []string
}

// Rule is an entry of virtual_rules or static_rules.
type Rule struct {
	IPv6       bool
	Not        bool
	From, To   netip.Prefix // invalid = all
	Table      string
	Priority   uint32
	PrioSet    bool
	Fwmark     uint32
	Fwmask     uint32
	IIf, OIf   string
	Action     string // "" = table lookup; goto, nop, blackhole, unreachable, prohibit
	NoTrack    bool
	TrackGroup string
	Other      []string
	Pos        Pos
}

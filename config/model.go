package config

import (
	"net/netip"
	"strconv"
	"time"
)

// Pos is a place in a configuration file. Line and Col count from 1; the zero Pos means "nowhere" (a default).
type Pos struct {
	File string
	Line int
	Col  int
}

// String is file:line:col.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Col)
}

// Meta is part of every object of the Model: where it begins and where each of its keywords stands.
type Meta struct {
	Pos Pos
	set []keyPos
}

type keyPos struct {
	key string
	pos Pos
}

// Has says whether the file itself gave the keyword for this object, as opposed to a default or an inherited value.
func (m *Meta) Has(keyword string) bool { _, ok := m.lookup(keyword); return ok }

// At is where the keyword stands, or where the object begins when the keyword was not given.
func (m *Meta) At(keyword string) Pos {
	if p, ok := m.lookup(keyword); ok {
		return p
	}
	return m.Pos
}

func (m *Meta) lookup(keyword string) (Pos, bool) {
	for i := range m.set {
		if m.set[i].key == keyword {
			return m.set[i].pos, true
		}
	}
	return Pos{}, false
}

func (m *Meta) mark(keyword string, p Pos) { m.set = append(m.set, keyPos{keyword, p}) }

// Model is a whole configuration with every default and every inherited value filled in. Nobody changes it after Parse.
type Model struct {
	// Syntax is "keepalived" or "yaml".
	Syntax string
	// Files are the files that were read, in order, the first being the one asked for.
	Files []string
	// ConfigID is what the @id conditionals were compared with.
	ConfigID string

	// NetNamespace is the namespace to run in, "" for the one we are started in.
	NetNamespace string
	// NetNamespaceIPVS is the namespace whose IPVS table is used; only meaningful when NetNamespaceIPVSSet.
	NetNamespaceIPVS    string
	NetNamespaceIPVSSet bool
	// InstanceName is the `instance` keyword: part of pid file names and dumps.
	InstanceName string
	// UsePidDir asks for pid files in /run/keepalived.
	UsePidDir bool
	// ChildWaitTime is how long a stop waits for helpers.
	ChildWaitTime time.Duration
	// LinkDelays debounce link state per interface.
	LinkDelays []LinkDelay
	// LinkPolling are the interfaces whose media state is polled, LinkPollAll asks for all of them.
	LinkPolling []LinkPoll
	LinkPollAll bool

	Global         GlobalDefs
	Instances      []VRRPInstance
	Groups         []SyncGroup
	Scripts        []VRRPScript
	TrackFiles     []TrackFile
	TrackProcesses []TrackProcess
	BFDs           []BFDInstance
	TrackGroups    []TrackGroup
	GarpGroups     []GarpGroup

	StaticAddresses []Address
	StaticRoutes    []Route
	StaticRules     []Rule

	VirtualServerGroups []VirtualServerGroup
	LocalAddressGroups  []LocalAddressGroup
	VirtualServers      []VirtualServer
	SSL                 SSL
}

// Instance finds a VRRP instance by name, nil if there is none.
func (m *Model) Instance(name string) *VRRPInstance {
	for i := range m.Instances {
		if m.Instances[i].Name == name {
			return &m.Instances[i]
		}
	}
	return nil
}

// Script finds a vrrp_script by name, nil if there is none.
func (m *Model) Script(name string) *VRRPScript {
	for i := range m.Scripts {
		if m.Scripts[i].Name == name {
			return &m.Scripts[i]
		}
	}
	return nil
}

// TrackFile finds a track_file by name, nil if there is none.
func (m *Model) TrackFile(name string) *TrackFile {
	for i := range m.TrackFiles {
		if m.TrackFiles[i].Name == name {
			return &m.TrackFiles[i]
		}
	}
	return nil
}

// TrackProcess finds a vrrp_track_process by name, nil if there is none.
func (m *Model) TrackProcess(name string) *TrackProcess {
	for i := range m.TrackProcesses {
		if m.TrackProcesses[i].Name == name {
			return &m.TrackProcesses[i]
		}
	}
	return nil
}

// BFD finds a bfd_instance by name, nil if there is none.
func (m *Model) BFD(name string) *BFDInstance {
	for i := range m.BFDs {
		if m.BFDs[i].Name == name {
			return &m.BFDs[i]
		}
	}
	return nil
}

// VirtualServerGroup finds a virtual_server_group by name, nil if there is none.
func (m *Model) VirtualServerGroup(name string) *VirtualServerGroup {
	for i := range m.VirtualServerGroups {
		if m.VirtualServerGroups[i].Name == name {
			return &m.VirtualServerGroups[i]
		}
	}
	return nil
}

// LocalAddressGroup finds a local_address_group by name, nil if there is none.
func (m *Model) LocalAddressGroup(name string) *LocalAddressGroup {
	for i := range m.LocalAddressGroups {
		if m.LocalAddressGroups[i].Name == name {
			return &m.LocalAddressGroups[i]
		}
	}
	return nil
}

// Command is a program to run for the operator. The zero Command means none.
type Command struct {
	// Line is the command as written: one word of the file, quotes removed.
	Line string
	// Argv is Line split into words by keepalived's rules.
	Argv []string
	// User and Group are the account asked for at this place, "" for the default (script_user).
	User, Group string
	Pos         Pos
}

// IsZero says that there is no command.
func (c Command) IsZero() bool { return c.Line == "" }

// LinkDelay is a line of interface_up_down_delays: how long a link must be down or up before that is believed.
type LinkDelay struct {
	Interface string
	Down, Up  time.Duration
	Pos       Pos
}

// LinkPoll is a line of linkbeat_interfaces. Method is MII, ETHTOOL, IOCTL or "" for any.
type LinkPoll struct {
	Interface string
	Method    string
	Pos       Pos
}

// Tri is a switch which may have been left to its default.
type Tri int8

// The three positions of a Tri.
const (
	Unset Tri = iota
	Off
	On
)

// Or is the switch, def where it was not set.
func (t Tri) Or(def bool) bool {
	if t == Unset {
		return def
	}
	return t == On
}

func triOf(b bool) Tri {
	if b {
		return On
	}
	return Off
}

// GlobalDefs is the global_defs block.
type GlobalDefs struct {
	Meta

	RouterID              string // hostname by default
	NotificationEmail     []string
	NotificationEmailFrom string
	SMTPServer            string // host or address, "" = no mail
	SMTPPort              uint16 // 25
	SMTPHeloName          string
	SMTPTLS               string
	SMTPTLSCA             string
	SMTPUser              string
	SMTPPassword          string
	SMTPConnectTimeout    time.Duration // 30 s
	SMTPAlert             Tri
	SMTPAlertVRRP         Tri
	SMTPAlertChecker      Tri
	NoEmailFaults         bool
	NoCheckerEmails       bool
	CheckerLogAllFailures bool

	EnableScriptSecurity   bool
	ScriptUser             string
	ScriptGroup            string
	UseSymlinkPaths        bool
	SetSupplementaryGroups bool
	StartupScript          Command
	ShutdownScript         Command
	StartupScriptTimeout   time.Duration
	ShutdownScriptTimeout  time.Duration

	DynamicInterfaces       bool
	DynamicInterfacesChange bool // allow_if_changes
	DefaultInterface        string
	DisableLocalIGMP        bool

	LVSTimeoutTCP, LVSTimeoutTCPFin, LVSTimeoutUDP time.Duration // 0 = leave the kernel's
	LVSFlush                                       bool
	ManageIPVSSysctls                              bool   // expire_nodest_conn and expire_quiescent_template
	LVSFlushOnStop                                 string // "", "all" or "vs"
	LVSSync                                        LVSSyncDaemon

	VRRPMcastGroup4 netip.Addr // 224.0.0.18
	VRRPMcastGroup6 netip.Addr // ff02::12
	VRRPVersion     int        // 2

	GarpMasterDelay         time.Duration // 5 s
	GarpMasterRepeat        int           // 5
	GarpMasterRefresh       time.Duration // 0 = off
	GarpMasterRefreshRepeat int           // 1
	GarpLowerPrioDelay      time.Duration // as GarpMasterDelay
	GarpLowerPrioRepeat     int           // as GarpMasterRepeat
	GarpInterval            time.Duration
	GnaInterval             time.Duration
	MinGarp                 bool
	GarpExtraIf             time.Duration
	GarpExtraIfAll          bool

	DownTimerAdverts      int // 3
	LowerPrioNoAdvert     Tri
	HigherPrioSendAdvert  Tri
	OwnerIgnoreAdverts    Tri
	CheckUnicastSrc       bool
	SkipCheckAdvAddr      bool
	Strict                bool
	V3ChecksumAsV2        bool
	NotifyPriorityChanges bool
	StartupDelay          time.Duration
	DelayAfterBoot        time.Duration
	LogUnknownVRIDs       bool

	VRRPPriority, CheckerPriority, BFDPriority       int // nice
	VRRPNoSwap, CheckerNoSwap, BFDNoSwap             bool
	VRRPRTPriority, CheckerRTPriority, BFDRTPriority int // 0 = off
	MaxAutoPriority                                  int // 0 and -1 = off
	VRRPCPUs                                         []int
	MinAutoPriorityDelay                             time.Duration
	NotifyFIFO, VRRPNotifyFIFO, LVSNotifyFIFO        FIFO
	NotifyFIFOScript, VRRPFIFOScript, LVSFIFOScript  Command
	FIFOWriteStatesOnReload                          bool
	RSInitNotifies                                   bool
	ReloadCheckConfig                                bool
	ReloadCheckConfigLog                             string
	ReloadFile                                       string // "" = none, else the path
	StateDumpFile, StatsDumpFile, JSONDumpFile       string
	DataUseInstance                                  bool
	JSONVersion                                      int
	Umask                                            int // -1 = unset
	ProcessNames                                     bool
	NFTables                                         bool // nftables keyword given
	NFTablesTable                                    string
	NFTablesIPVS                                     bool // one firewall mark per virtual_server_group
	NFTablesIPVSTable                                string
	NFTablesIPVSStartFwmark                          uint32 // 1000
	VRRPIPTables                                     bool
	VMACPrefix, VMACAddrPrefix                       string
	EnableSNMPVRRP, EnableSNMPChecker, EnableSNMPRFC bool
	EnableDBus                                       bool
	DBusServiceName                                  string

	// Ours, not keepalived's.
	// ForwardMarks are the firewall marks that checks through the forwarding path may use.
	ForwardMarks      MarkRange
	BalancerDownFault time.Duration // 30 s; 0 = never
	// TransitionWindow is how long an instance sends and accepts its former form of advertisements after a reload that changes it
	// (authentication, version, transport, peers): time to reload the other directors. 60 s; 0 = not at all.
	TransitionWindow time.Duration
}

// FIFO is a named pipe that events are written to. The zero FIFO means none.
type FIFO struct {
	Path        string
	User, Group string
	Pos         Pos
}

// LVSSyncDaemon asks the kernel to copy connections to the peer. Interface "" means off.
type LVSSyncDaemon struct {
	Interface string
	// Instance is the VRRP instance whose role the daemon follows; "" runs both roles.
	Instance string
	// ID is 0..255, -1 when not given: then the VRID of Instance, or 0.
	ID     int
	MaxLen int // 0 = kernel's
	Port   uint16
	TTL    int
	Group  netip.Addr
	Pos    Pos
}

// SSL is the SSL block: one client certificate for every SSL_GET.
type SSL struct {
	Meta
	Password, CA, Certificate, Key string
}

// MarkRange is a range of firewall marks, both ends included.
type MarkRange struct{ First, Last uint32 }

// DefaultForwardMarks are the marks of checks through the forwarding path when forward_check_marks does not name others.
var DefaultForwardMarks = MarkRange{First: 1212547072, Last: 1212612607}

// Contains says whether the mark is one of the range.
func (r MarkRange) Contains(mark uint32) bool { return r.First <= mark && mark <= r.Last }

// Size is how many marks there are.
func (r MarkRange) Size() int64 { return int64(r.Last) - int64(r.First) + 1 }

package config

import (
	"fmt"
	"iter"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// VirtualServerGroup is a virtual_server_group block.
type VirtualServerGroup struct {
	Meta
	Name    string
	Entries []GroupEntry
}

// GroupEntry is one line of a virtual_server_group: a range of addresses with a port, or a firewall mark.
type GroupEntry struct {
	First, Last netip.Addr // equal for a single address
	Port        uint16     // 0 = every port
	Fwmark      uint32     // 0 = none
	IPv6        bool
	Inet        bool        // a mark's family is written as inet
	MorePorts   []PortRange // of a list or range of ports, of which Port is the first
	Pos         Pos
}

// PortRange is a range of ports, both ends included.
type PortRange struct{ First, Last uint16 }

// portsOf are a first port and more of them, each once, in their order.
func portsOf(first uint16, more []PortRange) iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		if !yield(first) {
			return
		}
		seen := map[uint16]bool{first: true}
		for _, r := range more {
			for p := int(r.First); p <= int(r.Last); p++ {
				if !seen[uint16(p)] {
					seen[uint16(p)] = true
					if !yield(uint16(p)) {
						return
					}
				}
			}
		}
	}
}

// portText writes ports as the file does: "80", "80,443", "8000-8010".
func portText(first uint16, more []PortRange) string {
	ranges := append([]PortRange{{first, first}}, more...)
	if len(more) > 0 && more[0].First == first+1 && first != 0 {
		ranges = append([]PortRange{{first, more[0].Last}}, more[1:]...)
	}
	var words []string
	for _, r := range ranges {
		if r.First == r.Last {
			words = append(words, strconv.Itoa(int(r.First)))
		} else {
			words = append(words, fmt.Sprintf("%d-%d", r.First, r.Last))
		}
	}
	return strings.Join(words, ",")
}

// Six says that the service of an entry is one of IPv6, given whether its virtual server is.
func (e *GroupEntry) Six(server bool) bool { return e.IPv6 || e.Fwmark != 0 && server && !e.Inet }

// Ports are the ports of an entry; one 0 for every port.
func (e *GroupEntry) Ports() iter.Seq[uint16] { return portsOf(e.Port, e.MorePorts) }

// LocalAddressGroup is DPVS's local_address_group: the source addresses FULLNAT may use.
type LocalAddressGroup struct {
	Meta
	Name    string
	Entries []GroupEntry
}

// Forward is a forwarding method of IPVS.
type Forward string

// The forwarding methods. FNAT is FULLNAT: NAT with the director's address as source.
const (
	NAT  Forward = "NAT"
	DR   Forward = "DR"
	TUN  Forward = "TUN"
	FNAT Forward = "FNAT"
)

// Method is a forwarding method with the options of tunnels.
type Method struct {
	Forward Forward
	TunType string // "", ipip, gue or gre
	TunPort uint16 // gue
	TunCsum string // "", nocsum, csum or remcsum
}

// VirtualServer is a virtual_server block.
type VirtualServer struct {
	Meta
	// Blocked is why this virtual server must not run, "" when it may.
	Blocked string

	// Exactly one of Addr, Fwmark and Group tells what is balanced.
	Addr   netip.Addr
	Port   uint16 // 0 = every port
	Fwmark uint32
	Group  string
	// MorePorts are those of a list or range of ports, of which Port is the first.
	MorePorts []PortRange

	IPv6                   bool   // family of a fwmark service (ip_family) or of Addr
	Protocol               string // tcp, udp or sctp; udp when not given, as keepalived
	Scheduler              string // wlc when not given
	Method                 Method // NAT when not given
	PersistenceTimeout     time.Duration
	PersistenceGranularity int // prefix length: 32 or 128 by default
	PersistenceEngine      string
	OPS                    bool
	Flags                  []string // flag-1, sh-port, sh-fallback, mh-port, mh-fallback ...
	VirtualHost            string
	HASuspend              bool
	Alpha, Omega           bool
	Quorum, Hysteresis     int
	QuorumUp, QuorumDown   Command
	Sorry                  *SorryServer
	SMTPAlert              bool
	SNMPName               string
	LocalAddressGroup      string // laddr_group_name

	// Words of Holdfast's own.
	AlsoProtocols  []string      // more protocols with the same servers (protocol TCP UDP)
	DrainTimeout   time.Duration // how long a removed server may keep its connections; 0 deletes it at once
	SlowStart      time.Duration // time in which the weight of a server that came back rises; 0 at once
	PanicThreshold int           // percent of servers up below which failed ones serve too; 0 off
	MasterOf       string        // ipvs_when master INSTANCE: balance only while that instance is MASTER; "" always

	// The defaults that real servers and checks inherit; already filled into those.
	DelayLoop        time.Duration
	Weight           int
	InhibitOnFailure bool

	RealServers []RealServer
}

// Ports are the ports of Addr; one 0 for every port.
func (v *VirtualServer) Ports() iter.Seq[uint16] { return portsOf(v.Port, v.MorePorts) }

// PortText writes the ports of Addr as the file does: "80", "80,443", "8000-8010".
func (v *VirtualServer) PortText() string { return portText(v.Port, v.MorePorts) }

// TrackName is how track_virtual_server names it: ADDRESS:PORT, fwmark:N or the name of its group.
func (v *VirtualServer) TrackName() string {
	switch {
	case v.Group != "":
		return v.Group
	case v.Fwmark != 0:
		return "fwmark:" + strconv.FormatUint(uint64(v.Fwmark), 10)
	}
	return netip.AddrPortFrom(v.Addr, v.Port).String()
}

// SorryServer serves while the quorum is lost.
type SorryServer struct {
	Addr    netip.Addr
	Port    uint16
	Method  Method
	Inhibit bool
	Pos     Pos
}

// RealServer is a real_server block.
type RealServer struct {
	Meta
	Addr netip.Addr
	// Port is the virtual server's when not given or, with DR and TUN, always.
	Port             uint16
	Weight           int
	Method           Method
	InhibitOnFailure bool
	UThreshold       uint32
	LThreshold       uint32
	NotifyUp         Command
	NotifyDown       Command
	Alpha            bool
	SMTPAlert        bool
	VirtualHost      string
	SNMPName         string
	Checks           []Check
}

// CheckKind names a kind of check as the file does.
type CheckKind string

// The kinds of checks.
const (
	HTTPGet   CheckKind = "HTTP_GET"
	SSLGet    CheckKind = "SSL_GET"
	TCPCheck  CheckKind = "TCP_CHECK"
	SMTPCheck CheckKind = "SMTP_CHECK"
	DNSCheck  CheckKind = "DNS_CHECK"
	MiscCheck CheckKind = "MISC_CHECK"
	UDPCheck  CheckKind = "UDP_CHECK"
	PingCheck CheckKind = "PING_CHECK"
	FileCheck CheckKind = "FILE_CHECK"
	BFDCheck  CheckKind = "BFD_CHECK"
	// Not in keepalived.
	GRPCCheck  CheckKind = "GRPC_CHECK"
	AgentCheck CheckKind = "AGENT_CHECK"
)

// Check is one check of a real server. The first group holds for every kind; the others for the kinds named.
type Check struct {
	Meta
	Kind             CheckKind
	Alpha            bool
	Retry            int // further attempts after the first failure
	DelayBeforeRetry time.Duration
	Warmup           time.Duration
	DelayLoop        time.Duration
	LogAllFailures   bool

	// All but MISC, FILE and BFD. ConnectIP and ConnectPort are already the real server's where not given.
	ConnectIP      netip.Addr
	ConnectPort    uint16
	BindTo         netip.Addr
	BindPort       uint16
	BindIf         string
	ConnectTimeout time.Duration
	Fwmark         uint32

	// HTTP_GET and SSL_GET.
	URLs         []URL
	VirtualHost  string // already inherited from the real and the virtual server
	HTTPProtocol string // 1.0, 1.1, 1.0C, 2 or h2c
	EnableSNI    bool
	SNIName      string
	FastRecovery bool
	TLSCompliant bool

	// SMTP_CHECK.
	HeloName string
	Hosts    []SMTPHost

	// DNS_CHECK.
	DNSType string
	DNSName string

	// MISC_CHECK.
	Command Command
	Timeout time.Duration
	Dynamic bool

	// UDP_CHECK.
	Payload      []byte
	RequireReply bool
	// Reply is the pattern the answer must begin with, ReplyMask has 0x00 for a byte that may be anything.
	Reply, ReplyMask         []byte
	MinReplyLen, MaxReplyLen int

	// FILE_CHECK.
	TrackFile string
	Weight    int
	Reverse   bool

	// BFD_CHECK.
	BFDName string

	CheckMore
}

// URL is a url block of HTTP_GET or SSL_GET.
type URL struct {
	Meta
	Path         string
	Digest       string // 32 lower case hex digits, "" = not compared
	StatusCodes  []CodeRange
	VirtualHost  string // already inherited from the check
	Regex        string
	RegexNoMatch bool
	RegexOptions []string
	RegexMin     int
	RegexMax     int // 0 = none
	TLSCompliant bool

	URLMore
}

// CodeRange is a range of HTTP status codes, both ends included.
type CodeRange struct{ From, To int }

// SMTPHost is the deprecated host block of SMTP_CHECK.
type SMTPHost struct {
	Meta
	ConnectIP      netip.Addr
	ConnectPort    uint16
	BindTo         netip.Addr
	BindPort       uint16
	BindIf         string
	ConnectTimeout time.Duration
	Fwmark         uint32
}

// ForwardTarget is the virtual address and port to which a check through the forwarding path connects: connect_ip and connect_port, else the
// virtual server's own, of a group the first address. Not valid, or port 0, when there is none.
func (v *VirtualServer) ForwardTarget(m *Model, c *Check) (netip.Addr, uint16) {
	addr, port := v.Addr, v.Port
	if g := m.VirtualServerGroup(v.Group); v.Group != "" && g != nil {
		for _, e := range g.Entries {
			if e.Fwmark == 0 {
				addr, port = e.First, e.Port
				break
			}
		}
	}
	if c.Has("connect_ip") {
		addr = c.ConnectIP
	}
	if c.Has("connect_port") {
		port = c.ConnectPort
	}
	return addr, port
}

// fullNAT says that a server of it is reached by FULLNAT.
func (v *VirtualServer) fullNAT() bool {
	for i := range v.RealServers {
		if v.RealServers[i].Method.Forward == FNAT {
			return true
		}
	}
	return v.Method.Forward == FNAT
}

// marked says that an entry of the group is a firewall mark.
func (g *VirtualServerGroup) marked() bool {
	if g == nil {
		return false
	}
	for i := range g.Entries {
		if g.Entries[i].Fwmark != 0 {
			return true
		}
	}
	return false
}

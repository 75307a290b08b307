package ipvssync

import (
	"fmt"
	"net/netip"
	"slices"
)

// Forward is how the director hands a packet to a real server.
type Forward uint8

// The forwarding methods. FULLNAT is NAT in IPVS plus a source address rule in nftables ([FullNATRule]); read back from the
// kernel it is NAT, and Diff treats the two as equal. Local and Bypass are never wanted: the kernel reports Local for a
// destination that is the director itself in old versions, Bypass for connections without a server.
const (
	NAT Forward = iota
	Local
	TUN
	DR
	Bypass
	FULLNAT
)

var forwardNames = [...]string{"NAT", "LOCAL", "TUN", "DR", "BYPASS", "FULLNAT"}

// String is the method's name as lb_kind spells it (FULLNAT for lb_kind FNAT).
func (f Forward) String() string {
	if int(f) < len(forwardNames) {
		return forwardNames[f]
	}
	return fmt.Sprintf("forward %d", uint8(f))
}

// kernel is the method as IPVS stores it.
func (f Forward) kernel() Forward {
	if f == FULLNAT {
		return NAT
	}
	return f
}

// TunnelType is the encapsulation of TUN (kernel: include/uapi/linux/ip_vs.h, IP_VS_CONN_F_TUNNEL_TYPE_*).
type TunnelType uint8

// The encapsulations.
const (
	IPIP TunnelType = iota
	GUE
	GRE
)

// String is the type as the configuration spells it.
func (t TunnelType) String() string {
	switch t {
	case GUE:
		return "gue"
	case GRE:
		return "gre"
	}
	return "ipip"
}

// TunnelFlags says how the outer header is checksummed; the zero value is nocsum.
type TunnelFlags uint16

// The flags (kernel: IP_VS_TUNNEL_ENCAP_FLAG_*).
const (
	TunnelCsum    TunnelFlags = 1
	TunnelRemCsum TunnelFlags = 2
)

// Tunnel is the encapsulation of a server in TUN mode; zero for the other methods and for plain IPIP.
type Tunnel struct {
	// Type is the encapsulation.
	Type TunnelType
	// Port is the UDP port of GUE, 1..65535, 0 for the others.
	Port uint16
	// Flags are for GUE and GRE.
	Flags TunnelFlags
}

// Server is a destination of a service. It is comparable; its identity inside the service is Addr.
type Server struct {
	// Addr is the real server's address and port. In a RealServer port 0 means the port of the service.
	Addr netip.AddrPort
	// Weight is 0..65535: the kernel stores more but reads back 16 bits of it.
	Weight int
	// Forward is the method.
	Forward Forward
	// Tunnel is the encapsulation of TUN.
	Tunnel Tunnel
	// Upper and Lower are connection limits, 0 for none: above Upper the server gets no new connections until it is below Lower.
	Upper, Lower uint32
}

// MaxWeight is the largest weight that survives the way through the kernel.
const MaxWeight = 65535

// String names the server: "10.0.0.1:80".
func (s Server) String() string { return s.Addr.String() }

// Flags are the flags of a service (kernel: IP_VS_SVC_F_*). Persistence has its own field; the internal HASHED never shows.
type Flags uint32

// The flags, with the kernel's numbers.
const (
	// OnePacket schedules every UDP packet by itself.
	OnePacket Flags = 0x4
	// Sched1 is flag-1: sh-fallback and mh-fallback.
	Sched1 Flags = 0x8
	// Sched2 is flag-2: sh-port and mh-port.
	Sched2 Flags = 0x10
	// Sched3 is flag-3.
	Sched3 Flags = 0x20
)

// FlagsMask is every flag that is ours to set.
const FlagsMask = OnePacket | Sched1 | Sched2 | Sched3

// Service is one virtual service as the kernel should hold it, or holds it.
type Service struct {
	Key
	// Scheduler is the kernel's name: rr wrr lc wlc lblc lblcr sh mh dh fo ovf sed nq twos.
	Scheduler string
	// Flags are one-packet scheduling and the scheduler's flags.
	Flags Flags
	// Persistence is the time in seconds for which a client stays with its server, 0 for off.
	Persistence uint32
	// Mask is the prefix length by which clients are grouped under persistence: 1..32 or 1..128, 0 for single clients.
	Mask uint8
	// Engine is the persistence engine, "" or "sip".
	Engine string
	// LocalAddrs are the source addresses of FULLNAT, empty for masquerading. They are no part of IPVS and never read back.
	LocalAddrs []netip.Addr
	// FullNAT says that the service has FULLNAT servers, whether or not one is up, and needs its source address rule. Never
	// read back.
	FullNAT bool
	// Servers are its destinations, in any order, with different addresses.
	Servers []Server
}

// settings are the comparable facts of a service which an update can change.
type settings struct {
	scheduler   string
	flags       Flags
	persistence uint32
	mask        uint8
	engine      string
}

// settings brings equal meanings to equal values: the kernel stores and returns a mask also without persistence, and a full
// mask for "single clients".
func (s Service) settings() settings {
	n := settings{s.Scheduler, s.Flags & FlagsMask, s.Persistence, s.Mask, s.Engine}
	if n.mask == 0 || int(n.mask) > s.Family.Bits() || n.persistence == 0 {
		n.mask = uint8(s.Family.Bits())
	}
	return n
}

// Same says whether two services have the same key and settings; servers are not compared.
func (s Service) Same(o Service) bool { return s.Key == o.Key && s.settings() == o.settings() }

// Same says whether the kernel would hold both servers in the same way.
func (s Server) Same(o Server) bool { return s.normal() == o.normal() }

func (s Server) normal() Server {
	s.Addr = netip.AddrPortFrom(s.Addr.Addr().Unmap(), s.Addr.Port())
	s.Forward = s.Forward.kernel()
	if s.Forward != TUN {
		s.Tunnel = Tunnel{}
	}
	if s.Tunnel.Type != GUE {
		s.Tunnel.Port = 0
	}
	if s.Tunnel.Type == IPIP {
		s.Tunnel.Flags = 0
	}
	return s
}

// Server finds a server of the service by its address.
func (s Service) Server(a netip.AddrPort) (Server, bool) {
	for _, srv := range s.Servers {
		if srv.Addr == a {
			return srv, true
		}
	}
	return Server{}, false
}

// Clone is a copy that shares nothing with s.
func (s Service) Clone() Service {
	s.LocalAddrs = slices.Clone(s.LocalAddrs)
	s.Servers = slices.Clone(s.Servers)
	return s
}

package vrrp

import "net/netip"

// IP protocol numbers of what a router sends and hears.
const (
	ProtoVRRP uint8 = 112
	ProtoAH   uint8 = 51
)

// The multicast groups of RFC 9568 section 5.1.
var (
	Group4 = netip.AddrFrom4([4]byte{224, 0, 0, 18})
	Group6 = netip.MustParseAddr("ff02::12")
)

// Packet is what a VRRP socket delivered, before anything about it is believed.
type Packet struct {
	Interface string
	Family    Family
	// Src and Dst are the addresses of the IP header; a zone is ignored.
	Src, Dst netip.Addr
	// TTL is the TTL or hop limit it arrived with.
	TTL uint8
	// Proto is the protocol of the IP header: ProtoVRRP or ProtoAH.
	Proto uint8
	// IPID is the identification of the IPv4 header; the digest of AH covers it.
	IPID uint16
	// MAC is the sender's link address if the socket tells it, for evidence only.
	MAC string
	// Payload is everything behind the IP header.
	Payload []byte
}

// Outgoing is one packet to put on the wire: the IP payload and what its header must say. TOS is always 0xC0.
type Outgoing struct {
	Dst   netip.Addr
	Proto uint8
	TTL   uint8
	// IPID, when not 0, must be the identification of the IPv4 header (IP_HDRINCL): the digest of AH covers it.
	IPID    uint16
	Payload []byte
}

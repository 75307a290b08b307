package ipvssync

import (
	"cmp"
	"fmt"
	"net/netip"
)

// Family is an address family.
type Family uint8

// The families IPVS knows.
const (
	IPv4 Family = 4
	IPv6 Family = 6
)

// FamilyOf is the family of an address; an IPv4-mapped address counts as IPv4.
func FamilyOf(a netip.Addr) Family {
	if a.Unmap().Is4() {
		return IPv4
	}
	return IPv6
}

// String is "inet" or "inet6", as the configuration spells it.
func (f Family) String() string {
	if f == IPv6 {
		return "inet6"
	}
	return "inet"
}

// Bits is the length of an address of the family in bits: 32 or 128.
func (f Family) Bits() int {
	if f == IPv6 {
		return 128
	}
	return 32
}

// Protocol is an IP protocol number. IPVS balances TCP, UDP and SCTP; the kernel accepts other numbers and then does nothing
// useful with them (kernel: ip_vs_genl_parse_service), so Validate refuses them.
type Protocol uint8

// The protocols IPVS balances.
const (
	TCP  Protocol = 6
	UDP  Protocol = 17
	SCTP Protocol = 132
)

// String is the protocol's name as ipvsadm and keepalived's logs print it.
func (p Protocol) String() string {
	switch p {
	case TCP:
		return "TCP"
	case UDP:
		return "UDP"
	case SCTP:
		return "SCTP"
	}
	return fmt.Sprintf("protocol %d", uint8(p))
}

// Key is the identity of a service in the kernel: protocol, address and port, or a firewall mark and a family. It is comparable.
type Key struct {
	// Family is always set. One mark may be two services, one of each family.
	Family Family
	// Protocol is 0 for a firewall mark.
	Protocol Protocol
	// Addr is invalid for a firewall mark.
	Addr netip.Addr
	// Port 0 means all ports; the kernel wants persistence then.
	Port uint16
	// Mark is the firewall mark, 0 when the service is one of an address.
	Mark uint32
}

// AddrKey is the key of an address and port.
func AddrKey(p Protocol, a netip.AddrPort) Key {
	addr := a.Addr().Unmap()
	return Key{Family: FamilyOf(addr), Protocol: p, Addr: addr, Port: a.Port()}
}

// MarkKey is the key of a firewall mark.
func MarkKey(f Family, mark uint32) Key { return Key{Family: f, Mark: mark} }

// String names the service for people: "TCP 192.0.2.1:80", "FWM 7", "FWM 7 inet6".
func (k Key) String() string {
	switch {
	case k.Mark != 0 && k.Family == IPv6:
		return fmt.Sprintf("FWM %d inet6", k.Mark)
	case k.Mark != 0:
		return fmt.Sprintf("FWM %d", k.Mark)
	}
	return k.Protocol.String() + " " + netip.AddrPortFrom(k.Addr, k.Port).String()
}

// Compare orders keys: addresses before marks, then by family, address, port and protocol.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Mark, o.Mark), cmp.Compare(k.Family, o.Family), k.Addr.Compare(o.Addr),
		cmp.Compare(k.Port, o.Port), cmp.Compare(k.Protocol, o.Protocol))
}

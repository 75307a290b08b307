package vrrpnet

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"

	"github.com/mdlayher/arp"
	"github.com/mdlayher/ethernet"
	"github.com/mdlayher/ndp"
)

var (
	allNodes    = netip.MustParseAddr("ff02::1")
	allNodesMAC = net.HardwareAddr{0x33, 0x33, 0, 0, 0, 1}
)

// Announcement is the Ethernet frame that tells everybody on the segment that addr is at mac: for IPv4 a gratuitous ARP request with the
// broadcast address as target hardware address (as keepalived sends it; RFC 5227 section 3), for IPv6 an unsolicited neighbour
// advertisement with the override flag to all nodes (RFC 4861 section 7.2.6), its source being addr. router sets the NA's router flag, which
// hosts heed: it must say whether this machine forwards IPv6.
func Announcement(addr netip.Addr, mac net.HardwareAddr, router bool) ([]byte, error) {
	if len(mac) != 6 {
		return nil, fmt.Errorf("announce %s: %q is no Ethernet address", addr, mac)
	}
	if addr.Unmap().Is4() {
		return gratuitousARP(addr.Unmap(), mac)
	}
	return unsolicitedNA(addr.WithZone(""), mac, router)
}

func gratuitousARP(addr netip.Addr, mac net.HardwareAddr) ([]byte, error) {
	return arpRequest(addr, addr, mac, ethernet.Broadcast)
}

// arpRequest is a broadcast request for addr from src at mac, RFC 826; target is what it gives as the target's hardware address.
func arpRequest(addr, src netip.Addr, mac, target net.HardwareAddr) ([]byte, error) {
	p, err := arp.NewPacket(arp.OperationRequest, mac, src, target, addr)
	if err != nil {
		return nil, fmt.Errorf("build an ARP request for %s: %w", addr, err)
	}
	payload, err := p.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("build an ARP request for %s: %w", addr, err)
	}
	f := ethernet.Frame{Destination: ethernet.Broadcast, Source: mac, EtherType: ethernet.EtherTypeARP, Payload: payload}
	return f.MarshalBinary()
}

func unsolicitedNA(addr netip.Addr, mac net.HardwareAddr, router bool) ([]byte, error) {
	na := &ndp.NeighborAdvertisement{Router: router, Override: true, TargetAddress: addr,
		Options: []ndp.Option{&ndp.LinkLayerAddress{Direction: ndp.Target, Addr: mac}}}
	body, err := ndp.MarshalMessageChecksum(na, addr, allNodes)
	if err != nil {
		return nil, fmt.Errorf("build a neighbour advertisement for %s: %w", addr, err)
	}
	f := ethernet.Frame{Destination: allNodesMAC, Source: mac, EtherType: ethernet.EtherTypeIPv6, Payload: icmp6(addr, allNodes, body)}
	return f.MarshalBinary()
}

// icmp6 puts the IPv6 header in front, RFC 8200 section 3: version 6, ICMPv6 (58), hop limit 255 as RFC 4861 section 7.1 demands.
func icmp6(src, dst netip.Addr, body []byte) []byte {
	p := make([]byte, 40, 40+len(body))
	p[0] = 0x60
	binary.BigEndian.PutUint16(p[4:], uint16(len(body)))
	p[6], p[7] = 58, 255
	s, d := src.As16(), dst.As16()
	copy(p[8:], s[:])
	copy(p[24:], d[:])
	return append(p, body...)
}

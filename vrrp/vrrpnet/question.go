package vrrpnet

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/mdlayher/ethernet"
	"github.com/mdlayher/ndp"
)

// Question is the Ethernet frame that asks the segment who has addr: an ARP request (RFC 826) or a neighbour solicitation (RFC 4861 section 7.2.2) from src at mac.
func Question(addr, src netip.Addr, mac net.HardwareAddr) ([]byte, error) {
	addr, src = addr.Unmap().WithZone(""), src.Unmap().WithZone("")
	if len(mac) != 6 || !src.IsValid() || src.Is4() != addr.Is4() {
		return nil, fmt.Errorf("ask for %s from %q at %q: no way to ask", addr, src, mac)
	}
	if addr.Is4() {
		return arpRequest(addr, src, mac, make(net.HardwareAddr, 6))
	}
	group, err := ndp.SolicitedNodeMulticast(addr)
	if err != nil {
		return nil, fmt.Errorf("ask for %s: %w", addr, err)
	}
	ns := &ndp.NeighborSolicitation{TargetAddress: addr, Options: []ndp.Option{&ndp.LinkLayerAddress{Direction: ndp.Source, Addr: mac}}}
	body, err := ndp.MarshalMessageChecksum(ns, src, group)
	if err != nil {
		return nil, fmt.Errorf("build a neighbour solicitation for %s: %w", addr, err)
	}
	g := group.As16()
	f := ethernet.Frame{Destination: net.HardwareAddr{0x33, 0x33, g[12], g[13], g[14], g[15]}, Source: mac, EtherType: ethernet.EtherTypeIPv6, Payload: icmp6(src, group, body)}
	return f.MarshalBinary()
}

// Ask sends a Question through the interface with this number.
func (a *Announcer) Ask(index int, mac net.HardwareAddr, src, addr netip.Addr) error {
	frame, err := Question(addr, src, mac)
	if err != nil {
		return err
	}
	if err := a.send(index, addr, frame); err != nil {
		return fmt.Errorf("ask for %s on interface %d: %w", addr, index, err)
	}
	return nil
}

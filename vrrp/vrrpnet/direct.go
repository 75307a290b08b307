package vrrpnet

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/vrrp"
)

// SendFrom puts one multicast packet on the wire of the interface with this number, the Ethernet source being mac. It is for adverts of a virtual MAC
// whose interface is not up yet: RFC 9568 section 7.3 wants every one of them to come from the virtual MAC, and switches learn from the first.
func (w *Wire) SendFrom(index int, mac net.HardwareAddr, src netip.Addr, out vrrp.Outgoing) error {
	frame, err := multicastFrame(mac, src, out)
	if err == nil {
		to := &unix.SockaddrLinklayer{Ifindex: index, Halen: 6, Protocol: htons(binary.BigEndian.Uint16(frame[12:]))}
		copy(to.Addr[:], frame[:6])
		err = unix.Sendto(w.frames, frame, unix.MSG_DONTWAIT, to)
	}
	if err != nil {
		return fmt.Errorf("send an advertisement from %s (%s) to %s: %w", src, mac, out.Dst, err)
	}
	return nil
}

// multicastFrame is the Ethernet frame (RFC 1112 section 6.4, RFC 2464 section 7) of a multicast packet.
func multicastFrame(mac net.HardwareAddr, src netip.Addr, out vrrp.Outgoing) ([]byte, error) {
	src, dst := src.WithZone(""), out.Dst.WithZone("")
	if len(mac) != 6 || !dst.IsMulticast() || src.Is4() != dst.Is4() {
		return nil, fmt.Errorf("%s to %s from %q is no multicast packet on Ethernet", src, dst, mac)
	}
	if out.TTL == 0 {
		out.TTL = 255
	}
	frame := make([]byte, 14, 14+40+len(out.Payload))
	copy(frame[6:], mac)
	if dst.Is4() {
		d := dst.As4()
		copy(frame, []byte{0x01, 0x00, 0x5e, d[1] & 0x7f, d[2], d[3]})
		binary.BigEndian.PutUint16(frame[12:], unix.ETH_P_IP)
		h := ipv4Header(src, out)
		binary.BigEndian.PutUint16(h[10:], headerChecksum(h))
		return append(append(frame, h...), out.Payload...), nil
	}
	d, s := dst.As16(), src.As16()
	copy(frame, []byte{0x33, 0x33, d[12], d[13], d[14], d[15]})
	binary.BigEndian.PutUint16(frame[12:], unix.ETH_P_IPV6)
	h := make([]byte, 40)                         // RFC 8200 section 3
	binary.BigEndian.PutUint16(h, 0x6000|0xc0<<4) // traffic class 0xC0
	binary.BigEndian.PutUint16(h[4:], uint16(len(out.Payload)))
	h[6], h[7] = out.Proto, out.TTL
	copy(h[8:], s[:])
	copy(h[24:], d[:])
	return append(append(frame, h...), out.Payload...), nil
}

// headerChecksum is that of RFC 791 section 3.1; the field itself must be 0.
func headerChecksum(h []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(h); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(h[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

package vrrpnet

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/vrrp"
)

// Endpoint is one socket that the wire keeps open: everything of one IP protocol that arrives on one interface. (One socket joins at
// most 20 groups, igmp_max_memberships, and a raw socket sees every packet of its protocol: hence one per interface.)
type Endpoint struct {
	Interface string
	// Index is the interface's number now; a returned interface has another one and gets a new socket.
	Index  int
	Family vrrp.Family
	// Proto is vrrp.ProtoVRRP or vrrp.ProtoAH.
	Proto uint8
	// For, when not empty, is the interface whose instances the socket serves: that below a virtual MAC interface. Packets count as received there.
	For string
}

// receiveBuffer is how much may wait in one socket, in bytes; capacity is more packets than fit into it (each takes at least 512 bytes of it).
const (
	receiveBuffer = 1 << 20
	capacity      = 4096
)

// socket sends and receives for one Endpoint. It never blocks.
type socket struct {
	Endpoint
	fd     int
	groups map[netip.Addr]bool
}

func openSocket(e Endpoint) (*socket, error) {
	domain := unix.AF_INET
	if e.Family == vrrp.IPv6 {
		domain = unix.AF_INET6
	}
	fd, err := unix.Socket(domain, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, int(e.Proto))
	if err != nil {
		return nil, fmt.Errorf("open a raw socket for IP protocol %d on %s: %w", e.Proto, e.Interface, err)
	}
	s := &socket{Endpoint: e, fd: fd, groups: map[netip.Addr]bool{}}
	if err := s.configure(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *socket) configure() error {
	type option struct {
		name              string
		level, opt, value int
	}
	options := []option{
		// 7 is what routing daemons use: control packets first, RFC 9568 section 7.2 via keepalived. More than 6 needs CAP_NET_ADMIN.
		{"SO_PRIORITY", unix.SOL_SOCKET, unix.SO_PRIORITY, 7},
		{"SO_RCVBUFFORCE", unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer},
	}
	if s.Family == vrrp.IPv6 {
		options = append(options,
			option{"IPV6_MULTICAST_HOPS", unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, 255},
			option{"IPV6_UNICAST_HOPS", unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, 255},
			option{"IPV6_MULTICAST_LOOP", unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_LOOP, 0},
			option{"IPV6_MULTICAST_IF", unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, s.Index},
			option{"IPV6_MULTICAST_ALL", unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_ALL, 0},
			option{"IPV6_TCLASS", unix.IPPROTO_IPV6, unix.IPV6_TCLASS, 0xc0},
			option{"IPV6_RECVPKTINFO", unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1},
			option{"IPV6_RECVHOPLIMIT", unix.IPPROTO_IPV6, unix.IPV6_RECVHOPLIMIT, 1},
			// A VMAC sends with its parent's link-local address.
			option{"IPV6_FREEBIND", unix.IPPROTO_IPV6, unix.IPV6_FREEBIND, 1})
	} else {
		options = append(options,
			option{"IP_MULTICAST_TTL", unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, 255},
			option{"IP_TTL", unix.IPPROTO_IP, unix.IP_TTL, 255},
			option{"IP_MULTICAST_LOOP", unix.IPPROTO_IP, unix.IP_MULTICAST_LOOP, 0},
			// Otherwise the socket hears every group anybody on this host has joined.
			option{"IP_MULTICAST_ALL", unix.IPPROTO_IP, unix.IP_MULTICAST_ALL, 0},
			option{"IP_TOS", unix.IPPROTO_IP, unix.IP_TOS, 0xc0})
	}
	if s.includesHeader() {
		options = append(options, option{"IP_HDRINCL", unix.IPPROTO_IP, unix.IP_HDRINCL, 1})
	}
	for _, o := range options {
		if err := unix.SetsockoptInt(s.fd, o.level, o.opt, o.value); err != nil && o.opt != unix.IPV6_MULTICAST_ALL { // since Linux 4.20
			return fmt.Errorf("set %s on the VRRP socket of %s: %w", o.name, s.Interface, err)
		}
	}
	if s.Family == vrrp.IPv4 {
		if err := unix.SetsockoptIPMreqn(s.fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Ifindex: int32(s.Index)}); err != nil {
			return fmt.Errorf("set IP_MULTICAST_IF on the VRRP socket of %s: %w", s.Interface, err)
		}
	}
	if err := unix.SetsockoptString(s.fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, s.Interface); err != nil {
		return fmt.Errorf("bind the VRRP socket to %s: %w", s.Interface, err)
	}
	return nil
}

// includesHeader: AH's digest covers the identification of the IPv4 header, so that header is built here.
func (s *socket) includesHeader() bool { return s.Family == vrrp.IPv4 && s.Proto == vrrp.ProtoAH }

// join listens to a multicast group, once.
func (s *socket) join(group netip.Addr) error {
	if s.groups[group] {
		return nil
	}
	var err error
	if s.Family == vrrp.IPv6 {
		err = unix.SetsockoptIPv6Mreq(s.fd, unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP, &unix.IPv6Mreq{Multiaddr: group.As16(), Interface: uint32(s.Index)})
	} else {
		err = unix.SetsockoptIPMreqn(s.fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, &unix.IPMreqn{Multiaddr: group.As4(), Ifindex: int32(s.Index)})
	}
	if err != nil {
		return fmt.Errorf("join %s on %s: %w", group, s.Interface, err)
	}
	s.groups[group] = true
	return nil
}

func (s *socket) close() { unix.Close(s.fd) }

// drain hands over every packet that waited when it was called, and answers how many. buf and oob are scratch.
func (s *socket) drain(buf, oob []byte, deliver func(vrrp.Packet)) int {
	for n := range capacity {
		size, oobn, flags, from, err := unix.Recvmsg(s.fd, buf, oob, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return n // EAGAIN: empty. Anything else (ENETDOWN after the interface went) shows as a link event.
		}
		p := vrrp.Packet{Interface: cmp.Or(s.For, s.Interface), Family: s.Family, Proto: s.Proto}
		ok := flags&unix.MSG_TRUNC == 0
		if ok && s.Family == vrrp.IPv4 {
			ok = fromIPv4(&p, buf[:size])
		} else if ok {
			ok = fromIPv6(&p, from, oob[:oobn], buf[:size])
		}
		if ok {
			deliver(p)
		}
	}
	return capacity
}

// fromIPv4 reads the header that a raw IPv4 socket delivers.
func fromIPv4(p *vrrp.Packet, b []byte) bool {
	if len(b) < 20 || b[0]>>4 != 4 {
		return false
	}
	head := int(b[0]&0xf) * 4
	if head < 20 || head > len(b) {
		return false
	}
	p.IPID = binary.BigEndian.Uint16(b[4:])
	p.TTL = b[8]
	p.Src = netip.AddrFrom4([4]byte(b[12:16]))
	p.Dst = netip.AddrFrom4([4]byte(b[16:20]))
	p.Payload = b[head:]
	return true
}

// fromIPv6 reads what a raw IPv6 socket tells beside the payload.
func fromIPv6(p *vrrp.Packet, from unix.Sockaddr, oob, b []byte) bool {
	sa, ok := from.(*unix.SockaddrInet6)
	if !ok {
		return false
	}
	p.Src = netip.AddrFrom16(sa.Addr)
	p.Payload = b
	for len(oob) > 0 {
		h, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			return false
		}
		oob = rest
		if h.Level != unix.IPPROTO_IPV6 {
			continue
		}
		switch {
		case h.Type == unix.IPV6_PKTINFO && len(data) >= 16:
			p.Dst = netip.AddrFrom16([16]byte(data[:16]))
		case h.Type == unix.IPV6_HOPLIMIT && len(data) >= 4:
			p.TTL = uint8(binary.NativeEndian.Uint32(data))
		}
	}
	return p.Dst.IsValid()
}

// send puts one packet on the wire, from src.
func (s *socket) send(src netip.Addr, out vrrp.Outgoing) error {
	if out.TTL == 0 {
		out.TTL = 255
	}
	payload := out.Payload
	var to unix.Sockaddr
	var oob []byte
	if s.Family == vrrp.IPv6 {
		sa := &unix.SockaddrInet6{Addr: out.Dst.As16()}
		if out.Dst.IsLinkLocalUnicast() || out.Dst.IsMulticast() {
			sa.ZoneId = uint32(s.Index)
		}
		to = sa
		oob = appendControl(oob, unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, unix.Inet6Pktinfo{Addr: src.As16(), Ifindex: uint32(s.Index)})
		if out.TTL != 255 {
			oob = appendControl(oob, unix.IPPROTO_IPV6, unix.IPV6_HOPLIMIT, int32(out.TTL))
		}
	} else {
		to = &unix.SockaddrInet4{Addr: out.Dst.As4()}
		oob = appendControl(oob, unix.IPPROTO_IP, unix.IP_PKTINFO, unix.Inet4Pktinfo{Ifindex: int32(s.Index), Spec_dst: src.As4()})
		if s.includesHeader() {
			payload = append(ipv4Header(src, out), out.Payload...)
		} else if out.TTL != 255 {
			oob = appendControl(oob, unix.IPPROTO_IP, unix.IP_TTL, int32(out.TTL))
		}
	}
	for {
		err := unix.Sendmsg(s.fd, payload, oob, to, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("send an advertisement from %s to %s on %s: %w", src, out.Dst, s.Interface, os.NewSyscallError("sendmsg", err))
		}
		return nil
	}
}

// ipv4Header is the header of RFC 791 section 3.1 with TOS 0xC0; the kernel fills in the total length and the checksum.
func ipv4Header(src netip.Addr, out vrrp.Outgoing) []byte {
	h := make([]byte, 20, 20+len(out.Payload))
	h[0], h[1] = 0x45, 0xc0
	binary.BigEndian.PutUint16(h[2:], uint16(20+len(out.Payload)))
	binary.BigEndian.PutUint16(h[4:], out.IPID)
	h[8], h[9] = out.TTL, out.Proto
	copy(h[12:], src.AsSlice())
	copy(h[16:], out.Dst.AsSlice())
	return h
}

func appendControl[T any](oob []byte, level, typ int32, value T) []byte {
	size := int(unsafe.Sizeof(value))
	at := len(oob)
	oob = append(oob, make([]byte, unix.CmsgSpace(size))...)
	h := (*unix.Cmsghdr)(unsafe.Pointer(&oob[at]))
	h.Level, h.Type = level, typ
	h.SetLen(unix.CmsgLen(size))
	*(*T)(unsafe.Pointer(&oob[at+unix.CmsgLen(0)])) = value
	return oob
}

package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/ipvssync"
)

// Numbers of include/uapi/linux/ip_vs.h.
const (
	cmdNewService = 1
	cmdSetService = 2
	cmdDelService = 3
	cmdGetService = 4
	cmdNewDest    = 5
	cmdSetDest    = 6
	cmdDelDest    = 7
	cmdGetDest    = 8
	cmdNewDaemon  = 9
	cmdDelDaemon  = 10
	cmdGetDaemon  = 11
	cmdSetConfig  = 12
	cmdGetConfig  = 13

	attrService       = 1
	attrDest          = 2
	attrDaemon        = 3
	attrTimeoutTCP    = 4
	attrTimeoutTCPFin = 5
	attrTimeoutUDP    = 6

	svcFamily   = 1
	svcProtocol = 2
	svcAddr     = 3
	svcPort     = 4
	svcMark     = 5
	svcSched    = 6
	svcFlags    = 7
	svcTimeout  = 8
	svcNetmask  = 9
	svcEngine   = 11
	svcStats64  = 12

	destAddr       = 1
	destPort       = 2
	destForward    = 3
	destWeight     = 4
	destUpper      = 5
	destLower      = 6
	destActive     = 7
	destInactive   = 8
	destPersistent = 9
	destFamily     = 11
	destStats64    = 12
	destTunType    = 13
	destTunPort    = 14
	destTunFlags   = 15

	daemonState  = 1
	daemonIfn    = 2
	daemonID     = 3
	daemonMaxLen = 4
	daemonGroup  = 5
	daemonGroup6 = 6
	daemonPort   = 7
	daemonTTL    = 8

	flagPersistent = 0x1
	forwardMask    = 0x7
)

// serviceState is a service as read.
type serviceState struct {
	service  ipvssync.Service
	counters ipvssync.Counters
}

func encode(f func(*netlink.AttributeEncoder)) ([]byte, error) {
	ae := netlink.NewAttributeEncoder()
	f(ae)
	return ae.Encode()
}

func kernelFamily(f ipvssync.Family) uint16 {
	if f == ipvssync.IPv6 {
		return unix.AF_INET6
	}
	return unix.AF_INET
}

func putKey(ae *netlink.AttributeEncoder, k ipvssync.Key) {
	ae.Uint16(svcFamily, kernelFamily(k.Family))
	if k.Mark != 0 {
		ae.Uint32(svcMark, k.Mark)
		return
	}
	ae.Uint16(svcProtocol, uint16(k.Protocol))
	ae.Bytes(svcAddr, k.Addr.AsSlice())
	ae.Bytes(svcPort, binary.BigEndian.AppendUint16(nil, k.Port))
}

func nestKey(ae *netlink.AttributeEncoder, k ipvssync.Key) {
	ae.Nested(attrService, func(n *netlink.AttributeEncoder) error { putKey(n, k); return nil })
}

// kernelFlags are the flags as the kernel stores them.
func kernelFlags(s ipvssync.Service) uint32 {
	f := uint32(s.Flags & ipvssync.FlagsMask)
	if s.Persistence > 0 {
		f |= flagPersistent
	}
	return f
}

// kernelMask is the mask as the kernel stores it: for IPv4 the mask's bytes in network order as a native number, for IPv6 the
// length of the prefix. 0 would make one client of all.
func kernelMask(s ipvssync.Service) uint32 {
	bits := int(s.Mask)
	if bits == 0 || bits > s.Family.Bits() {
		bits = s.Family.Bits()
	}
	if s.Family == ipvssync.IPv6 {
		return uint32(bits)
	}
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], ^uint32(0)<<(32-bits))
	return binary.NativeEndian.Uint32(b[:])
}

// maskBits is the way back; a mask with holes, which we never write, counts its bits so that it differs from ours.
func maskBits(f ipvssync.Family, v uint32) uint8 {
	if f == ipvssync.IPv6 {
		return uint8(min(v, 128))
	}
	n := uint8(0)
	for ; v != 0; v &= v - 1 {
		n++
	}
	return n
}

func nestService(ae *netlink.AttributeEncoder, s ipvssync.Service) {
	ae.Nested(attrService, func(n *netlink.AttributeEncoder) error {
		putKey(n, s.Key)
		n.String(svcSched, s.Scheduler)
		if s.Engine != "" {
			n.String(svcEngine, s.Engine)
		}
		flags := binary.NativeEndian.AppendUint32(nil, kernelFlags(s))
		n.Bytes(svcFlags, binary.NativeEndian.AppendUint32(flags, ^uint32(0)))
		n.Uint32(svcTimeout, s.Persistence)
		n.Uint32(svcNetmask, kernelMask(s))
		return nil
	})
}

// kernelForward is the forwarding method as the kernel numbers it; FULLNAT is masquerading.
func kernelForward(f ipvssync.Forward) uint32 {
	if f == ipvssync.FULLNAT {
		f = ipvssync.NAT
	}
	return uint32(f)
}

func nestServer(ae *netlink.AttributeEncoder, d ipvssync.Server, full bool) {
	ae.Nested(attrDest, func(n *netlink.AttributeEncoder) error {
		n.Uint16(destFamily, kernelFamily(ipvssync.FamilyOf(d.Addr.Addr())))
		n.Bytes(destAddr, d.Addr.Addr().AsSlice())
		n.Bytes(destPort, binary.BigEndian.AppendUint16(nil, d.Addr.Port()))
		if !full {
			return nil
		}
		n.Uint32(destForward, kernelForward(d.Forward))
		n.Uint32(destWeight, uint32(d.Weight))
		n.Uint32(destUpper, d.Upper)
		n.Uint32(destLower, d.Lower)
		if d.Forward == ipvssync.TUN {
			n.Uint8(destTunType, uint8(d.Tunnel.Type))
			n.Bytes(destTunPort, binary.BigEndian.AppendUint16(nil, d.Tunnel.Port))
			n.Uint16(destTunFlags, uint16(d.Tunnel.Flags))
		}
		return nil
	})
}

// write sends one operation through our own codec.
func (k *Kernel) write(op ipvssync.Op) error {
	var cmd uint8
	data, err := encode(func(ae *netlink.AttributeEncoder) {
		switch op.Kind {
		case ipvssync.AddService:
			cmd = cmdNewService
			nestService(ae, op.Service)
		case ipvssync.UpdateService:
			cmd = cmdSetService
			nestService(ae, op.Service)
		case ipvssync.DeleteService:
			cmd = cmdDelService
			nestKey(ae, op.Service.Key)
		case ipvssync.AddServer:
			cmd = cmdNewDest
			nestKey(ae, op.Service.Key)
			nestServer(ae, op.Server, true)
		case ipvssync.UpdateServer:
			cmd = cmdSetDest
			nestKey(ae, op.Service.Key)
			nestServer(ae, op.Server, true)
		case ipvssync.DeleteServer:
			cmd = cmdDelDest
			nestKey(ae, op.Service.Key)
			nestServer(ae, op.Server, false)
		}
	})
	if err != nil {
		return err
	}
	_, err = k.request(cmd, netlink.Acknowledge, data)
	return err
}

// nested finds one nested attribute of an answer and decodes what is in it.
func nested(data []byte, want uint16, f func(*netlink.AttributeDecoder) error) error {
	ad, err := netlink.NewAttributeDecoder(data)
	if err != nil {
		return err
	}
	found := false
	for ad.Next() {
		if ad.Type() == want {
			found = true
			ad.Nested(f)
		}
	}
	if err := ad.Err(); err != nil {
		return err
	}
	if !found {
		return errors.New("the kernel's answer lacks its content")
	}
	return nil
}

// address makes an address of the kernel's 16 bytes (4 for IPv4 count, the rest is padding).
func address(f ipvssync.Family, b []byte) (netip.Addr, error) {
	n := f.Bits() / 8
	if len(b) < n {
		return netip.Addr{}, fmt.Errorf("an address of %d bytes", len(b))
	}
	a, _ := netip.AddrFromSlice(b[:n])
	return a, nil
}

func familyOf(v uint16) (ipvssync.Family, error) {
	switch v {
	case unix.AF_INET:
		return ipvssync.IPv4, nil
	case unix.AF_INET6:
		return ipvssync.IPv6, nil
	}
	return 0, fmt.Errorf("address family %d", v)
}

func port(b []byte) uint16 {
	if len(b) < 2 {
		return 0
	}
	return binary.BigEndian.Uint16(b)
}

// inside is what one nested attribute of an answer holds.
func inside(data []byte, want uint16) ([]byte, error) {
	ok := true
	var in []byte
	for t, v := range parts(data, &ok) {
		if t == want {
			in = v
		}
	}
	switch {
	case !ok:
		return nil, errGarbled
	case in == nil:
		return nil, errors.New("the kernel's answer lacks its content")
	}
	return in, nil
}

// decodeService reads the answer about one service, its counters only if they are wanted.
func decodeService(data []byte, counters bool) (st serviceState, err error) {
	in, err := inside(data, attrService)
	if err != nil {
		return serviceState{}, fmt.Errorf("read a service: %w", err)
	}
	var family uint16
	var addr []byte
	var flags, mask, timeout uint32
	s, ok := &st.service, true
	for t, v := range parts(in, &ok) {
		switch t {
		case svcFamily:
			family = native[uint16](v, &ok)
		case svcProtocol:
			s.Protocol = ipvssync.Protocol(native[uint16](v, &ok))
		case svcAddr:
			addr = v
		case svcPort:
			s.Port = port(v)
		case svcMark:
			s.Mark = native[uint32](v, &ok)
		case svcSched:
			s.Scheduler = text(v)
		case svcFlags:
			if len(v) >= 4 {
				flags = binary.NativeEndian.Uint32(v)
			}
		case svcTimeout:
			timeout = native[uint32](v, &ok)
		case svcNetmask:
			mask = native[uint32](v, &ok)
		case svcEngine:
			s.Engine = text(v)
		case svcStats64:
			if counters {
				st.counters = decodeStats(v)
			}
		}
	}
	if !ok {
		return serviceState{}, fmt.Errorf("read a service: %w", errGarbled)
	}
	if s.Family, err = familyOf(family); err != nil {
		return serviceState{}, fmt.Errorf("read a service: %w", err)
	}
	if s.Mark == 0 {
		if s.Addr, err = address(s.Family, addr); err != nil {
			return serviceState{}, fmt.Errorf("read a service: %w", err)
		}
	} else {
		s.Protocol, s.Port = 0, 0
	}
	s.Flags = ipvssync.Flags(flags) & ipvssync.FlagsMask
	if flags&flagPersistent != 0 {
		s.Persistence = timeout
	}
	s.Mask = maskBits(s.Family, mask)
	return st, nil
}

// decodeServer reads the answer about one server, its counters only if they are wanted; kernels before 3.18 do not tell its family, which
// is the service's then.
func decodeServer(data []byte, service ipvssync.Family, counters bool) (st ipvssync.ServerStats, err error) {
	in, err := inside(data, attrDest)
	if err != nil {
		return ipvssync.ServerStats{}, fmt.Errorf("read a server: %w", err)
	}
	family := kernelFamily(service)
	var addr []byte
	var p uint16
	ok := true
	for t, v := range parts(in, &ok) {
		switch t {
		case destAddr:
			addr = v
		case destPort:
			p = port(v)
		case destForward:
			st.Forward = ipvssync.Forward(native[uint32](v, &ok) & forwardMask)
		case destWeight:
			st.Weight = int(native[uint32](v, &ok))
		case destUpper:
			st.Upper = native[uint32](v, &ok)
		case destLower:
			st.Lower = native[uint32](v, &ok)
		case destActive:
			st.Active = native[uint32](v, &ok)
		case destInactive:
			st.Inactive = native[uint32](v, &ok)
		case destPersistent:
			st.Persistent = native[uint32](v, &ok)
		case destFamily:
			family = native[uint16](v, &ok)
		case destTunType:
			st.Tunnel.Type = ipvssync.TunnelType(native[uint8](v, &ok))
		case destTunPort:
			st.Tunnel.Port = port(v)
		case destTunFlags:
			st.Tunnel.Flags = ipvssync.TunnelFlags(native[uint16](v, &ok))
		case destStats64:
			if counters {
				st.Counters = decodeStats(v)
			}
		}
	}
	if !ok {
		return ipvssync.ServerStats{}, fmt.Errorf("read a server: %w", errGarbled)
	}
	f, err := familyOf(family)
	if err != nil {
		return ipvssync.ServerStats{}, fmt.Errorf("read a server: %w", err)
	}
	a, err := address(f, addr)
	if err != nil {
		return ipvssync.ServerStats{}, fmt.Errorf("read a server: %w", err)
	}
	st.Addr = netip.AddrPortFrom(a, p)
	if st.Forward != ipvssync.TUN {
		st.Tunnel = ipvssync.Tunnel{}
	}
	return st, nil
}

// decodeStats reads the 64-bit counters (IPVS_STATS_ATTR_*); unknown ones are skipped.
func decodeStats(b []byte) (c ipvssync.Counters) {
	fields := [...]*uint64{nil, &c.Connections, &c.InPackets, &c.OutPackets, &c.InBytes, &c.OutBytes,
		&c.CPS, &c.InPacketRate, &c.OutPacketRate, &c.InByteRate, &c.OutByteRate}
	ok := true
	for t, v := range parts(b, &ok) {
		if t > 0 && int(t) < len(fields) && len(v) == 8 {
			*fields[t] = binary.NativeEndian.Uint64(v)
		}
	}
	return c
}

func decodeTimeouts(data []byte) (t ipvssync.Timeouts, err error) {
	ad, err := netlink.NewAttributeDecoder(data)
	if err != nil {
		return t, err
	}
	for ad.Next() {
		switch ad.Type() {
		case attrTimeoutTCP:
			t.TCP = time.Duration(ad.Uint32()) * time.Second
		case attrTimeoutTCPFin:
			t.TCPFin = time.Duration(ad.Uint32()) * time.Second
		case attrTimeoutUDP:
			t.UDP = time.Duration(ad.Uint32()) * time.Second
		}
	}
	return t, ad.Err()
}

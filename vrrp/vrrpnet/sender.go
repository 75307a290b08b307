package vrrpnet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/vrrp"
)

// Sender waits for the next VRRP packet from an address on the interface with this number and answers with the hardware address it came from: that of the
// router itself or, for unicast from elsewhere, of the last hop. Nil: nothing came in time. (Raw IP sockets do not tell it, and the kernel's neighbour table
// knows only whom this host has sent something.) It blocks, and uses the network namespace of the calling thread.
func Sender(index int, from netip.Addr, wait time.Duration) (net.HardwareAddr, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open a packet socket to find the hardware address of %s: %w", from, err)
	}
	defer unix.Close(fd)
	prog, err := fromFilter(from)
	if err != nil {
		return nil, fmt.Errorf("filter packets from %s: %w", from, err)
	}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, prog); err != nil {
		return nil, fmt.Errorf("filter packets from %s: %w", from, err)
	}
	// Every protocol: those are handed out before a macvlan may take the packet.
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: index, Protocol: htons(unix.ETH_P_ALL)}); err != nil {
		return nil, fmt.Errorf("listen for packets from %s: %w", from, err)
	}
	for end := time.Now().Add(wait); ; {
		left := time.Until(end)
		if left < time.Millisecond {
			return nil, nil
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(left/time.Millisecond))
		if err != nil && !errors.Is(err, unix.EINTR) {
			return nil, fmt.Errorf("wait for packets from %s: %w", from, err)
		}
		if n < 1 {
			continue
		}
		_, sa, err := unix.Recvfrom(fd, make([]byte, 1), unix.MSG_DONTWAIT)
		if err != nil {
			if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
				continue
			}
			return nil, fmt.Errorf("wait for packets from %s: %w", from, err)
		}
		if l, ok := sa.(*unix.SockaddrLinklayer); ok && l.Pkttype != unix.PACKET_OUTGOING && l.Halen == 6 {
			return net.HardwareAddr(append([]byte{}, l.Addr[:6]...)), nil
		}
	}
}

// fromFilter passes VRRP packets, bare or in AH, from one address.
func fromFilter(from netip.Addr) (*unix.SockFprog, error) {
	from = from.WithZone("")
	proto, source, etherType := uint32(9), uint32(12), uint32(unix.ETH_P_IP)
	if from.Is6() {
		proto, source, etherType = 6, 8, unix.ETH_P_IPV6
	}
	words := from.AsSlice()
	n := uint8(len(words) / 4)
	code := []bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtProto},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: etherType, SkipTrue: 4 + 2*n},
		bpf.LoadAbsolute{Off: proto, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(vrrp.ProtoVRRP), SkipTrue: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(vrrp.ProtoAH), SkipTrue: 1 + 2*n},
	}
	for i := uint8(0); i < n; i++ {
		code = append(code,
			bpf.LoadAbsolute{Off: source + 4*uint32(i), Size: 4},
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: binary.BigEndian.Uint32(words[4*i:]), SkipTrue: 2*(n-i) - 1})
	}
	code = append(code, bpf.RetConstant{Val: 0xffff}, bpf.RetConstant{Val: 0})
	raw, err := bpf.Assemble(code)
	if err != nil {
		return nil, err
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		filter[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	return &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}, nil
}

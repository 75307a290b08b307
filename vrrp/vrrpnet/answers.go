package vrrpnet

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/mdlayher/arp"
	"golang.org/x/sys/unix"
)

// mostAnswers bounds how many hardware addresses one question finds.
const mostAnswers = 8

// Answers asks the segment of an interface, by ARP, who has an IPv4 address, in the name of src at mac, and returns who claims it within the time: each
// hardware address once, mac itself left out. The machine that asks does not hear itself, so its own address should have no answer.
func Answers(index int, mac net.HardwareAddr, src, addr netip.Addr, wait time.Duration) ([]net.HardwareAddr, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open a packet socket to ask who has %s: %w", addr, err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: index, Protocol: htons(unix.ETH_P_ARP)}); err != nil {
		return nil, fmt.Errorf("listen for who has %s: %w", addr, err)
	}
	a, err := NewAnnouncer()
	if err != nil {
		return nil, err
	}
	err = a.Ask(index, mac, src, addr)
	a.Close()
	if err != nil {
		return nil, err
	}
	var found []net.HardwareAddr
	buf := make([]byte, 128)
	for end := time.Now().Add(wait); len(found) < mostAnswers; {
		left := time.Until(end)
		if left < time.Millisecond {
			break
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(left/time.Millisecond))
		if err != nil && !errors.Is(err, unix.EINTR) {
			return found, fmt.Errorf("wait for who has %s: %w", addr, err)
		}
		if n < 1 {
			continue
		}
		n, from, err := unix.Recvfrom(fd, buf, unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return found, fmt.Errorf("wait for who has %s: %w", addr, err)
		}
		if l, ok := from.(*unix.SockaddrLinklayer); ok && l.Pkttype == unix.PACKET_OUTGOING {
			continue
		}
		who := claims(buf[:n], addr)
		if who == nil || bytes.Equal(who, mac) || slices.ContainsFunc(found, func(o net.HardwareAddr) bool { return bytes.Equal(o, who) }) {
			continue
		}
		found = append(found, who)
	}
	return found, nil
}

// claims is the hardware address that an ARP packet, of whatever kind, says an address is at; nil when it says nothing of that.
func claims(packet []byte, addr netip.Addr) net.HardwareAddr {
	var p arp.Packet
	if p.UnmarshalBinary(packet) != nil || p.SenderIP != addr || len(p.SenderHardwareAddr) != 6 {
		return nil
	}
	return slices.Clone(p.SenderHardwareAddr)
}

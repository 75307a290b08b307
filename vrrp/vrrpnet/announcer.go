package vrrpnet

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Announcer sends gratuitous ARP and unsolicited neighbour advertisements. One unbound packet socket serves every interface: closing one
// waits for the kernel's RCU, 13 ms each (measured), and one bound to ARP would queue everything it never reads.
type Announcer struct{ fd int }

// NewAnnouncer opens the socket in the network namespace of the calling thread.
func NewAnnouncer() (*Announcer, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open the packet socket for gratuitous ARP: %w", err)
	}
	return &Announcer{fd}, nil
}

// Announce sends one frame for addr with the interface's hardware address mac.
func (a *Announcer) Announce(index int, mac net.HardwareAddr, addr netip.Addr, router bool) error {
	frame, err := Announcement(addr, mac, router)
	if err != nil {
		return err
	}
	if err := a.send(index, addr, frame); err != nil {
		return fmt.Errorf("announce %s on interface %d: %w", addr, index, err)
	}
	return nil
}

// send puts a frame about addr on the interface with this number.
func (a *Announcer) send(index int, addr netip.Addr, frame []byte) error {
	to := &unix.SockaddrLinklayer{Ifindex: index, Halen: 6, Protocol: htons(unix.ETH_P_ARP)}
	if addr.Is6() {
		to.Protocol = htons(unix.ETH_P_IPV6)
	}
	copy(to.Addr[:], frame[:6])
	return unix.Sendto(a.fd, frame, 0, to)
}

// Close closes the socket.
func (a *Announcer) Close() { unix.Close(a.fd) }

func htons(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}

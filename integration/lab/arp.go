//go:build linux

package lab

import (
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// WhoHas asks the LAN by ARP for an address from the node's interface (as sender with its own address) and returns the hardware addresses that answer within a second.
func (n *Node) WhoHas(dev string, own, addr netip.Addr) []string {
	var fd int
	var err error
	n.Do(func() { fd, err = packetSocket(dev, unix.ETH_P_ARP) })
	if err != nil {
		n.lab.Fatalf("%s: ARP socket on %s: %v", n.Name, dev, err)
	}
	defer unix.Close(fd)
	mac := n.MAC(dev)
	frame := ARPFrame(mac, 1, mac, own, make(net.HardwareAddr, 6), addr)
	if _, err := unix.Write(fd, frame); err != nil {
		n.lab.Fatalf("%s: ask for %s: %v", n.Name, addr, err)
	}
	seen := map[string]bool{}
	var answers []string
	buf := make([]byte, 2048)
	for end := time.Now().Add(time.Second); time.Now().Before(end); {
		size, at := receive(fd, buf)
		if size < 42 {
			continue
		}
		if a, ok := parseARP(buf[:size], at); ok && a.Reply && a.Sender == addr && !seen[a.SenderMAC] {
			seen[a.SenderMAC] = true
			answers = append(answers, a.SenderMAC)
		}
	}
	return answers
}

// ARPFrame is an Ethernet frame with an ARP packet, sent to everybody.
func ARPFrame(from net.HardwareAddr, op byte, senderMAC net.HardwareAddr, sender netip.Addr, targetMAC net.HardwareAddr, target netip.Addr) []byte {
	frame := append([]byte{255, 255, 255, 255, 255, 255}, from...)
	frame = append(frame, 8, 6, 0, 1, 8, 0, 6, 4, 0, op)
	s, t := sender.As4(), target.As4()
	frame = append(append(frame, senderMAC...), s[:]...)
	return append(append(frame, targetMAC...), t[:]...)
}

// Neighbor is the hardware address the node's kernel has for an address on eth0; empty: none, or not known to be right.
func (n *Node) Neighbor(addr netip.Addr) string {
	mac := ""
	family := netlink.FAMILY_V4
	if addr.Is6() {
		family = netlink.FAMILY_V6
	}
	n.try("read neighbours", func(h *netlink.Handle) error {
		list, err := h.NeighList(0, family)
		for _, e := range list {
			if a, ok := netip.AddrFromSlice(e.IP); ok && a.Unmap() == addr && e.State&(netlink.NUD_FAILED|netlink.NUD_INCOMPLETE) == 0 {
				mac = e.HardwareAddr.String()
			}
		}
		return err
	})
	return mac
}

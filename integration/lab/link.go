//go:build linux

package lab

import (
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
)

// LAN is a switch: a bridge in a namespace of its own.
type LAN struct {
	// Node is the switch's namespace, with the bridge br0.
	Node *Node
	lab  *Lab
}

// LAN makes a switch.
func (l *Lab) LAN(name string) *LAN {
	n := l.Node(name)
	n.IP("link add br0 type bridge stp_state 0 mcast_snooping 0", "link set br0 up")
	return &LAN{Node: n, lab: l}
}

// port names the switch's end of a node's interface.
func (s *LAN) port(n *Node, dev string) string { return n.Name + "-" + dev }

// Attach gives the node an interface on the switch, with the addresses (as 10.0.0.1/24), up.
func (s *LAN) Attach(n *Node, dev string, addrs ...string) {
	var err error
	s.Node.Do(func() {
		h, herr := netlink.NewHandle()
		if herr != nil {
			err = herr
			return
		}
		defer h.Close()
		attrs := netlink.NewLinkAttrs()
		attrs.Name = s.port(n, dev)
		err = h.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: dev, PeerNamespace: netlink.NsFd(int(n.ns.Fd()))})
	})
	if err != nil {
		s.lab.Fatalf("%s: add interface %s: %v", n.Name, dev, err)
	}
	s.Node.IP(fmt.Sprintf("link set %s master br0 up", s.port(n, dev)))
	lines := []string{}
	for _, a := range addrs {
		lines = append(lines, fmt.Sprintf("addr add %s dev %s", a, dev))
	}
	// Duplicate address detection of IPv6 link-local addresses only adds noise here.
	n.Sysctl("net/ipv6/conf/" + dev + "/accept_dad=0")
	n.IP(append(lines, "link set "+dev+" up")...)
}

// Unplug takes the cable of the node's interface out: it loses its carrier.
func (s *LAN) Unplug(n *Node, dev string) { s.Node.IP("link set " + s.port(n, dev) + " down") }

// Plug puts the cable back.
func (s *LAN) Plug(n *Node, dev string) { s.Node.IP("link set " + s.port(n, dev) + " up") }

// MAC returns the hardware address of an interface of the node.
func (n *Node) MAC(dev string) net.HardwareAddr {
	var mac net.HardwareAddr
	n.Do(func() {
		if i, err := net.InterfaceByName(dev); err == nil {
			mac = i.HardwareAddr
		}
	})
	return mac
}

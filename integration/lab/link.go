//go:build linux

package lab

import (
	"net"
	"os"

	"github.com/vishvananda/netlink"
)

// LAN is a switch: a bridge in a namespace of its own.
type LAN struct {
	// Node is the switch's namespace, with the bridge br0.
	Node *Node
}

// LAN makes a switch.
func (l *Lab) LAN(name string) *LAN {
	n := l.Node(name)
	n.IP("link add br0 type bridge stp_state 0 mcast_snooping 0", "link set br0 up")
	return &LAN{Node: n}
}

// port names the switch's end of a node's interface.
func (s *LAN) port(n *Node, dev string) string { return n.Name + "-" + dev }

// Attach gives the node an interface on the switch, with the addresses (as 10.0.0.1/24), up.
func (s *LAN) Attach(n *Node, dev string, addrs ...string) {
	s.Node.try("add "+s.port(n, dev), func(h *netlink.Handle) error {
		bridge, err := h.LinkByName("br0")
		if err != nil {
			return err
		}
		attrs := netlink.NewLinkAttrs()
		attrs.Name = s.port(n, dev)
		veth := &netlink.Veth{LinkAttrs: attrs, PeerName: dev, PeerNamespace: netlink.NsFd(int(n.ns.Fd()))}
		if err := h.LinkAdd(veth); err != nil {
			return err
		}
		if err := h.LinkSetMaster(veth, bridge); err != nil {
			return err
		}
		return h.LinkSetUp(veth)
	})
	n.try("attach "+dev, func(h *netlink.Handle) error {
		// Duplicate address detection of IPv6 link-local addresses only adds noise here.
		_ = os.WriteFile("/proc/sys/net/ipv6/conf/"+dev+"/accept_dad", []byte("0"), 0)
		link, err := h.LinkByName(dev)
		if err != nil {
			return err
		}
		for _, a := range addrs {
			addr, err := netlink.ParseAddr(a)
			if err != nil {
				return err
			}
			if err := h.AddrAdd(link, addr); err != nil {
				return err
			}
		}
		return h.LinkSetUp(link)
	})
}

// try runs netlink calls in the node; a failure ends the scenario. It spares the lab hundreds of ip(8) processes, which an emulated machine would feel.
func (n *Node) try(what string, f func(h *netlink.Handle) error) {
	var err error
	n.Do(func() {
		h, herr := netlink.NewHandle()
		if err = herr; err == nil {
			err = f(h)
			h.Close()
		}
	})
	if err != nil {
		n.lab.Fatalf("%s: %s: %v", n.Name, what, err)
	}
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

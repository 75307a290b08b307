package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/checkers"
)

// errNoSource says that no address of this director can be the source of a check through the forwarding path.
var errNoSource = errors.New("this director has no address of its own towards the real server, besides the virtual one; name one with bindto")

// errNoTarget says that the check has no virtual address, or no mark.
var errNoTarget = errors.New("the check through the forwarding path has no address, port or firewall mark")

// directHops is the hop limit of a check through DR. A server without the virtual address that forwards packets (many do: any that runs containers)
// would send the attempt on to the owner of the address, who would balance it to a server that answers. IPVS takes one hop where it counts them for
// packets of this machine, and gives up on packets that arrive with none left, so two reach the server and end there in either case.
const directHops = 2

// limitHops sets the hop limit.
func limitHops(c syscall.RawConn, what *checkers.Probe, hops int) error {
	if hops == 0 {
		return nil
	}
	return onFD(c, func(fd int) error {
		if what.Target.Addr().Unmap().Is4() {
			return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TTL, hops)
		}
		return unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, hops)
	})
}

// method is the forwarding method without the options of its tunnel.
func method(what *checkers.Probe) string {
	m, _, _ := strings.Cut(what.Via.Method, " ")
	return m
}

// dialForward connects to the virtual address with a mark that leads the packets, before they leave this machine, to one real server by its own
// forwarding method. The source is the address by which this director reaches that server: on the owner of the virtual address the kernel
// would choose the virtual address itself, which the real server takes for its own.
func dialForward(ctx context.Context, what *checkers.Probe) (*net.TCPConn, error) {
	if !what.Target.IsValid() || what.Target.Port() == 0 || what.Mark == 0 {
		return nil, errNoTarget
	}
	from := what.Bind.Addr()
	if !from.IsValid() {
		var err error
		if from, err = ownAddress(what.Via.Server, what.Target.Addr()); err != nil {
			return nil, err
		}
	}
	direct := *what
	direct.Via, direct.Bind = checkers.Via{}, netip.AddrPortFrom(from, what.Bind.Port())
	hops := 0
	if method(what) == "DR" {
		hops = directHops
	}
	c, err := dialHops(ctx, &direct, hops)
	if errors.Is(err, unix.ENETUNREACH) && from.Is4() && what.Target.Addr().Is4() {
		// A BACKUP may have no route to the virtual address at all. Bound to an interface IPv4 takes any address for a neighbour's, and IPVS
		// takes the packet before anybody asks for that neighbour.
		if direct.Interface = interfaceOf(from); direct.Interface != "" {
			return dialHops(ctx, &direct, hops)
		}
	}
	return c, err
}

// ownAddress is the address of this director from which packets to a real server leave, in the family of the virtual address and never that.
func ownAddress(server netip.AddrPort, vip netip.Addr) (netip.Addr, error) {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(server))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("find the way to the real server %s: %w", server.Addr(), err)
	}
	from := c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
	c.Close()
	if from.Is4() == vip.Is4() && from != vip {
		return from, nil
	}
	for _, i := range interfaces(from) {
		for _, a := range addresses(i) {
			if a.Is4() == vip.Is4() && a != vip && !a.IsLinkLocalUnicast() {
				return a, nil
			}
		}
	}
	return netip.Addr{}, errNoSource
}

// interfaceOf is the name of the interface that has the address, "" if none has.
func interfaceOf(a netip.Addr) string {
	for _, i := range interfaces(a) {
		return i.Name
	}
	return ""
}

// interfaces are those that have the address.
func interfaces(a netip.Addr) (list []net.Interface) {
	all, err := net.Interfaces()
	if err != nil {
		return nil
	}
	for _, i := range all {
		for _, b := range addresses(i) {
			if a.WithZone("") == b {
				list = append(list, i)
			}
		}
	}
	return list
}

// addresses are an interface's own, in the kernel's order: the primary one first.
func addresses(i net.Interface) (list []netip.Addr) {
	all, err := i.Addrs()
	if err != nil {
		return nil
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok {
			if b, ok := netip.AddrFromSlice(n.IP); ok {
				list = append(list, b.Unmap())
			}
		}
	}
	return list
}

// likely is what usually is wrong when a check through the forwarding path fails in this way, "" when nothing is known.
func likely(what *checkers.Probe, r checkers.Reason) string {
	if !what.Via.Server.IsValid() {
		return ""
	}
	method := method(what)
	vip := what.Target.Addr()
	switch {
	case (r == checkers.Timeout || r == checkers.Unreachable) && method == "DR":
		return fmt.Sprintf("through DR: does the server have %s on lo, and is it on this director's LAN?", vip)
	case r == checkers.Timeout && method == "TUN":
		return fmt.Sprintf("through the tunnel: does the server unpack %s, have %s on the tunnel device, and rp_filter=0 there?", what.Via.Method, vip)
	case r == checkers.Timeout:
		return fmt.Sprintf("through %s: does the server answer by way of this director?", method)
	case r == checkers.Refused && (method == "DR" || method == "TUN"):
		return fmt.Sprintf("through %s: the server has %s, but nothing listens on %s; %s keeps the port", method, vip, what.Target, method)
	case r == checkers.NoRoute:
		return fmt.Sprintf("this director needs a route to %s while it does not own it", vip)
	}
	return ""
}

// isForwardFault names errors of the forwarding path itself.
func isForwardFault(err error) (checkers.Reason, bool) {
	switch {
	case errors.Is(err, errNoSource):
		return checkers.NoAddress, true
	case errors.Is(err, errNoTarget):
		return checkers.Invalid, true
	}
	return 0, false
}

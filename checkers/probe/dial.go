package probe

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/checkers"
)

// dialTCP connects as the probe says. No keep-alive probes, no MPTCP: the connection lives for one attempt.
func dialTCP(ctx context.Context, what *checkers.Probe) (*net.TCPConn, error) {
	if what.Via.Server.IsValid() {
		return dialForward(ctx, what)
	}
	return dialHops(ctx, what, 0)
}

// dialHops is dialTCP with a hop limit, 0 for the system's.
func dialHops(ctx context.Context, what *checkers.Probe, hops int) (*net.TCPConn, error) {
	d := net.Dialer{KeepAlive: -1}
	d.SetMultipathTCP(false)
	if special(what) {
		d.Control = func(_, _ string, c syscall.RawConn) error {
			if err := limitHops(c, what, hops); err != nil {
				return err
			}
			return mark(c, what)
		}
	}
	c, err := d.DialTCP(ctx, "tcp", source(what), what.Target)
	if err != nil {
		return nil, err
	}
	if what.Bind.Port() != 0 {
		// With a fixed source port, TIME_WAIT would make the next attempt fail; a reset leaves none.
		_ = c.SetLinger(0)
	}
	return c, nil
}

// dialUDP makes a connected socket, which is told about ICMP errors.
func dialUDP(ctx context.Context, what *checkers.Probe) (*net.UDPConn, error) {
	d := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		if err := mark(c, what); err != nil {
			return err
		}
		return onFD(c, func(fd int) error {
			// Without RECVERR a UDP socket only hears of port unreachable, not of a neighbour that does not answer.
			if what.Target.Addr().Unmap().Is4() {
				return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_RECVERR, 1)
			}
			return unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 1)
		})
	}}
	return d.DialUDP(ctx, "udp", source(what), what.Target)
}

func source(what *checkers.Probe) netip.AddrPort {
	if !what.Bind.Addr().IsValid() && what.Bind.Port() != 0 {
		any := netip.IPv6Unspecified()
		if what.Target.Addr().Unmap().Is4() {
			any = netip.IPv4Unspecified()
		}
		return netip.AddrPortFrom(any, what.Bind.Port())
	}
	return what.Bind
}

func special(what *checkers.Probe) bool {
	return what.Mark != 0 || what.Interface != "" || what.Bind.Addr().IsValid() || what.Bind.Port() != 0
}

// mark sets fwmark and bind_if, and lets a bound source address share ports between targets.
func mark(c syscall.RawConn, what *checkers.Probe) error {
	if !special(what) {
		return nil
	}
	return onFD(c, func(fd int) error {
		if what.Mark != 0 {
			if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, int(what.Mark)); err != nil {
				return err
			}
		}
		if what.Interface != "" {
			if err := unix.BindToDevice(fd, what.Interface); err != nil {
				return err
			}
		}
		if what.Bind.Port() != 0 {
			return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
		}
		if what.Bind.Addr().IsValid() {
			// Only an optimisation: without it bind takes a port of its own for each attempt.
			_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
		}
		return nil
	})
}

func onFD(c syscall.RawConn, f func(fd int) error) error {
	var err error
	if e := c.Control(func(fd uintptr) { err = f(int(fd)) }); e != nil {
		return e
	}
	return err
}

// guard gives every read and write of c the attempt's deadline, and ends them when ctx does. Call the result when done.
func guard(ctx context.Context, c net.Conn) (release func()) {
	if at, ok := ctx.Deadline(); ok {
		_ = c.SetDeadline(at)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	return func() { stop() }
}

// proxyHeader is the PROXY protocol's header for a connection of the director's own: version 1 "UNKNOWN", version 2 "LOCAL"
// (haproxy.org, proxy-protocol.txt, 2.1 and 2.2).
func proxyHeader(v checkers.Proxy) []byte {
	switch v {
	case 1:
		return []byte("PROXY UNKNOWN\r\n")
	case 2:
		return []byte("\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00")
	}
	return nil
}

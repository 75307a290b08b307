//go:build linux

package lab

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
)

// Chatter is traffic that an address's owner sends by itself: it makes the owner ask for its neighbours in the address's name, which is how a router that is
// about to let go of an address leaves a trace in the caches of others.
type Chatter struct {
	stop chan struct{}
	wg   sync.WaitGroup
	once sync.Once
}

// Chat makes the node send a packet from an address to each of the others, every so often, and forget the others' hardware addresses before each. While the node
// does not have the address nothing leaves.
func (n *Node) Chat(from netip.Addr, to []netip.Addr, every time.Duration) *Chatter {
	c := n.background(every, func(h *netlink.Handle) {
		n.forget(h, to)
		for _, a := range to {
			d := net.Dialer{LocalAddr: &net.UDPAddr{IP: from.AsSlice()}}
			if conn, err := d.Dial("udp", netip.AddrPortFrom(a, 9).String()); err == nil {
				_, _ = conn.Write([]byte("chatter"))
				conn.Close()
			}
		}
	})
	return c
}

// Resolve makes the node forget an address's hardware address and ask for it again, every so often.
func (n *Node) Resolve(addr netip.Addr, every time.Duration) *Chatter {
	return n.background(every, func(h *netlink.Handle) {
		n.forget(h, []netip.Addr{addr})
		if conn, err := net.Dial("udp", netip.AddrPortFrom(addr, 9).String()); err == nil {
			_, _ = conn.Write([]byte("resolve"))
			conn.Close()
		}
	})
}

func (n *Node) background(every time.Duration, f func(h *netlink.Handle)) *Chatter {
	c := &Chatter{stop: make(chan struct{})}
	c.wg.Add(1)
	n.Go(func() {
		defer c.wg.Done()
		h, err := netlink.NewHandle()
		if err != nil {
			return
		}
		defer h.Close()
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-c.stop:
				return
			case <-tick.C:
				f(h)
			}
		}
	})
	n.lab.atEnd(c.Stop)
	return c
}

func (n *Node) forget(h *netlink.Handle, addrs []netip.Addr) {
	link, err := h.LinkByName("eth0")
	if err != nil {
		return
	}
	for _, a := range addrs {
		_ = h.NeighDel(&netlink.Neigh{LinkIndex: link.Attrs().Index, IP: a.AsSlice()})
	}
}

// Stop ends it.
func (c *Chatter) Stop() {
	c.once.Do(func() { close(c.stop) })
	c.wg.Wait()
}

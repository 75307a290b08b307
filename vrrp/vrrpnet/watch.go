package vrrpnet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Interface is one network interface as the kernel shows it.
type Interface struct {
	Name  string
	Index int
	MAC   net.HardwareAddr
	// Up: administratively up and running (it has carrier), IFF_UP and IFF_RUNNING.
	Up bool
	// Addrs are its addresses in the kernel's order.
	Addrs []netip.Prefix
}

func (i Interface) equal(o Interface) bool {
	return i.Name == o.Name && i.Index == o.Index && i.Up == o.Up && bytes.Equal(i.MAC, o.MAC) && slices.Equal(i.Addrs, o.Addrs)
}

// Change is what happened in the kernel since the Change before it.
type Change struct {
	// Interfaces are those that are new or different, whole.
	Interfaces []Interface
	// Gone are the names of those that no longer exist.
	Gone []string
	// Lost are addresses that were taken away: somebody removed them, their lifetime ended, or this daemon let them go.
	Lost []LostAddress
	// RoutesGone: routes or rules of a VRRP daemon's protocol were removed, by whomever.
	RoutesGone bool
}

// LostAddress is one address that is no longer on the interface of that name.
type LostAddress struct {
	Interface string
	Prefix    netip.Prefix
}

// Watch follows interfaces and addresses of one network namespace.
type Watch struct {
	file    *os.File
	handle  *netlink.Handle
	links   map[int]*Interface
	routes  *routeWatch
	changes chan Change
	done    chan struct{}
	stop    chan struct{}
}

// NewWatch subscribes in the network namespace of the calling thread. The first Change holds everything there is.
func NewWatch() (*Watch, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open the netlink socket that follows interfaces: %w", err)
	}
	// Groups before the first list: what happens between is then told twice rather than never.
	groups := uint32(unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR)
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("subscribe to interfaces and addresses: %w", err)
	}
	// Best effort: without the larger buffer an overflow only costs one more list.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 4<<20)
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("open the netlink socket that lists interfaces: %w", err)
	}
	w := &Watch{file: os.NewFile(uintptr(fd), "rtnetlink"), handle: h, links: map[int]*Interface{}, changes: make(chan Change),
		done: make(chan struct{}), stop: make(chan struct{})}
	if w.routes, err = newRouteWatch(); err != nil {
		w.file.Close()
		h.Close()
		return nil, err
	}
	first, err := w.list()
	if err != nil {
		w.routes.close()
		w.file.Close()
		h.Close()
		return nil, err
	}
	go w.follow(first)
	return w, nil
}

// Changes delivers what happened. While nobody reads it, changes add up into one.
func (w *Watch) Changes() <-chan Change { return w.changes }

// Close ends the watch.
func (w *Watch) Close() {
	close(w.stop)
	w.file.Close()
	w.routes.close()
	<-w.done
	w.handle.Close()
}

func (w *Watch) follow(pending Change) {
	defer close(w.done)
	batches := make(chan []syscall.NetlinkMessage)
	go w.read(batches)
	for {
		var out chan Change
		if pending.RoutesGone || len(pending.Interfaces)+len(pending.Gone)+len(pending.Lost) > 0 {
			out = w.changes
		}
		select {
		case out <- pending:
			pending = Change{}
		case <-w.routes.gone:
			pending.RoutesGone = true
		case batch, open := <-batches:
			if !open {
				return
			}
			var c Change
			if batch == nil { // messages were lost
				var err error
				if c, err = w.list(); err != nil {
					continue // the next message or loss tries again; listing fails only for lack of memory
				}
			} else {
				c = w.digest(batch)
			}
			pending = merge(pending, c)
		}
	}
}

// read passes on what the kernel says, nil for "messages were lost". The kernel says ENOBUFS once per loss, so everything that still waits is read
// and thrown away before the list that replaces it.
func (w *Watch) read(out chan<- []syscall.NetlinkMessage) {
	defer close(out)
	raw, err := w.file.SyscallConn()
	if err != nil {
		return
	}
	buf := make([]byte, 65536)
	for {
		var batch []syscall.NetlinkMessage
		lost := false
		err := raw.Read(func(fd uintptr) bool {
			for {
				n, _, err := unix.Recvfrom(int(fd), buf, unix.MSG_DONTWAIT)
				switch {
				case err == unix.EINTR:
				case errors.Is(err, unix.ENOBUFS):
					lost = true
				case err != nil:
					return lost || len(batch) > 0
				case !lost:
					m, err := syscall.ParseNetlinkMessage(bytes.Clone(buf[:n]))
					if err != nil {
						lost = true
						continue
					}
					batch = append(batch, m...)
				}
			}
		})
		if err != nil {
			return
		}
		if lost {
			batch = nil
		}
		select {
		case out <- batch:
		case <-w.stop:
			return
		}
	}
}

// digest follows one batch of messages.
func (w *Watch) digest(batch []syscall.NetlinkMessage) Change {
	before := map[int]Interface{}
	remember := func(index int) {
		if _, ok := before[index]; ok {
			return
		}
		if i := w.links[index]; i != nil {
			c := *i
			c.Addrs = slices.Clone(i.Addrs)
			before[index] = c
		} else {
			before[index] = Interface{}
		}
	}
	for _, m := range batch {
		switch m.Header.Type {
		case unix.RTM_NEWLINK, unix.RTM_DELLINK:
			l, err := netlink.LinkDeserialize((*unix.NlMsghdr)(&m.Header), m.Data)
			if err != nil || len(m.Data) > 0 && m.Data[0] == unix.AF_BRIDGE { // a bridge port's own messages repeat the link's name
				continue
			}
			remember(l.Attrs().Index)
			if m.Header.Type == unix.RTM_DELLINK {
				delete(w.links, l.Attrs().Index)
				continue
			}
			fresh := describe(l)
			if old := w.links[fresh.Index]; old != nil {
				fresh.Addrs = old.Addrs
			}
			w.links[fresh.Index] = &fresh
		case unix.RTM_NEWADDR, unix.RTM_DELADDR:
			index, prefix, usable, ok := parseAddr(m.Data)
			i := w.links[index]
			if !ok || i == nil {
				continue
			}
			remember(index)
			at := slices.Index(i.Addrs, prefix)
			if m.Header.Type == unix.RTM_DELADDR || !usable {
				if at >= 0 {
					i.Addrs = slices.Delete(i.Addrs, at, at+1)
				}
			} else if at < 0 {
				i.Addrs = append(i.Addrs, prefix)
			}
		}
	}
	return w.compare(before)
}

// list reads everything anew.
func (w *Watch) list() (Change, error) {
	links, addrs, err := w.dump()
	if err != nil {
		return Change{}, fmt.Errorf("list interfaces and addresses: %w", err)
	}
	before := map[int]Interface{}
	for index, i := range w.links {
		before[index] = *i
	}
	w.links = map[int]*Interface{}
	for _, l := range links {
		i := describe(l)
		w.links[i.Index] = &i
		if _, ok := before[i.Index]; !ok {
			before[i.Index] = Interface{}
		}
	}
	for _, a := range addrs {
		if i := w.links[a.LinkIndex]; i != nil && a.IPNet != nil && a.Flags&unusable == 0 {
			if p, ok := prefixOf(a.IPNet); ok {
				i.Addrs = append(i.Addrs, p)
			}
		}
	}
	return w.compare(before), nil
}

// dump repeats a list that the kernel says was interrupted by a change.
func (w *Watch) dump() (links []netlink.Link, addrs []netlink.Addr, err error) {
	for range 5 {
		if links, err = w.handle.LinkList(); err == nil {
			if addrs, err = w.handle.AddrList(nil, netlink.FAMILY_ALL); err == nil {
				return links, addrs, nil
			}
		}
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			return nil, nil, err
		}
	}
	return nil, nil, err
}

func (w *Watch) compare(before map[int]Interface) Change {
	var c Change
	for _, index := range slices.Sorted(maps.Keys(before)) {
		was, now := before[index], w.links[index]
		if now == nil {
			if was.Name != "" && !w.exists(was.Name) {
				c.Gone = append(c.Gone, was.Name)
			}
			continue
		}
		if was.Name != "" && was.Name != now.Name && !w.exists(was.Name) {
			c.Gone = append(c.Gone, was.Name)
		}
		for _, p := range was.Addrs {
			if !slices.Contains(now.Addrs, p) {
				c.Lost = append(c.Lost, LostAddress{now.Name, p})
			}
		}
		if !was.equal(*now) {
			i := *now
			i.Addrs = slices.Clone(now.Addrs)
			c.Interfaces = append(c.Interfaces, i)
		}
	}
	return c
}

func (w *Watch) exists(name string) bool {
	for _, i := range w.links {
		if i.Name == name {
			return true
		}
	}
	return false
}

// merge puts two changes that nobody has seen yet into one.
func merge(a, b Change) Change {
	for _, i := range b.Interfaces {
		a.Interfaces = slices.DeleteFunc(a.Interfaces, func(o Interface) bool { return o.Name == i.Name })
		a.Gone = slices.DeleteFunc(a.Gone, func(n string) bool { return n == i.Name })
	}
	for _, n := range b.Gone {
		a.Interfaces = slices.DeleteFunc(a.Interfaces, func(o Interface) bool { return o.Name == n })
		a.Gone = slices.DeleteFunc(a.Gone, func(o string) bool { return o == n })
	}
	a.Interfaces = append(a.Interfaces, b.Interfaces...)
	a.Gone = append(a.Gone, b.Gone...)
	a.Lost = append(a.Lost, b.Lost...)
	a.RoutesGone = a.RoutesGone || b.RoutesGone
	return a
}

func describe(l netlink.Link) Interface {
	a := l.Attrs()
	const up = unix.IFF_UP | unix.IFF_RUNNING
	return Interface{Name: a.Name, Index: a.Index, MAC: a.HardwareAddr, Up: a.RawFlags&up == up}
}

// unusable: IPv6 while duplicate address detection runs, and after it failed. The kernel tells again when it has ended.
const unusable = unix.IFA_F_TENTATIVE | unix.IFA_F_DADFAILED

func parseAddr(data []byte) (index int, prefix netip.Prefix, usable, ok bool) {
	if len(data) < unix.SizeofIfAddrmsg {
		return 0, netip.Prefix{}, false, false
	}
	m := syscall.NetlinkMessage{Header: syscall.NlMsghdr{Type: unix.RTM_NEWADDR}, Data: data}
	attrs, err := syscall.ParseNetlinkRouteAttr(&m)
	if err != nil {
		return 0, netip.Prefix{}, false, false
	}
	flags := uint32(data[2])
	index = int(binary.NativeEndian.Uint32(data[4:]))
	var addr netip.Addr
	for _, a := range attrs {
		// A point-to-point address is the LOCAL one; IPv6 has ADDRESS only.
		if a.Attr.Type == unix.IFA_LOCAL || a.Attr.Type == unix.IFA_ADDRESS && !addr.IsValid() {
			addr, ok = netip.AddrFromSlice(a.Value)
		}
		if a.Attr.Type == unix.IFA_FLAGS && len(a.Value) >= 4 {
			flags = binary.NativeEndian.Uint32(a.Value)
		}
	}
	return index, netip.PrefixFrom(addr, int(data[1])), flags&unusable == 0, ok && index > 0
}

func prefixOf(n *net.IPNet) (netip.Prefix, bool) {
	addr, ok := netip.AddrFromSlice(n.IP)
	ones, _ := n.Mask.Size()
	return netip.PrefixFrom(addr.Unmap(), ones), ok
}

package vrrpnet

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/vrrp"
)

// Held is one address that the daemon answers for, with its interface filled in.
type Held struct {
	vrrp.Address
	// Lifetime is how long the address outlives the last Refresh, whole seconds: if every process of the daemon dies for good, the kernel
	// itself takes the address away. 0 means for ever (static addresses).
	Lifetime time.Duration
	// Keep: the address belongs to the interface anyway (priority 255, the owner): if it is there it is neither touched nor ever removed.
	Keep bool
}

type place struct {
	Interface string
	Prefix    netip.Prefix
}

func (h Held) place() place { return place{h.Interface, h.Prefix} }

// Addresses adds and removes addresses, in the network namespace of the thread that made it. It remembers for each owner (an
// instance, the static addresses) what it holds; an address of two owners stays until the last lets go. Its methods may take milliseconds
// and belong to one goroutine.
type Addresses struct {
	handle *netlink.Handle
	fd     int
	owners map[string][]Held
	// foreign are places whose address was there before and is to be kept.
	foreign map[place]bool
	// failed are places whose address the kernel refused when it was last asked: the next Hold tries again.
	failed map[place]error
	// forgotten are places whose address somebody else removed and that is to stay so until the next Hold.
	forgotten map[place]bool
	// since is when addresses with a preferred time were added.
	since map[place]time.Time
	// connected are places whose address has a lifetime and brought the connected route of its prefix (IPv6, see prepare).
	connected map[place]bool
	// waitFrom is when the last wait for addresses to work began.
	waitFrom time.Time
}

// openHandle opens, in the network namespace of the calling thread, a netlink socket for what is said, whose requests end after 10 s, and a socket that
// looks interfaces up.
func openHandle(what string) (*netlink.Handle, int, error) {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, 0, fmt.Errorf("open the netlink socket that %s: %w", what, err)
	}
	if err := h.SetSocketTimeout(10 * time.Second); err != nil {
		h.Close()
		return nil, 0, fmt.Errorf("limit the time of a netlink request: %w", err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		h.Close()
		return nil, 0, fmt.Errorf("open the socket that looks interfaces up: %w", err)
	}
	return h, fd, nil
}

// NewAddresses opens the netlink socket.
func NewAddresses() (*Addresses, error) {
	h, fd, err := openHandle("writes addresses")
	if err != nil {
		return nil, err
	}
	return &Addresses{handle: h, fd: fd, owners: map[string][]Held{}, foreign: map[place]bool{}, failed: map[place]error{}, forgotten: map[place]bool{}, since: map[place]time.Time{}, connected: map[place]bool{}}, nil
}

// Close closes the sockets and removes nothing.
func (a *Addresses) Close() {
	a.handle.Close()
	unix.Close(a.fd)
}

// Hold makes the addresses of one owner exactly want: first those that are new, in order, then those it no longer wants go, last first. It does
// what can be done and tells everything that failed; calling it again tries again.
func (a *Addresses) Hold(owner string, want []Held) error {
	var errs []error
	had := a.owners[owner]
	a.owners[owner] = slices.Clone(want) // before anything is added: sharesPrefix asks which addresses are held here
	if len(want) == 0 {
		delete(a.owners, owner)
	}
	var fresh []Held
	for _, h := range want {
		if slices.Contains(had, h) && a.failed[h.place()] == nil && !a.forgotten[h.place()] {
			continue
		}
		delete(a.forgotten, h.place())
		missing, err := a.add(h)
		errs = append(errs, a.note(h, err))
		if missing && err == nil {
			fresh = append(fresh, h)
		}
	}
	a.awaitUse(fresh)
	for _, h := range slices.Backward(had) {
		if !a.wanted(h.place()) {
			delete(a.failed, h.place())
			delete(a.forgotten, h.place())
			if err := a.remove(h.Address); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// note remembers how setting an address ended.
func (a *Addresses) note(h Held, err error) error {
	if err == nil {
		delete(a.failed, h.place())
		return nil
	}
	a.failed[h.place()] = err
	return err
}

// Denied are the held addresses that the kernel refused when it was last asked for them, in a fixed order.
func (a *Addresses) Denied() []vrrp.DeniedAddress {
	var out []vrrp.DeniedAddress
	for p, err := range a.failed {
		out = append(out, vrrp.DeniedAddress{Prefix: p.Prefix, Interface: p.Interface, Reason: reasonOf(p, err)})
	}
	slices.SortFunc(out, func(a, b vrrp.DeniedAddress) int {
		return cmp.Or(cmp.Compare(a.Interface, b.Interface), a.Prefix.Addr().Compare(b.Prefix.Addr()), a.Prefix.Bits()-b.Prefix.Bits())
	})
	return out
}

// reasonOf is what the kernel said, with what it means where that is known: addrconf_add_dev (net/ipv6/addrconf.c) answers EACCES with IPv6 disabled on the
// interface and ENOBUFS or EINVAL below its least MTU of 1280.
func reasonOf(p place, err error) string {
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return err.Error()
	}
	text := errno.Error()
	switch {
	case !p.Prefix.Addr().Is6():
	case errno == unix.EACCES:
		text += fmt.Sprintf(" (IPv6 is off there: net.ipv6.conf.%s.disable_ipv6)", p.Interface)
	case errno == unix.EAFNOSUPPORT, errno == unix.EOPNOTSUPP:
		text += " (this kernel runs without IPv6)"
	case errno == unix.EINVAL, errno == unix.ENOBUFS, errno == unix.ENODEV:
		text += " (IPv6 needs an MTU of 1280)"
	}
	return text
}

// Restore adds an address again if somebody holds it and it is not there; true when it was missing and is back.
func (a *Addresses) Restore(iface string, prefix netip.Prefix) (bool, error) {
	for _, held := range a.owners {
		for _, h := range held {
			if h.place() == (place{iface, prefix}) {
				delete(a.foreign, h.place())
				missing, err := a.addIfMissing(h)
				if missing && err == nil {
					a.awaitUse([]Held{h})
				}
				return missing, a.note(h, err)
			}
		}
	}
	return false, nil
}

// Forget leaves an address alone that somebody else removed: Refresh does not add it again. The next Hold that asks for it does.
func (a *Addresses) Forget(iface string, prefix netip.Prefix) {
	a.forgotten[place{iface, prefix}] = true
}

// Refresh lengthens the lifetime of everything held, and adds what is missing, other than what was refused: Hold tries that again.
func (a *Addresses) Refresh() error {
	var errs []error
	for _, held := range a.owners {
		for _, h := range held {
			if h.Lifetime == 0 || a.foreign[h.place()] || a.forgotten[h.place()] || a.failed[h.place()] != nil {
				continue
			}
			errs = append(errs, a.note(h, a.replace(h)))
		}
	}
	return errors.Join(errs...)
}

// Remove takes addresses away, whoever put them there; those that are not there are no error.
func (a *Addresses) Remove(addrs []vrrp.Address) error {
	var errs []error
	for _, addr := range slices.Backward(addrs) {
		if err := a.remove(addr); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (a *Addresses) wanted(p place) bool {
	for _, held := range a.owners {
		for _, h := range held {
			if h.place() == p {
				return true
			}
		}
	}
	return false
}

func (a *Addresses) add(h Held) (missing bool, err error) {
	missing, err = a.addIfMissing(h)
	if err != nil || missing {
		return missing, err
	}
	if h.Keep {
		a.foreign[h.place()] = true
		return false, nil
	}
	return false, a.replace(h)
}

const (
	// useLimit bounds the wait for new IPv6 addresses to work, of all owners together within four times that, and usePoll is how often that is looked at.
	useLimit = 250 * time.Millisecond
	usePoll  = 200 * time.Microsecond
)

// awaitUse waits until the kernel takes packets to these addresses. For an IPv6 address it acknowledges the request first and makes the address work
// later, in a work queue (addrconf_dad_start, net/ipv6/addrconf.c), which took up to 125 ms on a busy machine: whoever tells of the address before sends
// clients to nobody.
func (a *Addresses) awaitUse(added []Held) {
	for _, h := range added {
		if !h.Prefix.Addr().Is6() || h.DAD {
			continue
		}
		link, err := a.link(h.Interface)
		if err != nil {
			continue
		}
		for !a.isLocal(link.Attrs().Index, h.Prefix.Addr()) {
			now := time.Now()
			if now.Sub(a.waitFrom) > 4*useLimit {
				a.waitFrom = now
			}
			if now.Sub(a.waitFrom) > useLimit {
				return
			}
			time.Sleep(usePoll)
		}
	}
}

// isLocal says whether the kernel would take a packet to that address on the interface. It asks without the lock of all networking.
func (a *Addresses) isLocal(index int, addr netip.Addr) bool {
	routes, err := a.handle.RouteGetWithOptions(addr.AsSlice(), &netlink.RouteGetOptions{OifIndex: index})
	return err == nil && len(routes) > 0 && routes[0].Type == unix.RTN_LOCAL
}

func (a *Addresses) addIfMissing(h Held) (bool, error) {
	link, addr, err := a.prepare(h)
	if err != nil {
		return false, err
	}
	err = a.handle.AddrAdd(link, addr)
	if errors.Is(err, unix.EEXIST) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("add %s to %s: %w", h.Prefix, h.Interface, err)
	}
	return true, nil
}

func (a *Addresses) replace(h Held) error {
	link, addr, err := a.prepare(h)
	if err == nil {
		err = a.handle.AddrReplace(link, addr)
	}
	if err != nil {
		return fmt.Errorf("refresh %s on %s: %w", h.Prefix, h.Interface, err)
	}
	return nil
}

// prepare translates to netlink.
func (a *Addresses) prepare(h Held) (netlink.Link, *netlink.Addr, error) {
	link, err := a.link(h.Interface)
	if err != nil {
		return nil, nil, fmt.Errorf("add %s to %s: %w", h.Prefix, h.Interface, err)
	}
	addr := &netlink.Addr{IPNet: ipNet(h.Prefix), Label: h.Label, Scope: int(h.Scope), Peer: peerOf(h.Address)}
	lifetime := int(h.Lifetime / time.Second)
	if h.Prefix.Addr().Is4() {
		addr.Broadcast = net.IPv4zero // nil would make the library invent one
		if h.Broadcast.IsValid() {
			addr.Broadcast = h.Broadcast.AsSlice()
		}
	} else {
		if !h.DAD {
			addr.Flags = unix.IFA_F_NODAD // the address may still be on the host that gives it up
		}
		if lifetime > 0 && !h.Prefix.IsSingleIP() && !h.NoPrefixRoute && !h.Peer.IsValid() {
			// The kernel gives the connected route of the prefix the address's lifetime (addrconf.c, modify_prefix_route), even when the interface's own
			// address shares it: that route would go away with us. So no route where somebody else has one; where nobody has, it ends with the address.
			shared, err := a.sharesPrefix(link, h)
			if err != nil {
				return nil, nil, err
			}
			if shared {
				addr.Flags |= unix.IFA_F_NOPREFIXROUTE
				delete(a.connected, h.place())
			} else {
				a.connected[h.place()] = true
			}
		}
	}
	for flag, on := range map[int]bool{unix.IFA_F_HOMEADDRESS: h.Home, unix.IFA_F_MANAGETEMPADDR: h.MngTmpAddr, unix.IFA_F_NOPREFIXROUTE: h.NoPrefixRoute, unix.IFA_F_MCAUTOJOIN: h.AutoJoin} {
		if on {
			addr.Flags |= flag
		}
	}
	preferred := math.MaxInt
	if h.Preferred > 0 {
		if a.since[h.place()].IsZero() {
			a.since[h.place()] = time.Now()
		}
		preferred = int(max(h.Preferred-time.Since(a.since[h.place()]), 0).Round(time.Second) / time.Second)
	}
	switch {
	case h.Preferred > 0 && lifetime == 0:
		addr.ValidLft, addr.PreferedLft = math.MaxUint32, preferred
	case lifetime > 0:
		addr.ValidLft, addr.PreferedLft = lifetime, min(lifetime, preferred)
		if h.Deprecated {
			addr.PreferedLft = 0
		}
	case h.Deprecated:
		addr.ValidLft = math.MaxUint32 // with both 0 the attribute would not be sent
	default:
		addr.ValidLft, addr.PreferedLft = math.MaxUint32, math.MaxUint32
	}
	return link, addr, nil
}

// sharesPrefix says whether another address of the interface, permanent or not held here, has the same prefix.
func (a *Addresses) sharesPrefix(link netlink.Link, h Held) (bool, error) {
	var list []netlink.Addr
	var err error
	for range 5 {
		if list, err = a.handle.AddrList(link, netlink.FAMILY_V6); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	if err != nil {
		return false, fmt.Errorf("list the addresses of %s: %w", h.Interface, err)
	}
	for _, o := range list {
		if p, ok := prefixOf(o.IPNet); ok && p.Masked() == h.Prefix.Masked() && p.Addr() != h.Prefix.Addr() &&
			(o.Flags&unix.IFA_F_PERMANENT != 0 || !a.wanted(place{h.Interface, p})) {
			return true, nil
		}
	}
	return false, nil
}

func (a *Addresses) remove(h vrrp.Address) error {
	p := place{h.Interface, h.Prefix}
	delete(a.since, p)
	if a.foreign[p] {
		delete(a.foreign, p)
		return nil
	}
	link, err := a.link(h.Interface)
	if err != nil {
		return nil // the interface is gone and the address with it
	}
	if a.connected[p] {
		delete(a.connected, p)
		// The kernel leaves the route of an address with a lifetime to its own lifetime (addrconf.c, ipv6_del_addr): without one they go together.
		_ = a.handle.AddrReplace(link, &netlink.Addr{IPNet: ipNet(h.Prefix), Flags: unix.IFA_F_NODAD, ValidLft: math.MaxUint32, PreferedLft: math.MaxUint32})
	}
	err = a.handle.AddrDel(link, &netlink.Addr{IPNet: ipNet(h.Prefix), Peer: peerOf(h)})
	if err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("remove %s from %s: %w", h.Prefix, h.Interface, err)
	}
	return nil
}

// link finds an interface's number by one cheap call; the answer is good for this one use, interfaces come and go.
func (a *Addresses) link(name string) (netlink.Link, error) { return linkOf(a.fd, name) }

func linkOf(fd int, name string) (netlink.Link, error) {
	req, err := unix.NewIfreq(name)
	if err == nil {
		err = unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, req)
	}
	if err != nil {
		return nil, fmt.Errorf("interface %q: %w", name, err)
	}
	return &netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Name: name, Index: int(req.Uint32())}}, nil
}

// peerOf is the other end of a point-to-point address; nil for none.
func peerOf(a vrrp.Address) *net.IPNet {
	if !a.Peer.IsValid() {
		return nil
	}
	return ipNet(a.Peer)
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

package vrrpnet

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/vrrp"
)

// MACVLAN is one virtual MAC interface that has to exist: a macvlan or, with IPVLAN, an ipvlan.
type MACVLAN struct {
	vrrp.VMAC
	Parent string
}

// VMACs makes and removes virtual MAC interfaces: macvlans in private mode. They are down except while their instance is MASTER: a macvlan that is up
// claims every frame from its own MAC (drivers/net/macvlan.c, macvlan_handle_frame), which on a BACKUP are the MASTER's, and sends group reports that
// would move the MAC in the switch. An ipvlan has the MAC of its parent and is up all the time. Methods may take tens of milliseconds and belong to one goroutine.
type VMACs struct {
	handle *netlink.Handle
	fd     int
	made   []MACVLAN
}

// NewVMACs opens the netlink socket in the network namespace of the calling thread.
func NewVMACs() (*VMACs, error) {
	h, fd, err := openHandle("makes virtual MAC interfaces")
	if err != nil {
		return nil, err
	}
	return &VMACs{handle: h, fd: fd}, nil
}

// Close closes the socket and removes nothing.
func (v *VMACs) Close() {
	v.handle.Close()
	unix.Close(v.fd)
}

// Make makes the virtual MAC interfaces exactly these; those that are there already and fit stay as they are. changed are the kernel settings it
// changed on parents, with their former values, for Restore. It does what can be done and tells everything that failed.
func (v *VMACs) Make(want []MACVLAN) (changed map[string]string, err error) {
	var errs []error
	for _, m := range v.made {
		if !slices.Contains(want, m) {
			errs = append(errs, v.delete(m))
		}
	}
	changed = map[string]string{}
	v.made = slices.Clone(want)
	for _, m := range want {
		if err := v.ensure(m, changed); err != nil {
			errs = append(errs, fmt.Errorf("make the virtual MAC interface %s on %s: %w", m.Name, m.Parent, err))
		}
	}
	return changed, errors.Join(errs...)
}

// Remove takes away interfaces that another process made.
func (v *VMACs) Remove(list []MACVLAN) error {
	var errs []error
	for _, m := range list {
		errs = append(errs, v.delete(m))
	}
	return errors.Join(errs...)
}

// Switch brings one up or down.
func (v *VMACs) Switch(name string, up bool) error {
	l, err := linkOf(v.fd, name) // every question to netlink waits for the kernel's lock of all networking, and a takeover waits with it
	if err == nil {
		if up {
			err = v.handle.LinkSetUp(l)
		} else {
			err = v.handle.LinkSetDown(l)
		}
	}
	if err != nil {
		return fmt.Errorf("switch the virtual MAC interface %s: %w", name, err)
	}
	return nil
}

func (v *VMACs) ensure(m MACVLAN, changed map[string]string) error {
	var mac net.HardwareAddr
	if !m.IPVLAN {
		var err error
		if mac, err = net.ParseMAC(m.MAC); err != nil {
			return err
		}
	}
	parent, err := v.handle.LinkByName(m.Parent)
	if err != nil {
		return err
	}
	group, err := linkGroup(m.LinkGroup, parent.Attrs().Group)
	if err != nil {
		return err
	}
	want := m.link(parent, mac, group)
	if old, err := v.handle.LinkByName(m.Name); err == nil {
		if fits(old, want) {
			return v.settings(m, want, changed)
		}
		if !isVirtual(old) {
			return fmt.Errorf("an interface of that name exists and is a %s", old.Type())
		}
		if err := v.handle.LinkDel(old); err != nil {
			return err
		}
	}
	if err := v.handle.LinkAdd(want); err != nil {
		return err
	}
	// In the VRF of its parent, if that is in one.
	if index := parent.Attrs().MasterIndex; index != 0 {
		if master, err := v.handle.LinkByIndex(index); err == nil && master.Type() == "vrf" {
			if err := v.handle.LinkSetMaster(want, master); err != nil {
				return fmt.Errorf("put it into the VRF %s of its parent: %w", master.Attrs().Name, err)
			}
		}
	}
	if m.NotifyBase { // the kernel tells nobody of the parent's new promiscuity; any write makes it
		if err := v.handle.LinkSetGroup(parent, int(parent.Attrs().Group)); err != nil {
			return fmt.Errorf("have the kernel tell of %s: %w", m.Parent, err)
		}
	}
	// No link-local address of its own: every router of the group would have the same.
	if err := v.handle.LinkSetIP6AddrGenMode(want, 1); err != nil && !errors.Is(err, unix.EAFNOSUPPORT) {
		return fmt.Errorf("no automatic IPv6 address: %w", err)
	}
	return v.settings(m, want, changed)
}

// link is what the kernel is to make.
func (m MACVLAN) link(parent netlink.Link, mac net.HardwareAddr, group uint32) netlink.Link {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.ParentIndex, attrs.Group = m.Name, parent.Attrs().Index, group
	if m.IPVLAN {
		flags := map[string]netlink.IPVlanFlag{"private": netlink.IPVLAN_FLAG_PRIVATE, "vepa": netlink.IPVLAN_FLAG_VEPA}
		return &netlink.IPVlan{LinkAttrs: attrs, Mode: netlink.IPVLAN_MODE_L2, Flag: flags[m.Mode]}
	}
	attrs.HardwareAddr = mac
	return &netlink.Macvlan{LinkAttrs: attrs, Mode: netlink.MACVLAN_MODE_PRIVATE}
}

// fits says that an interface is as it is wanted.
func fits(is, want netlink.Link) bool {
	if is.Attrs().ParentIndex != want.Attrs().ParentIndex || is.Attrs().Group != want.Attrs().Group {
		return false
	}
	switch want := want.(type) {
	case *netlink.Macvlan:
		is, ok := is.(*netlink.Macvlan)
		return ok && bytes.Equal(is.HardwareAddr, want.HardwareAddr) && is.Mode == want.Mode
	case *netlink.IPVlan:
		is, ok := is.(*netlink.IPVlan)
		return ok && is.Mode == want.Mode && is.Flag == want.Flag
	}
	return false
}

func isVirtual(l netlink.Link) bool { return l.Type() == "macvlan" || l.Type() == "ipvlan" }

// linkGroup is the number of a link group; names are those of /etc/iproute2/group.
func linkGroup(word string, parents uint32) (uint32, error) {
	if word == "" {
		return parents, nil
	}
	if n, err := strconv.ParseUint(word, 0, 32); err == nil {
		return uint32(n), nil
	}
	for _, path := range []string{"/etc/iproute2/group", "/usr/share/iproute2/group"} {
		if n, ok := named(path, word); ok {
			return uint32(n), nil
		}
	}
	return 0, fmt.Errorf("link group %q is neither a number nor a name in /etc/iproute2/group", word)
}

// settings: the macvlan answers ARP for its own addresses only and takes packets from everywhere; its parent does not answer for them (keepalived's
// choice), nor does it ask in their name: an ARP request from the virtual address with the parent's MAC would move it in every neighbour's cache (seen).
// The parent of an ipvlan must not either: the kernel gives the answer to the interface that has the address, and the parent, through which the route to
// the neighbour leads, never learns it (seen: nobody was answered after a takeover).
func (v *VMACs) settings(m MACVLAN, link netlink.Link, changed map[string]string) error {
	own := map[string]string{"arp_ignore": "1", "accept_local": "1", "rp_filter": "0", "promote_secondaries": "1"}
	parent := map[string]string{"arp_ignore": "1", "arp_filter": "1", "arp_announce": "2"}
	var errs []error
	if m.IPVLAN {
		if err := v.raise(m, link); err != nil {
			return err
		}
		own, parent = map[string]string{"rp_filter": "0"}, map[string]string{"arp_announce": "2"}
	}
	errs = append(errs, spreadReversePathFilter(changed))
	for name, value := range own {
		_, err := setting(m.Name, name, value)
		errs = append(errs, err)
	}
	for name, value := range parent {
		was, err := setting(m.Parent, name, value)
		errs = append(errs, err)
		if err == nil && was != value {
			changed[filepath.Join(m.Parent, name)] = was
		}
	}
	// What a router advertises is its parent's business: addresses made of the virtual MAC would be on every router of the group.
	ra := filepath.Join("/proc/sys/net/ipv6/conf", m.Name, "accept_ra")
	if err := os.WriteFile(ra, []byte("0"), 0); err != nil && !errors.Is(err, os.ErrNotExist) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// raise gives an ipvlan its own address and brings it up.
func (v *VMACs) raise(m MACVLAN, link netlink.Link) error {
	if m.Own.IsValid() {
		addr := &netlink.Addr{IPNet: ipNet(m.Own), Broadcast: net.IPv4zero, ValidLft: math.MaxUint32, PreferedLft: math.MaxUint32}
		if m.Own.Addr().Is6() {
			addr.Flags = unix.IFA_F_NODAD
		}
		if err := v.handle.AddrAdd(link, addr); err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("add its own address %s: %w", m.Own, err)
		}
	}
	return v.handle.LinkSetUp(link)
}

// spreadReversePathFilter makes net.ipv4.conf.all.rp_filter 0 and gives every interface what it had with it: the kernel takes the larger of both
// (net/ipv4/fib_frontend.c, IN_DEV_RPFILTER), and a macvlan needs none at all.
func spreadReversePathFilter(changed map[string]string) error {
	const dir = "/proc/sys/net/ipv4/conf"
	read := func(iface string) (int, error) {
		b, err := os.ReadFile(filepath.Join(dir, iface, "rp_filter"))
		if err != nil {
			return 0, err
		}
		return strconv.Atoi(strings.TrimSpace(string(b)))
	}
	all, err := read("all")
	if err != nil || all == 0 {
		return err
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var errs []error
	write := func(iface string, value int) {
		was, err := setting(iface, "rp_filter", strconv.Itoa(value))
		errs = append(errs, err)
		if at := filepath.Join(iface, "rp_filter"); err == nil && changed[at] == "" {
			changed[at] = was
		}
	}
	for _, e := range list {
		if has, err := read(e.Name()); err == nil && has < all {
			write(e.Name(), all)
		}
	}
	write("all", 0)
	return errors.Join(errs...)
}

// setting writes net.ipv4.conf.IFACE.NAME unless it has the value already.
func setting(iface, name, value string) (was string, err error) {
	file := filepath.Join("/proc/sys/net/ipv4/conf", iface, name)
	b, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	if was = strings.TrimSpace(string(b)); was == value {
		return was, nil
	}
	return was, os.WriteFile(file, []byte(value), 0)
}

// RestoreSettings writes former values back, as Make reported them; interfaces that are gone took theirs with them.
func RestoreSettings(values map[string]string) error {
	var errs []error
	for _, at := range slices.Sorted(maps.Keys(values)) { // always in one order
		value := values[at]
		iface, name := filepath.Split(at)
		if !filepath.IsLocal(at) || iface == "" { // it comes from a file: never write elsewhere
			errs = append(errs, fmt.Errorf("put back the setting %q of an interface: there is no such setting", at))
			continue
		}
		if _, err := setting(filepath.Clean(iface), name, value); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (v *VMACs) delete(m MACVLAN) error {
	l, err := v.handle.LinkByName(m.Name)
	if err != nil {
		return nil // it went with its parent
	}
	if !isVirtual(l) {
		return nil // somebody else's
	}
	if err := v.handle.LinkDel(l); err != nil {
		return fmt.Errorf("remove the virtual MAC interface %s: %w", m.Name, err)
	}
	return nil
}

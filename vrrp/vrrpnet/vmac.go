package vrrpnet

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/vrrp"
)

// MACVLAN is one virtual MAC interface that has to exist.
type MACVLAN struct {
	vrrp.VMAC
	Parent string
}

// VMACs makes and removes virtual MAC interfaces: macvlans in private mode. They are down except while their instance is MASTER: a macvlan that is up
// claims every frame from its own MAC (drivers/net/macvlan.c, macvlan_handle_frame), which on a BACKUP are the MASTER's, and sends group reports that
// would move the MAC in the switch. Methods may take tens of milliseconds and belong to one goroutine.
type VMACs struct {
	handle *netlink.Handle
	made   []MACVLAN
}

// NewVMACs opens the netlink socket in the network namespace of the calling thread.
func NewVMACs() (*VMACs, error) {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open the netlink socket that makes virtual MAC interfaces: %w", err)
	}
	if err := h.SetSocketTimeout(10 * time.Second); err != nil {
		h.Close()
		return nil, fmt.Errorf("limit the time of a netlink request: %w", err)
	}
	return &VMACs{handle: h}, nil
}

// Close closes the socket and removes nothing.
func (v *VMACs) Close() { v.handle.Close() }

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
	l, err := v.handle.LinkByName(name)
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
	mac, err := net.ParseMAC(m.MAC)
	if err != nil {
		return err
	}
	parent, err := v.handle.LinkByName(m.Parent)
	if err != nil {
		return err
	}
	if old, err := v.handle.LinkByName(m.Name); err == nil {
		mv, ok := old.(*netlink.Macvlan)
		if ok && mv.Attrs().ParentIndex == parent.Attrs().Index && bytes.Equal(mv.Attrs().HardwareAddr, mac) && mv.Mode == netlink.MACVLAN_MODE_PRIVATE {
			return v.settings(m, changed)
		}
		if !ok {
			return fmt.Errorf("an interface of that name exists and is a %s", old.Type())
		}
		if err := v.handle.LinkDel(old); err != nil {
			return err
		}
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.ParentIndex, attrs.HardwareAddr = m.Name, parent.Attrs().Index, mac
	link := &netlink.Macvlan{LinkAttrs: attrs, Mode: netlink.MACVLAN_MODE_PRIVATE}
	if err := v.handle.LinkAdd(link); err != nil {
		return err
	}
	// No link-local address of its own: every router of the group would have the same.
	if err := v.handle.LinkSetIP6AddrGenMode(link, 1); err != nil && !errors.Is(err, unix.EAFNOSUPPORT) {
		return fmt.Errorf("no automatic IPv6 address: %w", err)
	}
	return v.settings(m, changed)
}

// settings: the macvlan answers ARP for its own addresses only and takes packets from everywhere; its parent does not answer for them (keepalived's
// choice), nor does it ask in their name: an ARP request from the virtual address with the parent's MAC would move it in every neighbour's cache (seen).
func (v *VMACs) settings(m MACVLAN, changed map[string]string) error {
	own := map[string]string{"arp_ignore": "1", "accept_local": "1", "rp_filter": "0", "promote_secondaries": "1"}
	parent := map[string]string{"arp_ignore": "1", "arp_filter": "1", "arp_announce": "2"}
	var errs []error
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
	for at, value := range values {
		iface, name := filepath.Split(at)
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
	if _, ok := l.(*netlink.Macvlan); !ok {
		return nil // somebody else's
	}
	if err := v.handle.LinkDel(l); err != nil {
		return fmt.Errorf("remove the virtual MAC interface %s: %w", m.Name, err)
	}
	return nil
}

package kernel

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/vishvananda/netlink"
)

// sysctlPath is the file of a dotted name. A slash in the name stands for a dot in an interface's name, as in sysctl(8).
func sysctlPath(name string) (string, error) {
	path := strings.NewReplacer(".", "/", "/", ".").Replace(name)
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." {
			return "", fmt.Errorf("sysctl %q is no name", name)
		}
	}
	return "/proc/sys/" + path, nil
}

// Sysctl implements ipvssync.Kernel.
func (k *Kernel) Sysctl(name string) (string, error) {
	path, err := sysctlPath(name)
	if err != nil {
		return "", err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read sysctl %s: %w", name, err)
	}
	return strings.TrimSpace(string(b)), nil
}

// SetSysctl implements ipvssync.Kernel.
func (k *Kernel) SetSysctl(name, value string) error {
	path, err := sysctlPath(name)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(value), 0o644); err != nil {
		return fmt.Errorf("set sysctl %s to %q: %w", name, value, err)
	}
	return nil
}

// Holder implements ipvssync.Kernel.
func (k *Kernel) Holder(own netip.Addr) (string, error) {
	all, err := net.Interfaces()
	if err != nil {
		return "", fmt.Errorf("find the interface of %s: %w", own, err)
	}
	for _, i := range all {
		addrs, err := i.Addrs()
		if err != nil {
			continue // it has just gone
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.IP.Equal(own.AsSlice()) {
				return i.Name, nil
			}
		}
	}
	return "", nil
}

// Outgoing implements ipvssync.Kernel.
func (k *Kernel) Outgoing(to netip.Addr) (string, error) {
	routes, err := netlink.RouteGet(to.AsSlice())
	if err == nil && len(routes) == 0 {
		err = os.ErrNotExist
	}
	if err != nil {
		return "", fmt.Errorf("find the route to %s: %w", to, err)
	}
	link, err := netlink.LinkByIndex(routes[0].LinkIndex)
	if err != nil {
		return "", fmt.Errorf("find the interface of the route to %s: %w", to, err)
	}
	return link.Attrs().Name, nil
}

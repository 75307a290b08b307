//go:build linux

package lab

import (
	"fmt"
	"net/netip"
	"strings"
)

// Virtual is one vrrp_instance to write for both directors of a site.
type Virtual struct {
	// Name, VRID and Dev (default eth0) say which one it is.
	Name string
	VRID int
	Dev  string
	// VIPs are its addresses with prefix length, in order; their family is the instance's.
	VIPs []string
	// Unicast sends to the other directors of Peers instead of the group.
	Unicast bool
	// More is added to the instance as it stands.
	More string
}

// Virtuals are the instances of a site in keepalived's language.
type Virtuals struct {
	// Version of VRRP (default 3) and the advertisement interval (default "1").
	Version int
	Advert  string
	// Group puts all of them into one sync group.
	Group bool
	// Global is added to global_defs, More to the file's end.
	Global, More string
	// List are the instances.
	List []Virtual
}

// First is the first address of the instance, without its length.
func (v Virtual) First() netip.Addr { return netip.MustParsePrefix(v.VIPs[0]).Addr() }

// Last is the last one: with IPv6 the first is link-local, which a client cannot ask without naming an interface.
func (v Virtual) Last() netip.Addr { return netip.MustParsePrefix(v.VIPs[len(v.VIPs)-1]).Addr() }

// Is6 tells the family.
func (v Virtual) Is6() bool { return v.First().Is6() }

// On is the instance's own interface.
func (v Virtual) On() string {
	if v.Dev == "" {
		return "eth0"
	}
	return v.Dev
}

// own is the director's address that an instance sends from.
func (v Virtual) own(d *Director) string {
	switch {
	case v.Is6():
		return d.Addr6.String()
	case v.On() == "eth1":
		return strings.Replace(d.Addr.String(), "10.77.", "10.78.", 1)
	}
	return d.Addr.String()
}

// Text is the configuration of the director d with this priority for every instance.
func (c Virtuals) Text(s *Site, d *Director, priority int) string {
	var b strings.Builder
	if c.Version == 0 {
		c.Version = 3
	}
	if c.Advert == "" {
		c.Advert = "1"
	}
	fmt.Fprintf(&b, "global_defs {\n    router_id %s\n    vrrp_version %d\n    vrrp_garp_master_delay 1\n%s}\n", d.Name, c.Version, indent(c.Global))
	if c.Group {
		fmt.Fprintf(&b, "\nvrrp_sync_group all {\n    group {\n")
		for _, v := range c.List {
			fmt.Fprintf(&b, "        %s\n", v.Name)
		}
		fmt.Fprintf(&b, "    }\n}\n")
	}
	for _, v := range c.List {
		fmt.Fprintf(&b, "\nvrrp_instance %s {\n    state BACKUP\n    interface %s\n    virtual_router_id %d\n    priority %d\n    advert_int %s\n", v.Name, v.On(), v.VRID, priority, c.Advert)
		if v.Unicast {
			fmt.Fprintf(&b, "    unicast_src_ip %s\n    unicast_peer {\n", v.own(d))
			for _, other := range s.D {
				if other != d {
					fmt.Fprintf(&b, "        %s\n", v.own(other))
				}
			}
			fmt.Fprintf(&b, "    }\n")
		}
		fmt.Fprintf(&b, "%s    virtual_ipaddress {\n", indent(v.More))
		for _, a := range v.VIPs {
			if strings.Contains(v.More, "use_vmac") {
				fmt.Fprintf(&b, "        %s\n", a)
			} else {
				fmt.Fprintf(&b, "        %s dev %s\n", a, v.On())
			}
		}
		fmt.Fprintf(&b, "    }\n}\n")
	}
	if c.More != "" {
		fmt.Fprintf(&b, "\n%s", c.More)
	}
	return b.String()
}

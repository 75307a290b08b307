package config

import (
	"cmp"
	"fmt"
	"strings"
)

// reasonVirtualMACs finds one virtual MAC that two macvlans of one interface would have: the kernel refuses the second. Which macvlans there are is
// as in docs/vrrp.md: that of use_vmac, and those of addresses that are not on it.
func (d *decoder) reasonVirtualMACs(m *Model) {
	type carrier struct{ parent, mac string }
	first := map[carrier]*VRRPInstance{}
	for i := range m.Instances {
		in := &m.Instances[i]
		if in.Blocked != "" || in.VRID == 0 {
			continue
		}
		own := map[carrier]bool{}
		carry := func(parent string, six bool, at Pos) {
			c := carrier{parent, in.virtualMAC(six)}
			other := first[c]
			if parent == "" || in.Blocked != "" {
				return
			}
			if other == nil {
				first[c] = in
				return
			}
			d.item = "vrrp_instance " + in.Name
			who := fmt.Sprintf("%s and of %s", clip(other.Name), clip(in.Name))
			if other == in {
				who = clip(in.Name) + " and of its other addresses"
			}
			d.point(at, Error, "vmac-clash", "choose another virtual_router_id or MAC, or let both use the interface's own MAC",
				"%s would be the virtual MAC of %s on %s: the kernel refuses the second", c.mac, who, clip(parent))
			setReason(&in.Blocked)(fmt.Sprintf("the virtual MAC %s on %s is that of %s already", c.mac, parent, other.Name))
		}
		base := cmp.Or(in.VRF, in.Interface)
		if in.UseVMAC {
			carry(base, in.IPv6, in.At("use_vmac"))
		}
		for _, list := range [][]Address{in.VIPs, in.ExcludedVIPs} {
			for j := range list {
				a := &list[j]
				six := a.Prefix.Addr().Is6()
				home := a.Dev == "" || a.Dev == in.Interface || a.Dev == cmp.Or(in.VMACName, in.IPVLANName)
				switch {
				case home && (in.UseVMAC && six == in.IPv6 || in.UseIPVLAN):
				case a.UseVMAC || in.UseVMACAddr && (!home || six != in.IPv6):
					parent := cmp.Or(a.Dev, base)
					if c := (carrier{parent, in.virtualMAC(six)}); !own[c] {
						own[c] = true
						carry(parent, six, a.Pos)
					}
				}
			}
		}
	}
}

// virtualMAC is the instance's virtual MAC for addresses of one family: the one given by hand, or that of RFC 9568 section 7.3.
func (i *VRRPInstance) virtualMAC(six bool) string {
	octets := strings.Split(i.VMACAddr, ":")
	switch {
	case len(octets) == 5:
		octets = append(octets, fmt.Sprintf("%x", i.VRID))
	case len(octets) == 6:
	case six:
		octets = []string{"0", "0", "5e", "0", "2", fmt.Sprintf("%x", i.VRID)}
	default:
		octets = []string{"0", "0", "5e", "0", "1", fmt.Sprintf("%x", i.VRID)}
	}
	for k, o := range octets {
		octets[k] = fmt.Sprintf("%02s", o)
	}
	return strings.Join(octets, ":")
}

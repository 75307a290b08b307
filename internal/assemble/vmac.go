package assemble

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// virtual gives the instances of one configuration their virtual interfaces.
type virtual struct {
	prefix, addrPrefix string
	names              map[string]bool
	// carriers are the macvlans there are, by what no two on one interface can share: parent and MAC.
	carriers map[[2]string]string
}

func newVirtual(m *config.Model) *virtual {
	v := &virtual{prefix: cmp.Or(m.Global.VMACPrefix, "vrrp"), names: map[string]bool{}, carriers: map[[2]string]string{}}
	v.addrPrefix = cmp.Or(m.Global.VMACAddrPrefix, v.prefix)
	for i := range m.Instances {
		if in := &m.Instances[i]; in.UseVMAC || in.UseIPVLAN {
			v.names[cmp.Or(in.VMACName, in.IPVLANName)] = true
		}
	}
	return v
}

// instance fills in the macvlan or ipvlan of an instance with use_vmac or use_ipvlan, those of its addresses, and which address is on which: as keepalived
// has it, addresses of the instance's family without a dev of their own are on its macvlan; what is elsewhere is on a macvlan of its own with use_vmac_addr, or
// with use_vmac beside the address. On an ipvlan, which has the MAC of its parent for every family, are all addresses without a dev.
func (v *virtual) instance(out *vrrp.Instance, in *config.VRRPInstance) {
	switch {
	case out.Blocked != "":
	case in.UseVMAC:
		out.VMAC = vrrp.VMAC{Name: in.VMACName, MAC: virtualMAC(in, out.Family, out.VRID), XmitBase: in.VMACXmitBase || len(out.Peers) > 0, LinkGroup: in.VMACGroup, NotifyBase: in.VMACNetlink}
	case in.UseIPVLAN:
		out.VMAC = vrrp.VMAC{Name: in.IPVLANName, IPVLAN: true, Mode: cmp.Or(in.IPVLANMode, "bridge"), Own: in.IPVLANAddr, LinkGroup: in.VMACGroup}
		if in.IPVLANAddr.IsValid() && !out.Source.IsValid() {
			out.Source = in.IPVLANAddr.Addr()
		}
		out.VMAC.XmitBase = !in.IPVLANAddr.IsValid()
	}
	if in.UseVMAC || in.UseIPVLAN {
		if out.VMAC.Name == "" {
			out.VMAC.Name = v.name(v.prefix, out.VRID, out.Family)
		}
		v.carries(out, out.Interface, out.VMAC)
	}
	lists := [][]config.Address{in.VIPs, in.ExcludedVIPs}
	n := 0
	for _, list := range lists {
		for i := range list {
			v.address(out, &out.Addresses[n], in, list[i].UseVMAC)
			n++
		}
	}
	for i := range out.Routes { // its own virtual interface is down unless it is MASTER
		if out.Routes[i].Interface == out.VMAC.Name {
			out.Routes[i].NoTrack = true
		}
	}
}

// address settles which interface carries one address.
func (v *virtual) address(out *vrrp.Instance, a *vrrp.Address, in *config.VRRPInstance, own bool) {
	family := vrrp.IPv4
	if a.Prefix.Addr().Is6() {
		family = vrrp.IPv6
	}
	home := a.Interface == "" || a.Interface == out.Interface || a.Interface == out.VMAC.Name
	switch {
	case out.VMAC.Name != "" && home && (family == out.Family || out.VMAC.IPVLAN):
		a.Interface, a.On = "", out.VMAC.Name
	case own || in.UseVMACAddr && (!home || family != out.Family):
		parent := cmp.Or(a.Interface, out.Interface)
		for _, there := range out.AddressVMACs {
			if there.Parent == parent && there.MAC == virtualMAC(in, family, out.VRID) {
				a.On = there.Name
				return
			}
		}
		x := vrrp.AddressVMAC{Parent: parent, VMAC: vrrp.VMAC{Name: v.name(v.addrPrefix, out.VRID, family), MAC: virtualMAC(in, family, out.VRID)}}
		out.AddressVMACs = append(out.AddressVMACs, x)
		v.carries(out, parent, x.VMAC)
		a.On = x.Name
	}
}

// carries notes a virtual interface. The kernel refuses two macvlans with one MAC on one interface.
func (v *virtual) carries(out *vrrp.Instance, parent string, x vrrp.VMAC) {
	if x.MAC == "" || out.Blocked != "" {
		return
	}
	at := [2]string{parent, x.MAC}
	if other := v.carriers[at]; other != "" {
		out.Blocked = fmt.Sprintf("the virtual MAC %s on %s is that of %s already: use another virtual_router_id", x.MAC, parent, other)
		return
	}
	v.carriers[at] = out.Name
}

// name is keepalived's for a virtual interface: vrrp.VRID, and if that is taken vrrp6.VRID for IPv6, then vrrp1.VRID, vrrp2.VRID and so on.
func (v *virtual) name(prefix string, vrid uint8, family vrrp.Family) string {
	var tries []string
	tries = append(tries, "")
	if family == vrrp.IPv6 {
		tries = append(tries, "6")
	}
	for n := 1; n < 1000; n++ {
		if n != 6 || family != vrrp.IPv6 {
			tries = append(tries, fmt.Sprint(n))
		}
	}
	for _, t := range tries {
		end := fmt.Sprintf("%s.%d", t, vrid)
		name := prefix[:min(len(prefix), 15-len(end))] + end
		if !v.names[name] {
			v.names[name] = true
			return name
		}
	}
	return ""
}

// virtualMAC is the MAC of an instance's addresses of one family: that of RFC 9568 section 7.3, or the one given by hand.
func virtualMAC(in *config.VRRPInstance, family vrrp.Family, vrid uint8) string {
	octets := strings.Split(in.VMACAddr, ":")
	switch {
	case len(octets) == 5:
		octets = append(octets, fmt.Sprintf("%x", vrid))
	case len(octets) != 6 && family == vrrp.IPv6:
		octets = []string{"0", "0", "5e", "0", "2", fmt.Sprintf("%x", vrid)}
	case len(octets) != 6:
		octets = []string{"0", "0", "5e", "0", "1", fmt.Sprintf("%x", vrid)}
	}
	for i, o := range octets {
		octets[i] = fmt.Sprintf("%02s", o)
	}
	return strings.Join(octets, ":")
}

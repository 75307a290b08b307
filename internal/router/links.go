package router

import (
	"net/netip"
	"slices"
	"time"

	"github.com/holdfast-ha/holdfast/vrrp"
	"github.com/holdfast-ha/holdfast/vrrp/vrrpnet"
)

// linkOf says what the machines need to know of an interface: adverts are sent from its first IPv4 address and its first IPv6 link-local address
// that is no virtual address. (A virtual address may be on another host by the time the packet is on the wire.)
func linkOf(i vrrpnet.Interface, virtual map[netip.Addr]bool) vrrp.Link {
	l := vrrp.Link{Name: i.Name, Exists: true, Up: i.Up}
	for _, p := range i.Addrs {
		a := p.Addr()
		switch {
		case virtual[a]:
		case a.Is4() && !l.Source4.IsValid():
			l.Source4 = a
		case a.Is6() && a.IsLinkLocalUnicast() && !l.Source6.IsValid():
			l.Source6 = a
		}
	}
	return l
}

// checkSources makes instances FAULT that have no address to send from: with track_src_ip their interface must have it, and with unicast peers this
// machine, or the kernel would send nothing. name is the interface that may have changed, "" for all.
func (r *loop) checkSources(name string) {
	for n := range r.config.Instances {
		i := &r.config.Instances[n]
		anywhere := !i.TrackSource && len(i.Peers) > 0 && i.Source.IsValid()
		_, there := r.interfaces[i.Interface]
		if name != "" && name != i.Interface && !anywhere && !i.VRF || !there { // without the interface it is FAULT anyway
			continue
		}
		detail := r.missingSource(i, anywhere)
		id := i.ID()
		if name != "" && r.noSource[id] == detail {
			continue
		}
		r.noSource[id] = detail
		r.do(r.machines.Step(time.Now(), vrrp.Trouble{ID: id, Kind: troubleSource, Detail: detail}))
	}
}

// missingSource says that the source address of an instance is missing where it has to be.
func (r *loop) missingSource(i *vrrp.Instance, anywhere bool) string {
	source := i.Source.WithZone("")
	has := func(p netip.Prefix) bool { return p.Addr() == source }
	if !source.IsValid() || !i.TrackSource && !anywhere {
		return ""
	}
	if slices.ContainsFunc(r.interfaces[i.Interface].Addrs, has) || slices.ContainsFunc(r.interfaces[i.VMAC.Name].Addrs, has) {
		return ""
	}
	if anywhere || i.VRF { // in a VRF the address is on one of the interfaces in it
		for _, other := range r.interfaces {
			if slices.ContainsFunc(other.Addrs, has) {
				return ""
			}
		}
	}
	if anywhere {
		return "no interface has the source address " + source.String()
	}
	return "interface " + i.Interface + " does not have the source address " + source.String()
}

// virtualAddrs are all virtual addresses of a configuration, except those of owners (priority 255), whose addresses are the interface's own.
func virtualAddrs(c *vrrp.Config) map[netip.Addr]bool {
	virtual := map[netip.Addr]bool{}
	for _, i := range c.Instances {
		if i.Priority == 255 {
			continue
		}
		for _, a := range i.Addresses {
			virtual[a.Prefix.Addr()] = true
		}
	}
	return virtual
}

// endpoints are the sockets a configuration needs on the interfaces there are, and the groups they listen to.
func endpoints(instances []vrrp.Instance, interfaces map[string]vrrpnet.Interface) map[vrrpnet.Endpoint][]netip.Addr {
	want := map[vrrpnet.Endpoint][]netip.Addr{}
	for _, i := range instances {
		at, ok := interfaces[i.Interface]
		if !ok {
			continue
		}
		e := vrrpnet.Endpoint{Interface: i.Interface, Index: at.Index, Family: i.Family, Proto: vrrp.ProtoVRRP}
		hear := func(groups ...netip.Addr) { want[e] = append(want[e], groups...) }
		if i.Auth.Type == "AH" {
			e.Proto = vrrp.ProtoAH
		}
		groups := want[e]
		if g := groupOf(i); len(i.Peers) == 0 && !slices.Contains(groups, g) {
			groups = append(groups, g)
		}
		want[e] = groups
		if e.Proto == vrrp.ProtoAH { // what a peer without authentication sends is refused by name rather than never seen
			e.Proto = vrrp.ProtoVRRP
			want[e] = append(want[e], groups...)
		}
		on, ok := interfaces[i.VMAC.Name]
		switch {
		case !ok:
		case i.VMAC.IPVLAN && !i.VMAC.XmitBase:
			// It sends from there, and what is sent to its address arrives there; the multicast group is heard on the interface below.
			e.Interface, e.Index, e.For = on.Name, on.Index, i.Interface
			hear()
			if i.Auth.Type == "AH" {
				e.Proto = vrrp.ProtoAH
				hear()
			}
		case !i.VMAC.IPVLAN && len(i.Peers) == 0:
			// While its macvlan is up, that is where packets from the same MAC arrive.
			e.Interface, e.Index, e.For = on.Name, on.Index, i.Interface
			hear(groupOf(i))
			if i.Auth.Type == "AH" {
				e.Proto = vrrp.ProtoAH
				hear(groupOf(i))
			}
		}
	}
	for e, groups := range want {
		slices.SortFunc(groups, netip.Addr.Compare)
		want[e] = slices.Compact(groups)
	}
	return want
}

func groupOf(i vrrp.Instance) netip.Addr {
	switch {
	case i.Group.IsValid():
		return i.Group
	case i.Family == vrrp.IPv6:
		return vrrp.Group6
	}
	return vrrp.Group4
}

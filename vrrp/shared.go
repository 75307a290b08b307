package vrrp

import "net/netip"

// wire is what instances that share a virtual router number on one interface have in common.
type wire struct {
	Interface string
	Family    Family
	VRID      uint8
}

func (id ID) wire() wire { return wire{id.Interface, id.Family, id.VRID} }

// share finds anew which instances share a number.
func (ms *Machines) share(order []*machine) {
	clear(ms.onWire)
	for _, m := range order {
		ms.onWire[m.id.wire()] = append(ms.onWire[m.id.wire()], m)
	}
}

// lookup finds the instance a packet is for; nil if there is none. Where several instances share the number, as unicast instances with different
// peers may, it is the one that has the sender among its peers, else the one that speaks the way the packet came.
func (ms *Machines) lookup(p Packet, vrid uint8) (m *machine, r *Refusal) {
	all := ms.onWire[wire{p.Interface, p.Family, vrid}]
	if len(all) <= 1 {
		if len(all) == 1 {
			m = all[0]
		}
		return m, nil
	}
	unicast := !p.Dst.IsMulticast()
	for _, x := range all {
		for _, c := range []*Instance{&x.cfg, x.former} {
			switch {
			case c == nil || c.Blocked != "" || unicast != (len(c.Peers) > 0):
			case unicast && c.peer(p.Src) && (!c.Source.IsValid() || c.Source.WithZone("") == p.Dst),
				!unicast && p.Dst == c.group():
				return x, nil
			}
		}
	}
	return all[0], refuse(p, ReasonPeer, "%d instances share virtual_router_id %d here, and it is a peer of none of them", len(all), vrid)
}

// group is where its multicast advertisements go.
func (i *Instance) group() netip.Addr {
	switch {
	case i.Group.IsValid():
		return i.Group
	case i.Family == IPv6:
		return Group6
	}
	return Group4
}

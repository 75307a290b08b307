package config

import (
	"fmt"
	"net/netip"
	"strconv"
)

// FULLNAT: what its source addresses must not be, and how much room connection tracking needs.

const (
	// portsPerAddress is how many connections to one real server can have one source address: the ports from 1024 on that the kernel picks from.
	portsPerAddress = 64512
	// trackedPerServer is what a server without a limit and without FULLNAT is counted with.
	trackedPerServer = 65536
	// conntrackLeast and conntrackMost bound the recommendation; conntrackStep is what it is rounded up to.
	conntrackLeast, conntrackMost, conntrackStep = 1 << 18, 1 << 22, 1 << 16
)

// reasonFullNAT judges one virtual server with FULLNAT; the first one speaks of connection tracking for all.
func (d *decoder) reasonFullNAT(m *Model, v *VirtualServer) {
	g := m.LocalAddressGroup(v.LocalAddressGroup)
	if !v.fullNAT() {
		if g != nil {
			d.point(v.At("laddr_group_name"), Warning, "laddr-unused", "write lb_kind FNAT, or remove the line", "local addresses are for FNAT: laddr_group_name does nothing here")
		}
		return
	}
	if m.firstFullNAT() == v {
		d.reasonConntrack(m, v)
	}
	if g == nil {
		return
	}
	at := v.At("laddr_group_name")
	usable := false
	for _, e := range g.Entries {
		usable = usable || e.First.IsValid() && e.First.Is6() == v.IPv6
		if vip := d.virtualAddressIn(m, e); vip.IsValid() {
			d.point(at, Error, "fnat-local-vip", "give each director addresses of its own", "local_address_group %s has the virtual address %s: answers would go to whoever holds it", g.Name, vip)
		}
		if source := checkSourceIn(m, e); source.IsValid() {
			d.point(at, Error, "fnat-local-source", "keep the address for one of the two", "local_address_group %s has %s, from which checks are made (bindto): clients' connections would take their ports", g.Name, source)
		}
	}
	if !usable {
		d.point(at, Error, "fnat-local-family", "add addresses of that family", "local_address_group %s has no address of the virtual server's family: the director's own would be used", g.Name)
	}
}

// within says that an address is one of an entry's.
func (e *GroupEntry) within(a netip.Addr) bool {
	return a.IsValid() && e.First.IsValid() && a.Is4() == e.First.Is4() && !a.Less(e.First) && !e.Last.Less(a)
}

// virtualAddressIn finds a virtual address, of an instance or of a virtual server, among the addresses of the entry.
func (d *decoder) virtualAddressIn(m *Model, e GroupEntry) netip.Addr {
	for a := range d.places.holder {
		if e.within(a) {
			return a
		}
	}
	for i := range m.VirtualServers {
		v := &m.VirtualServers[i]
		if e.within(v.Addr) {
			return v.Addr
		}
		if g := m.VirtualServerGroup(v.Group); v.Group != "" && g != nil {
			for _, o := range g.Entries {
				if e.within(o.First) || o.within(e.First) {
					return o.First
				}
			}
		}
	}
	return netip.Addr{}
}

// checkSourceIn finds the source address of a check among the addresses of the entry.
func checkSourceIn(m *Model, e GroupEntry) netip.Addr {
	for i := range m.VirtualServers {
		for _, r := range m.VirtualServers[i].RealServers {
			for _, c := range r.Checks {
				if e.within(c.BindTo) {
					return c.BindTo
				}
			}
		}
	}
	return netip.Addr{}
}

// reasonConntrack says that connection tracking covers everything, and how many entries the servers of the file may need.
func (d *decoder) reasonConntrack(m *Model, v *VirtualServer) {
	need := m.conntrackNeed()
	hint := fmt.Sprintf("sysctl -w net.netfilter.nf_conntrack_max=%d: the connections that the servers of this file may have (uthreshold where it is written, else %d for each FNAT server and local address, %d for others)",
		need, portsPerAddress, trackedPerServer)
	severity, now := Note, ""
	if d.host.Sysctl != nil {
		now = d.host.Sysctl("net.netfilter.nf_conntrack_max")
	}
	text := "FNAT sets net.ipv4.vs.conntrack=1: connection tracking then covers every virtual server of this director"
	switch have, err := strconv.ParseInt(now, 10, 64); {
	case err != nil:
	case have < need:
		severity = Warning
		text += fmt.Sprintf("; nf_conntrack_max is %d, which is too small for them", have)
	default:
		hint = fmt.Sprintf("nf_conntrack_max is %d now; %d would do for the servers of this file", have, need)
	}
	d.point(v.At("lb_kind"), severity, "fnat-conntrack", hint, "%s", text)
}

// conntrackNeed is how many connections the servers of all virtual servers may have, in round numbers.
func (m *Model) conntrackNeed() int64 {
	var need int64
	for i := range m.VirtualServers {
		v := &m.VirtualServers[i]
		if v.Blocked != "" {
			continue
		}
		local := int64(1)
		if g := m.LocalAddressGroup(v.LocalAddressGroup); g != nil {
			local = 0
			for _, e := range g.Entries {
				if e.First.IsValid() && e.First.Is6() == v.IPv6 {
					local += int64(min(rangeSize(e.First, e.Last), maxRangeAddrs))
				}
			}
			local = max(local, 1)
		}
		for _, r := range v.RealServers {
			switch {
			case r.UThreshold > 0:
				need += int64(r.UThreshold)
			case r.Method.Forward == FNAT:
				need += portsPerAddress * local
			default:
				need += trackedPerServer
			}
		}
	}
	need = (need + conntrackStep - 1) / conntrackStep * conntrackStep
	return min(max(need, conntrackLeast), conntrackMost)
}

// firstFullNAT is the first virtual server of the file with FULLNAT.
func (m *Model) firstFullNAT() *VirtualServer {
	for i := range m.VirtualServers {
		if m.VirtualServers[i].fullNAT() {
			return &m.VirtualServers[i]
		}
	}
	return nil
}

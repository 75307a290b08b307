package config

import "net/netip"

// places answers where an address is at home without walking through every instance again: a file may have thousands of both.
type places struct {
	holder map[netip.Addr]*VRRPInstance // by virtual address
	static map[netip.Addr]bool
	nets   []homeNet
	here   map[netip.Addr]bool // this machine's own addresses
	around []netip.Prefix      // networks of this machine's interfaces
	group  map[string][]string // sync groups by member
}

// homeNet is a network in which an instance has an address.
type homeNet struct {
	prefix netip.Prefix
	in     *VRRPInstance
}

func newPlaces(m *Model, host map[string]Interface) *places {
	p := &places{holder: map[netip.Addr]*VRRPInstance{}, static: map[netip.Addr]bool{}, here: map[netip.Addr]bool{}, group: map[string][]string{}}
	nets, around := map[netip.Prefix]bool{}, map[netip.Prefix]bool{}
	for i := range m.Instances {
		in := &m.Instances[i]
		for _, list := range [][]Address{in.VIPs, in.ExcludedVIPs} {
			for k := range list {
				a := list[k].Prefix
				if p.holder[a.Addr()] == nil {
					p.holder[a.Addr()] = in
				}
				if n := a.Masked(); list[k].LenGiven && !a.IsSingleIP() && !nets[n] {
					nets[n] = true
					p.nets = append(p.nets, homeNet{n, in})
				}
			}
		}
	}
	for k := range m.StaticAddresses {
		p.static[m.StaticAddresses[k].Prefix.Addr()] = true
	}
	for _, i := range host {
		for _, a := range i.Addrs {
			p.here[a.Addr()] = true
			if n := a.Masked(); !around[n] {
				around[n] = true
				p.around = append(p.around, n)
			}
		}
	}
	for i := range m.Groups {
		g := &m.Groups[i]
		for _, member := range g.Members {
			p.group[member] = append(p.group[member], g.Name)
		}
	}
	return p
}

// owned says that the configuration itself brings the address.
func (p *places) owned(a netip.Addr) bool { return p.holder[a] != nil || p.static[a] }

// gateway is the first instance with an address in the network of a.
func (p *places) gateway(a netip.Addr) *VRRPInstance {
	for i := range p.nets {
		if p.nets[i].prefix.Contains(a) {
			return p.nets[i].in
		}
	}
	return nil
}

// connected says that a is reached without a router, now or once an instance is MASTER.
func (p *places) connected(a netip.Addr) bool {
	for i := range p.around {
		if p.around[i].Contains(a) {
			return true
		}
	}
	return p.gateway(a) != nil
}

// together says that two instances are members of one sync group.
func (p *places) together(a, b string) bool {
	for _, x := range p.group[a] {
		for _, y := range p.group[b] {
			if x == y {
				return true
			}
		}
	}
	return false
}

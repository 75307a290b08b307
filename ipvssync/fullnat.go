package ipvssync

import (
	"net/netip"
	"slices"
)

// FullNATRule is one rule of the owned nftables table: connections whose original destination is this service get a source
// address of the director, so that real servers answer through it whatever their routes.
type FullNATRule struct {
	// Protocol is 0 for all of them (a firewall mark).
	Protocol Protocol
	// Addr and Port are the service; port 0 stands for all ports.
	Addr netip.Addr
	Port uint16
	// Local are the source addresses, ordered and next to each other for a range; empty for the interface's own address
	// (masquerade).
	Local []netip.Addr
}

// FullNATRules are the rules that the FULLNAT servers of these services need, ordered, each once. A service of a firewall mark
// has no address to match and gets none; the configuration refuses it.
func FullNATRules(services []Service) []FullNATRule {
	var rules []FullNATRule
	for _, s := range services {
		if s.Mark != 0 || !s.FullNAT && !slices.ContainsFunc(s.Servers, func(d Server) bool { return d.Forward == FULLNAT }) {
			continue
		}
		var local []netip.Addr
		for _, a := range s.LocalAddrs {
			if FamilyOf(a) == s.Family {
				local = append(local, a.Unmap())
			}
		}
		slices.SortFunc(local, netip.Addr.Compare)
		rules = append(rules, FullNATRule{Protocol: s.Protocol, Addr: s.Addr, Port: s.Port, Local: slices.Compact(local)})
	}
	slices.SortFunc(rules, func(a, b FullNATRule) int { return a.key().Compare(b.key()) })
	return rules
}

func (r FullNATRule) key() Key {
	return Key{Family: FamilyOf(r.Addr), Protocol: r.Protocol, Addr: r.Addr, Port: r.Port}
}

// Equal says whether two rules are the same.
func (r FullNATRule) Equal(o FullNATRule) bool {
	return r.key() == o.key() && slices.Equal(r.Local, o.Local)
}

// FullNATSysctls are the kernel settings which FULLNAT needs for these rules: connection tracking for IPVS and forwarding.
func FullNATSysctls(rules []FullNATRule) map[string]string {
	if len(rules) == 0 {
		return nil
	}
	set := map[string]string{"net.ipv4.vs.conntrack": "1"}
	for _, r := range rules {
		if FamilyOf(r.Addr) == IPv6 {
			set["net.ipv6.conf.all.forwarding"] = "1"
		} else {
			set["net.ipv4.ip_forward"] = "1"
		}
	}
	return set
}

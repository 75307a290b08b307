package vrrp

import "net/netip"

// Route is one virtual or static route, in iproute2's terms.
type Route struct {
	// Type is "unicast", "blackhole", "unreachable", "prohibit", "throw" ...
	Type   string
	Family Family
	// Dst of length 0 is the default route.
	Dst netip.Prefix
	// Src is the preferred source address.
	Src, Via  netip.Addr
	Interface string
	// Table is a number or a name of rt_tables; "" is main.
	Table  string
	Metric uint32
	// Scope is a number or a name; "" leaves it to what the route implies.
	Scope string
	// Protocol is a number or a name; "" is keepalived's (18), by which leftovers are known.
	Protocol string
	Onlink   bool
	MTU      int
	MTULock  bool
	// From is the source prefix of an IPv6 route that depends on it; not valid for none.
	From netip.Prefix
	TOS  uint8
	// Realms are source and destination realm, 16 bits each.
	Realms uint32
	// Expires is the lifetime of an IPv6 route in seconds, 0 for ever.
	Expires uint32
	// Pref is "", "low", "medium" or "high" (RFC 4191).
	Pref string
	// TTLPropagate is "", "enabled" or "disabled".
	TTLPropagate string
	// VRF is the VRF device whose table the route is in, "" for Table.
	VRF string
	// Create is how it is added beside others: "" and "prepend", "append", "add" (not at all).
	Create string
	// Metrics beside MTU, in the kernel's units.
	Metrics []RouteMetric
	Encap   Encap
	// Hops, when not empty, stand for Via and Interface.
	Hops []Hop
	// NoTrack: losing its interface does not make the instance FAULT.
	NoTrack bool
}

// Hop is one next hop of several.
type Hop struct {
	Via       netip.Addr
	Interface string
	// Weight is 1 to 256.
	Weight int
	Onlink bool
	Realms uint32
	Encap  Encap
}

// RouteMetric is one metric of a route, by iproute2's name for it.
type RouteMetric struct {
	Name  string
	Value uint32
	// Text is the value of congctl.
	Text string
	// Lock keeps the kernel from changing it.
	Lock bool
}

// Encap is a lightweight tunnel that packets of a route go through.
type Encap struct {
	// Kind is "ip", "ip6" or "mpls"; "" for none.
	Kind     string
	ID       uint64
	Dst, Src netip.Addr
	TOS, TTL uint8
	Flags    uint16
	// Labels are those of MPLS, "100/200".
	Labels string
}

// Rule is one virtual or static routing rule.
type Rule struct {
	Family Family
	Not    bool
	// From and To are invalid for all.
	From, To netip.Prefix
	Table    string
	// Priority 0 means 16384, as keepalived has it.
	Priority       uint32
	Fwmark, Fwmask uint32
	IIf, OIf       string
	// Action is "" for a lookup in Table, else "blackhole", "unreachable", "prohibit", "nop" or "goto"; Goto is the priority it goes to.
	Action string
	Goto   uint32
	TOS    uint8
	Realms uint32
	// SuppressPrefixLen: routes of at most this length are not believed; it counts if HasSuppressPrefixLen.
	SuppressPrefixLen    uint32
	HasSuppressPrefixLen bool
	// SuppressGroup is the link group, a number or a name, whose routes are not believed; "" for none.
	SuppressGroup string
	TunnelID      uint64
	// UIDFrom to UIDTo counts if UIDs.
	UIDs           bool
	UIDFrom, UIDTo uint32
	// L3MDev looks up the table of the VRF a packet belongs to.
	L3MDev bool
	// IPProto 0 means all; ports 0 to 0 too.
	IPProto            uint8
	SportFrom, SportTo uint16
	DportFrom, DportTo uint16
	NoTrack            bool
}

// interfaces are those that a route needs.
func (r *Route) interfaces() []string {
	var out []string
	if r.NoTrack {
		return nil
	}
	if r.Interface != "" {
		out = append(out, r.Interface)
	}
	for _, h := range r.Hops {
		if h.Interface != "" {
			out = append(out, h.Interface)
		}
	}
	return out
}

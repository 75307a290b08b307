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
	// Action is "" for a lookup in Table, else "blackhole", "unreachable" or "prohibit".
	Action  string
	NoTrack bool
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

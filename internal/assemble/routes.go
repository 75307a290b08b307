package assemble

import (
	"net/netip"
	"strconv"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/vrrp"
)

func routes(list []config.Route) (out []vrrp.Route) {
	for i := range list {
		out = append(out, route(&list[i]))
	}
	return out
}

func route(r *config.Route) vrrp.Route {
	out := vrrp.Route{
		Type: r.Type, Family: vrrpFamily(r.IPv6), Dst: r.Dst, Src: r.Src, Via: r.Via, Interface: r.Dev, Table: r.Table, Metric: r.Metric, Scope: r.Scope,
		Onlink: r.Onlink, MTU: r.MTU, MTULock: r.MTULock, NoTrack: r.NoTrack,
	}
	if r.NoTrack { // what is watched has keepalived's protocol: it says whose route it is
		out.Protocol = r.Protocol
	}
	o, _ := r.Options() // what is wrong with them has been told
	out.From, out.TOS, out.Realms, out.Expires, out.Pref, out.TTLPropagate = o.From, o.TOS, o.Realms, o.Expires, o.Pref, o.TTLPropagate
	out.VRF, out.Create, out.Encap = r.VRF, o.Create, vrrp.Encap(o.Encap)
	for _, m := range o.Metrics {
		out.Metrics = append(out.Metrics, vrrp.RouteMetric(m))
	}
	for i := range r.Nexthops {
		h := &r.Nexthops[i]
		encap, realms, _ := h.HopOptions()
		out.Hops = append(out.Hops, vrrp.Hop{Via: h.Via, Interface: h.Dev, Weight: h.Weight, Onlink: h.Onlink, Realms: realms, Encap: vrrp.Encap(encap)})
	}
	// "default via 2001:db8::1" is the IPv6 default route, as iproute2 reads it.
	if r.Dst.Bits() == 0 && r.Via.Is6() && !r.IPv6 {
		out.Family, out.Dst = vrrp.IPv6, netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	return out
}

func rules(list []config.Rule) (out []vrrp.Rule) {
	for i := range list {
		r := &list[i]
		o, _ := r.Options() // what is wrong with them has been told
		x := vrrp.Rule{
			Family: vrrpFamily(r.IPv6), Not: r.Not, From: r.From, To: r.To, Table: r.Table, Priority: r.Priority, Fwmark: r.Fwmark, Fwmask: r.Fwmask,
			IIf: r.IIf, OIf: r.OIf, Action: r.Action, NoTrack: r.NoTrack, Goto: o.Goto, TOS: o.TOS, Realms: o.Realms, SuppressGroup: o.SuppressGroupName,
			TunnelID: o.TunnelID, UIDs: o.UIDs, UIDFrom: o.UIDFrom, UIDTo: o.UIDTo, L3MDev: o.L3MDev, IPProto: o.IPProto,
			SportFrom: o.SportFrom, SportTo: o.SportTo, DportFrom: o.DportFrom, DportTo: o.DportTo,
		}
		if o.SuppressPrefixLen >= 0 {
			x.SuppressPrefixLen, x.HasSuppressPrefixLen = uint32(o.SuppressPrefixLen), true
		}
		if o.SuppressGroup >= 0 {
			x.SuppressGroup = strconv.FormatInt(o.SuppressGroup, 10)
		}
		if o.Goto > 0 {
			x.Action = "goto"
		}
		out = append(out, x)
	}
	return out
}

func vrrpFamily(v6 bool) vrrp.Family {
	if v6 {
		return vrrp.IPv6
	}
	return vrrp.IPv4
}

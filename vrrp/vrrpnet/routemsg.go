package vrrpnet

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/vrrp"
)

// attributes builds netlink attributes: length and type in 16 bits each, the value, filled up to 4 bytes (linux/netlink.h).
type attributes []byte

func (a *attributes) add(kind uint16, value []byte) {
	n := len(value) + 4
	*a = binary.NativeEndian.AppendUint16(*a, uint16(n))
	*a = binary.NativeEndian.AppendUint16(*a, kind)
	*a = append(*a, value...)
	for ; n%4 != 0; n++ {
		*a = append(*a, 0)
	}
}

func (a *attributes) u8(kind uint16, v uint8) { a.add(kind, []byte{v}) }
func (a *attributes) u16(kind uint16, v uint16) {
	a.add(kind, binary.NativeEndian.AppendUint16(nil, v))
}
func (a *attributes) u32(kind uint16, v uint32) {
	a.add(kind, binary.NativeEndian.AppendUint32(nil, v))
}
func (a *attributes) text(kind uint16, s string) {
	a.add(kind, append([]byte(s), 0))
}

// host is what a message needs to know of this machine.
type host interface {
	index(iface string) (int, error)
	// vrfTable is the table of a VRF device.
	vrfTable(name string) (uint32, error)
}

// rtax are the numbers of a route's metrics (linux/rtnetlink.h).
var rtax = map[string]uint16{"mtu": unix.RTAX_MTU, "window": unix.RTAX_WINDOW, "rtt": unix.RTAX_RTT, "rttvar": unix.RTAX_RTTVAR, "ssthresh": unix.RTAX_SSTHRESH, "cwnd": unix.RTAX_CWND,
	"advmss": unix.RTAX_ADVMSS, "reordering": unix.RTAX_REORDERING, "hoplimit": unix.RTAX_HOPLIMIT, "initcwnd": unix.RTAX_INITCWND, "features": unix.RTAX_FEATURES, "rto_min": unix.RTAX_RTO_MIN,
	"initrwnd": unix.RTAX_INITRWND, "quickack": unix.RTAX_QUICKACK, "congctl": unix.RTAX_CC_ALGO, "fastopen_no_cookie": unix.RTAX_FASTOPEN_NO_COOKIE}

// routeMessage is struct rtmsg and its attributes.
func routeMessage(x vrrp.Route, h host) ([]byte, error) {
	kind, ok := routeTypes[x.Type]
	if !ok {
		return nil, fmt.Errorf("type %q is not supported", x.Type)
	}
	tableID, err := table(x.Table)
	if err == nil && x.VRF != "" {
		var t uint32
		t, err = h.vrfTable(x.VRF)
		tableID = int(t)
	}
	if err != nil {
		return nil, err
	}
	proto, err := number(x.Protocol, protoKeepalived, "protocol", map[string]int{"kernel": 2, "boot": 3, "static": 4, "keepalived": protoKeepalived})
	if err != nil {
		return nil, err
	}
	scope, err := routeScope(x, kind)
	if err != nil {
		return nil, err
	}
	flags := uint32(0)
	if x.Onlink {
		flags = unix.RTNH_F_ONLINK
	}
	msg := []byte{byte(family(x.Family)), byte(x.Dst.Bits()), 0, x.TOS, unix.RT_TABLE_UNSPEC, byte(proto), byte(scope), byte(kind)}
	if tableID < 256 {
		msg[4] = byte(tableID)
	}
	if x.From.IsValid() {
		msg[2] = byte(x.From.Bits())
	}
	msg = binary.NativeEndian.AppendUint32(msg, flags)

	var a attributes
	if x.Dst.Bits() > 0 {
		a.add(unix.RTA_DST, x.Dst.Masked().Addr().AsSlice())
	}
	if x.From.IsValid() {
		a.add(unix.RTA_SRC, x.From.Masked().Addr().AsSlice())
	}
	a.u32(unix.RTA_TABLE, uint32(tableID))
	if x.Src.IsValid() {
		a.add(unix.RTA_PREFSRC, x.Src.AsSlice())
	}
	if x.Metric != 0 {
		a.u32(unix.RTA_PRIORITY, x.Metric)
	}
	if x.Interface != "" {
		i, err := h.index(x.Interface)
		if err != nil {
			return nil, err
		}
		a.u32(unix.RTA_OIF, uint32(i))
	}
	a.gateway(x.Via, x.Family)
	if m := metrics(x); len(m) > 0 {
		a.add(unix.RTA_METRICS|unix.NLA_F_NESTED, m)
	}
	if x.Realms != 0 {
		a.u32(unix.RTA_FLOW, x.Realms)
	}
	a.encap(x.Encap)
	if x.Expires > 0 {
		a.u32(unix.RTA_EXPIRES, x.Expires)
	}
	if x.Pref != "" {
		a.u8(unix.RTA_PREF, map[string]uint8{"low": 3, "medium": 0, "high": 1}[x.Pref]) // RFC 4191 section 2.1
	}
	if x.TTLPropagate != "" {
		a.u8(unix.RTA_TTL_PROPAGATE, map[string]uint8{"enabled": 1}[x.TTLPropagate])
	}
	if len(x.Hops) > 0 {
		hops, err := hopList(x, h)
		if err != nil {
			return nil, err
		}
		a.add(unix.RTA_MULTIPATH, hops)
	}
	return append(msg, a...), nil
}

// gateway adds where packets go next; one of the other family is told with its family.
func (a *attributes) gateway(via netip.Addr, f vrrp.Family) {
	switch {
	case !via.IsValid():
	case via.Is6() && f == vrrp.IPv4:
		a.add(unix.RTA_VIA, append(binary.NativeEndian.AppendUint16(nil, unix.AF_INET6), via.AsSlice()...))
	default:
		a.add(unix.RTA_GATEWAY, via.AsSlice())
	}
}

func metrics(x vrrp.Route) attributes {
	all := x.Metrics
	if x.MTU > 0 {
		all = append([]vrrp.RouteMetric{{Name: "mtu", Value: uint32(x.MTU), Lock: x.MTULock}}, all...)
	}
	var a attributes
	lock := uint32(0)
	for _, m := range all {
		if m.Lock {
			lock |= 1 << rtax[m.Name]
		}
		if m.Name == "congctl" {
			a.add(rtax[m.Name], []byte(m.Text))
		} else {
			a.u32(rtax[m.Name], m.Value)
		}
	}
	if lock != 0 {
		a.u32(unix.RTAX_LOCK, lock)
	}
	return a
}

// hopList is a list of struct rtnexthop.
func hopList(x vrrp.Route, h host) ([]byte, error) {
	var list []byte
	for _, hop := range x.Hops {
		i := 0
		if hop.Interface != "" {
			var err error
			if i, err = h.index(hop.Interface); err != nil {
				return nil, err
			}
		}
		var a attributes
		a.gateway(hop.Via, x.Family)
		if hop.Realms != 0 {
			a.u32(unix.RTA_FLOW, hop.Realms)
		}
		a.encap(hop.Encap)
		flags := byte(0)
		if hop.Onlink {
			flags = unix.RTNH_F_ONLINK
		}
		list = binary.NativeEndian.AppendUint16(list, uint16(8+len(a)))
		list = append(list, flags, byte(max(hop.Weight, 1)-1))
		list = binary.NativeEndian.AppendUint32(list, uint32(i))
		list = append(list, a...)
	}
	return list, nil
}

// encap adds a lightweight tunnel (linux/lwtunnel.h, linux/mpls_iptunnel.h).
func (a *attributes) encap(e vrrp.Encap) {
	const mpls, ip, ip6 = 1, 2, 4
	var in attributes
	switch e.Kind {
	case "":
		return
	case "mpls":
		labels := strings.Split(e.Labels, "/")
		var stack []byte
		for i, l := range labels {
			v, _ := strconv.ParseUint(l, 0, 20)
			entry := uint32(v) << 12
			if i == len(labels)-1 {
				entry |= 1 << 8 // bottom of the stack
			}
			stack = binary.BigEndian.AppendUint32(stack, entry)
		}
		in.add(1, stack)
		if e.TTL > 0 {
			in.u8(2, e.TTL)
		}
		a.u16(unix.RTA_ENCAP_TYPE, mpls)
	default: // the numbers of both kinds of IP tunnel are the same
		if e.ID != 0 {
			in.add(1, binary.BigEndian.AppendUint64(nil, e.ID))
		}
		if e.Dst.IsValid() {
			in.add(2, e.Dst.AsSlice())
		}
		if e.Src.IsValid() {
			in.add(3, e.Src.AsSlice())
		}
		if e.TTL > 0 {
			in.u8(4, e.TTL)
		}
		if e.TOS > 0 {
			in.u8(5, e.TOS)
		}
		if e.Flags > 0 {
			in.add(6, binary.BigEndian.AppendUint16(nil, e.Flags))
		}
		kind := uint16(ip)
		if e.Kind == "ip6" {
			kind = ip6
		}
		a.u16(unix.RTA_ENCAP_TYPE, kind)
	}
	a.add(unix.RTA_ENCAP|unix.NLA_F_NESTED, in)
}

// ruleActions are the actions of a rule (linux/fib_rules.h).
var ruleActions = map[string]uint8{"": unix.FR_ACT_TO_TBL, "goto": unix.FR_ACT_GOTO, "nop": unix.FR_ACT_NOP, "blackhole": unix.FR_ACT_BLACKHOLE, "unreachable": unix.FR_ACT_UNREACHABLE, "prohibit": unix.FR_ACT_PROHIBIT}

// ruleMessage is struct fib_rule_hdr and its attributes.
func ruleMessage(x vrrp.Rule) ([]byte, error) {
	action, ok := ruleActions[x.Action]
	if !ok {
		return nil, fmt.Errorf("action %q is not supported", x.Action)
	}
	tableID := 0
	if x.Action == "" && !x.L3MDev {
		var err error
		if tableID, err = table(x.Table); err != nil {
			return nil, err
		}
	}
	const invert = 2
	msg := make([]byte, 12)
	msg[0], msg[3], msg[7] = byte(family(x.Family)), x.TOS, action
	if tableID < 256 {
		msg[4] = byte(tableID)
	}
	if x.Not {
		binary.NativeEndian.PutUint32(msg[8:], invert)
	}
	var a attributes
	if x.From.IsValid() {
		msg[2] = byte(x.From.Bits())
		a.add(unix.FRA_SRC, x.From.Masked().Addr().AsSlice())
	}
	if x.To.IsValid() {
		msg[1] = byte(x.To.Bits())
		a.add(unix.FRA_DST, x.To.Masked().Addr().AsSlice())
	}
	priority := x.Priority
	if priority == 0 {
		priority = defaultRulePriority
	}
	a.u32(unix.FRA_PRIORITY, priority)
	if tableID > 0 {
		a.u32(unix.FRA_TABLE, uint32(tableID))
	}
	if x.Fwmark != 0 {
		a.u32(unix.FRA_FWMARK, x.Fwmark)
		a.u32(unix.FRA_FWMASK, x.Fwmask)
	}
	if x.IIf != "" {
		a.text(unix.FRA_IIFNAME, x.IIf)
	}
	if x.OIf != "" {
		a.text(unix.FRA_OIFNAME, x.OIf)
	}
	if x.Action == "goto" {
		a.u32(unix.FRA_GOTO, x.Goto)
	}
	if x.Realms != 0 {
		a.u32(unix.FRA_FLOW, x.Realms)
	}
	if x.HasSuppressPrefixLen {
		a.u32(unix.FRA_SUPPRESS_PREFIXLEN, x.SuppressPrefixLen)
	}
	if x.SuppressGroup != "" {
		group, err := linkGroup(x.SuppressGroup, 0)
		if err != nil {
			return nil, err
		}
		a.u32(unix.FRA_SUPPRESS_IFGROUP, group)
	}
	if x.TunnelID != 0 {
		a.add(unix.FRA_TUN_ID, binary.BigEndian.AppendUint64(nil, x.TunnelID))
	}
	if x.UIDs {
		a.add(unix.FRA_UID_RANGE, binary.NativeEndian.AppendUint32(binary.NativeEndian.AppendUint32(nil, x.UIDFrom), x.UIDTo))
	}
	if x.L3MDev {
		a.u8(unix.FRA_L3MDEV, 1)
	}
	if x.IPProto != 0 {
		a.u8(unix.FRA_IP_PROTO, x.IPProto)
	}
	ports := func(kind uint16, from, to uint16) {
		if to != 0 {
			a.add(kind, binary.NativeEndian.AppendUint16(binary.NativeEndian.AppendUint16(nil, from), to))
		}
	}
	ports(unix.FRA_SPORT_RANGE, x.SportFrom, x.SportTo)
	ports(unix.FRA_DPORT_RANGE, x.DportFrom, x.DportTo)
	a.u8(unix.FRA_PROTOCOL, protoKeepalived)
	return append(msg, a...), nil
}

package config

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// RouteMetric is one of a route's metrics, by iproute2's name: "advmss", "rtt" ...
type RouteMetric struct {
	Name string
	// Value is in the kernel's unit (rtt: 1/8 ms, rttvar: 1/4 ms, rto_min: 1 ms).
	Value uint32
	// Text is the value of congctl.
	Text string
	// Lock keeps the kernel from changing it.
	Lock bool
}

// RouteOptions are the rarer words of a route.
type RouteOptions struct {
	From    netip.Prefix
	TOS     uint8
	Realms  uint32
	Expires uint32 // seconds
	Pref    string // "low", "medium", "high"
	// TTLPropagate is "", "enabled" or "disabled".
	TTLPropagate string
	// Create is "", "add", "prepend" or "append".
	Create  string
	Metrics []RouteMetric
	Encap   Encap
}

// Encap is a lightweight tunnel of a route or next hop.
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

// dsfields are names of rt_dsfield(5) that every distribution has.
var dsfields = map[string]uint8{"default": 0, "lowdelay": 0x10, "throughput": 0x08, "reliability": 0x04, "mincost": 0x02, "CS1": 0x20, "CS2": 0x40, "CS3": 0x60, "CS4": 0x80,
	"CS5": 0xa0, "CS6": 0xc0, "CS7": 0xe0, "AF11": 0x28, "AF12": 0x30, "AF13": 0x38, "AF21": 0x48, "AF22": 0x50, "AF23": 0x58, "AF31": 0x68, "AF32": 0x70, "AF33": 0x78, "AF41": 0x88,
	"AF42": 0x90, "AF43": 0x98, "EF": 0xb8}

func dsfield(s string) (uint8, error) {
	if v, ok := dsfields[s]; ok {
		return v, nil
	}
	v, err := strconv.ParseUint(s, 0, 8)
	if err != nil {
		v, err = strconv.ParseUint(s, 16, 8) // iproute2 reads it as hexadecimal
	}
	if err != nil {
		return 0, fmt.Errorf("%q is no type of service: write a number up to 0xff", s)
	}
	return uint8(v), nil
}

// realms reads "3" (to) or "3/4" (from/to).
func realms(s string) (uint32, error) {
	from, to, both := strings.Cut(s, "/")
	if !both {
		from, to = "0", s
	}
	a, err1 := strconv.ParseUint(from, 0, 16)
	b, err2 := strconv.ParseUint(to, 0, 16)
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("%q are no realms: write NUMBER or NUMBER/NUMBER", s)
	}
	return uint32(a<<16 | b), nil
}

// milliseconds reads "100", "100ms" or "1.5s", times the kernel's unit.
func milliseconds(s string, unit float64) (uint32, error) {
	number := strings.TrimSuffix(s, "ms")
	scale := unit
	if number == s && strings.HasSuffix(s, "s") {
		number, scale = strings.TrimSuffix(s, "s"), unit*1000
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || v < 0 || v*scale > 1<<31 {
		return 0, fmt.Errorf("%q is no time: write milliseconds, or a number with s or ms", s)
	}
	return uint32(v * scale), nil
}

// wordReader takes words from a list.
type wordReader struct {
	words []string
	err   error
}

func (r *wordReader) next(of string) string {
	if len(r.words) == 0 {
		if r.err == nil {
			r.err = fmt.Errorf("%s needs a value", of)
		}
		return ""
	}
	w := r.words[0]
	r.words = r.words[1:]
	return w
}

func (r *wordReader) fail(err error) {
	if err != nil && r.err == nil {
		r.err = err
	}
}

func (r *wordReader) number(of string, bits int) uint64 {
	w := r.next(of)
	v, err := strconv.ParseUint(w, 0, bits)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%s %q is not a number of %d bits", of, w, bits)
	}
	return v
}

// Options reads the rarer words of the route.
func (r *Route) Options() (RouteOptions, error) {
	var o RouteOptions
	w := &wordReader{words: r.Other}
	for len(w.words) > 0 && w.err == nil {
		switch t := w.next("a route"); t {
		case "from":
			p, err := netip.ParsePrefix(w.next(t))
			if err != nil || !p.Addr().Is6() {
				w.fail(fmt.Errorf("from of a route needs an IPv6 prefix"))
			}
			o.From = p
		case "tos", "dsfield":
			v, err := dsfield(w.next(t))
			w.fail(err)
			o.TOS = v
		case "realms", "realm":
			v, err := realms(w.next(t))
			w.fail(err)
			o.Realms = v
		case "expires":
			o.Expires = uint32(w.number(t, 32))
		case "pref":
			if o.Pref = w.next(t); o.Pref != "low" && o.Pref != "medium" && o.Pref != "high" {
				w.fail(fmt.Errorf("pref is low, medium or high, not %q", o.Pref))
			}
		case "ttl-propagate":
			if o.TTLPropagate = w.next(t); o.TTLPropagate != "enabled" && o.TTLPropagate != "disabled" {
				w.fail(fmt.Errorf("ttl-propagate is enabled or disabled, not %q", o.TTLPropagate))
			}
		case "add", "prepend", "append":
			o.Create = t
		case "encap":
			o.Encap = w.encap()
		case "advmss", "reordering", "cwnd", "ssthresh", "hoplimit", "window", "initcwnd", "initrwnd", "quickack", "fastopen_no_cookie", "rtt", "rttvar", "rto_min", "features", "congctl":
			o.Metrics = append(o.Metrics, w.metric(t))
		default:
			w.fail(fmt.Errorf("%q of a route is not understood", t))
		}
	}
	return o, w.err
}

func (r *wordReader) metric(name string) RouteMetric {
	m := RouteMetric{Name: name}
	if len(r.words) > 0 && r.words[0] == "lock" {
		m.Lock = true
		r.next(name)
	}
	units := map[string]float64{"rtt": 8, "rttvar": 4, "rto_min": 1}
	switch {
	case name == "congctl":
		m.Text = r.next(name)
	case name == "features":
		if w := r.next(name); w != "ecn" {
			r.fail(fmt.Errorf("features knows ecn, not %q", w))
		}
		m.Value = 1
	case units[name] > 0:
		v, err := milliseconds(r.next(name), units[name])
		r.fail(err)
		m.Value = v
	default:
		m.Value = uint32(r.number(name, 32))
	}
	return m
}

// encap reads what follows the word encap, as far as it belongs to it.
func (r *wordReader) encap() Encap {
	e := Encap{Kind: r.next("encap")}
	switch e.Kind {
	case "mpls":
		e.Labels = r.next("encap mpls")
		for _, l := range strings.Split(e.Labels, "/") {
			if v, err := strconv.ParseUint(l, 0, 20); err != nil || v > 1<<20-1 {
				r.fail(fmt.Errorf("%q are no MPLS labels: write 100 or 100/200", e.Labels))
			}
		}
		if len(r.words) > 0 && r.words[0] == "ttl" {
			r.next("encap")
			e.TTL = uint8(r.number("ttl", 8))
		}
		return e
	case "ip", "ip6":
	default:
		r.fail(fmt.Errorf("encap %q is not supported: ip, ip6 and mpls are", e.Kind))
		return e
	}
	addr := func(of string) netip.Addr {
		a, err := netip.ParseAddr(r.next(of))
		if err != nil || a.Is6() != (e.Kind == "ip6") {
			r.fail(fmt.Errorf("%s of encap %s needs an address of that family", of, e.Kind))
		}
		return a
	}
	for len(r.words) > 0 && r.err == nil {
		switch t := r.words[0]; t {
		case "id", "dst", "src", "tos", "tc", "dsfield", "ttl", "hoplimit", "flags":
			r.next(t)
			switch t {
			case "id":
				e.ID = r.number(t, 64)
			case "dst":
				e.Dst = addr(t)
			case "src":
				e.Src = addr(t)
			case "ttl", "hoplimit":
				e.TTL = uint8(r.number(t, 8))
			case "flags":
				e.Flags = uint16(r.number(t, 16))
			default:
				v, err := dsfield(r.next(t))
				r.fail(err)
				e.TOS = v
			}
		default:
			return e
		}
	}
	return e
}

// HopOptions are the rarer words of one next hop.
func (h *Nexthop) HopOptions() (encap Encap, realm uint32, err error) {
	w := &wordReader{words: h.Other}
	for len(w.words) > 0 && w.err == nil {
		switch t := w.next("nexthop"); t {
		case "encap":
			encap = w.encap()
		case "realms", "realm":
			v, err := realms(w.next(t))
			w.fail(err)
			realm = v
		default:
			w.fail(fmt.Errorf("%q of a next hop is not understood", t))
		}
	}
	return encap, realm, w.err
}

// RuleOptions are the rarer words of a rule. Numbers are -1 or 0 where they are not given.
type RuleOptions struct {
	TOS                                    uint8
	Realms                                 uint32
	SuppressPrefixLen, SuppressGroup       int64
	SuppressGroupName                      string
	TunnelID                               uint64
	UIDFrom, UIDTo                         uint32
	UIDs, L3MDev                           bool
	IPProto                                uint8
	SportFrom, SportTo, DportFrom, DportTo uint16
	Goto                                   uint32
}

var ipProtocols = map[string]uint8{"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "dccp": 33, "gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58, "icmpv6": 58, "sctp": 132, "udplite": 136}

// Options reads the rarer words of the rule. The protocol that a rule is given is replaced by keepalived's anyway.
func (r *Rule) Options() (RuleOptions, error) {
	o := RuleOptions{SuppressPrefixLen: -1, SuppressGroup: -1}
	w := &wordReader{words: r.Other}
	pair := func(of string, bits int) (uint64, uint64) {
		text := w.next(of)
		from, to, both := strings.Cut(text, "-")
		a, err1 := strconv.ParseUint(from, 0, bits)
		b, err2 := strconv.ParseUint(to, 0, bits)
		if !both || err1 != nil || err2 != nil || a > b {
			w.fail(fmt.Errorf("%s %q is no range: write FROM-TO", of, text))
		}
		return a, b
	}
	for len(w.words) > 0 && w.err == nil {
		switch t := w.next("a rule"); t {
		case "tos", "dsfield":
			v, err := dsfield(w.next(t))
			w.fail(err)
			o.TOS = v
		case "realms":
			v, err := realms(w.next(t))
			w.fail(err)
			o.Realms = v
		case "suppress_prefixlength", "sup_pl":
			o.SuppressPrefixLen = int64(w.number(t, 8))
		case "suppress_ifgroup", "sup_group":
			text := w.next(t)
			if v, err := strconv.ParseUint(text, 0, 32); err == nil {
				o.SuppressGroup = int64(v)
			} else {
				o.SuppressGroupName = text
			}
		case "tunnel-id":
			o.TunnelID = w.number(t, 64)
		case "uidrange":
			a, b := pair(t, 32)
			o.UIDFrom, o.UIDTo, o.UIDs = uint32(a), uint32(b), true
		case "l3mdev":
			o.L3MDev = true
		case "protocol":
			w.next(t)
		case "ipproto", "ip_proto":
			text := w.next(t)
			if v, ok := ipProtocols[strings.ToLower(text)]; ok {
				o.IPProto = v
			} else if v, err := strconv.ParseUint(text, 0, 8); err == nil {
				o.IPProto = uint8(v)
			} else {
				w.fail(fmt.Errorf("%q is no IP protocol", text))
			}
		case "sport":
			a, b := pair(t, 16)
			o.SportFrom, o.SportTo = uint16(a), uint16(b)
		case "dport":
			a, b := pair(t, 16)
			o.DportFrom, o.DportTo = uint16(a), uint16(b)
		default:
			w.fail(fmt.Errorf("%q of a rule is not understood", t))
		}
	}
	if to, ok := strings.CutPrefix(r.Action, "goto "); ok {
		v, err := strconv.ParseUint(to, 0, 32)
		if err != nil {
			w.fail(fmt.Errorf("goto needs the priority of another rule, not %q", to))
		}
		o.Goto = uint32(v)
	}
	return o, w.err
}

package config

import (
	"net/netip"
	"strconv"
	"strings"
)

// routeEntry is a line of virtual_routes or static_routes: iproute2's words.
var routeEntry = &entrySpec{anyWord: true, first: []string{"to"}, options: []option{
	{"src", 1, "preferred source"}, {"via", 1, "gateway"}, {"dev", 1, "interface"}, {"table", 1, ""}, {"metric", 1, ""}, {"scope", 1, ""}, {"protocol", 1, ""}, {"onlink", 0, ""}, {"from", 1, ""},
	{"tos", 1, ""}, {"mtu", 1, ""}, {"vrf", 1, ""}, {"no_track", 0, ""}, {"track_group", 1, ""},
}}

var routeTypes = map[string]bool{"unicast": true, "local": true, "broadcast": true, "anycast": true, "multicast": true, "blackhole": true, "unreachable": true, "prohibit": true, "throw": true, "nat": true, "xresolve": true}

// routeOther are words with the number of arguments that are kept as they are.
var routeOther = map[string]int{"from": 1, "tos": 1, "dsfield": 1, "advmss": 1, "rtt": 1, "rttvar": 1, "reordering": 1, "cwnd": 1, "ssthresh": 1, "rto_min": 1, "hoplimit": 1, "window": 1, "initcwnd": 1,
	"initrwnd": 1, "realms": 1, "realm": 1, "expires": 1, "features": 1, "quickack": 1, "congctl": 1, "pref": 1, "ttl-propagate": 1, "fastopen_no_cookie": 1, "add": 0, "prepend": 0, "append": 0, "lock": 0}

// wordList are the words of an entry line, the first included.
func (n *node) wordList() []*word {
	out := make([]*word, 0, len(n.args)+1)
	out = append(out, &n.key)
	for i := range n.args {
		out = append(out, &n.args[i])
	}
	return out
}

func (d *decoder) route(n *node) (Route, bool) {
	r := Route{Type: "unicast", Pos: n.pos()}
	ws := n.wordList()
	haveDst, ok := false, true
	i := 0
	value := func() *word {
		i++
		if i >= len(ws) {
			d.bad(n, ws[len(ws)-1], "missing-argument", "", "%s of a route needs a value", ws[len(ws)-1].text)
			ok = false
			return &word{}
		}
		return ws[i]
	}
	family := func(w *word) *word {
		if w.text == "inet" || w.text == "inet6" {
			r.IPv6 = w.text == "inet6"
			return value()
		}
		return w
	}
	dst := func(w *word) {
		haveDst = true
		switch w.text {
		case "default", "any", "all":
			r.Dst = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
			if r.IPv6 {
				r.Dst = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
			}
		case "default6":
			r.Dst, r.IPv6 = netip.PrefixFrom(netip.IPv6Unspecified(), 0), true
		default:
			if p, _, good := d.prefix(n, w); good {
				r.Dst, r.IPv6 = p, p.Addr().Is6()
			} else {
				ok = false
			}
		}
	}
	number := func(w *word, max int64) int64 { v, _ := d.number(n, w, 0, max); return v }
	for ; i < len(ws); i++ {
		w := ws[i]
		switch {
		case w.text == "inet" || w.text == "inet6":
			r.IPv6 = w.text == "inet6"
		case w.text == "to":
			dst(family(value()))
		case routeTypes[w.text]:
			r.Type = w.text
		case w.text == "src":
			r.Src, _ = d.addr(n, value())
		case w.text == "via" || w.text == "gw":
			v := value()
			if v.text == "inet" || v.text == "inet6" { // of the gateway, not of the route
				v = value()
			}
			r.Via, _ = d.addr(n, v)
		case w.text == "or":
			value()
			d.word(n, w, Warning, "obsolete", "use nexthop", "or is deprecated and ignored")
		case w.text == "dev" || w.text == "oif":
			r.Dev = value().text
		case w.text == "table":
			r.Table = value().text
		case w.text == "metric" || w.text == "priority" || w.text == "preference":
			r.Metric, r.MetricSet = uint32(number(value(), 1<<32-1)), true
		case w.text == "scope":
			r.Scope = value().text
		case w.text == "protocol" || w.text == "proto":
			r.Protocol = value().text
		case w.text == "onlink":
			r.Onlink = true
		case w.text == "mtu":
			v := value()
			if v.text == "lock" {
				r.MTULock = true
				v = value()
			}
			r.MTU = int(number(v, 1<<31-1))
		case w.text == "vrf":
			r.VRF = value().text
		case w.text == "no_track":
			r.NoTrack = true
		case w.text == "track_group":
			r.TrackGroup = value().text
		case w.text == "nexthop":
			i = d.nexthops(n, ws, i, &r)
		case w.text == "encap":
			i = encapWords(ws, i, &r.Other)
		default:
			if args, known := routeOther[w.text]; known {
				r.Other = append(r.Other, w.text)
				for ; args > 0 && i+1 < len(ws); args-- {
					i++
					r.Other = append(r.Other, ws[i].text)
					if ws[i].text == "lock" {
						args++
					}
				}
				continue
			}
			if !haveDst {
				dst(w)
				continue
			}
			d.word(n, w, Warning, "unknown-option", "", "%q is not an option of a route: ignored", clip(w.text))
		}
		if !ok {
			return r, false
		}
	}
	_, err := r.Options()
	d.rare(n, err)
	for i := range r.Nexthops {
		_, _, err := r.Nexthops[i].HopOptions()
		d.rare(n, err)
	}
	if !haveDst {
		d.bad(n, &n.key, "missing-argument", "write default or a prefix", "a route needs a destination")
		return r, false
	}
	return r, true
}

func (d *decoder) nexthops(n *node, ws []*word, i int, r *Route) int {
	h := Nexthop{Weight: 1}
	flush := func() { r.Nexthops = append(r.Nexthops, h) }
	for i++; i < len(ws); i++ {
		next := func() *word {
			i++
			if i >= len(ws) {
				return &word{}
			}
			return ws[i]
		}
		switch ws[i].text {
		case "nexthop":
			flush()
			h = Nexthop{Weight: 1}
		case "via":
			w := next()
			if w.text == "inet" || w.text == "inet6" {
				w = next()
			}
			h.Via, _ = d.addr(n, w)
		case "dev":
			h.Dev = next().text
		case "weight":
			v, _ := d.number(n, next(), 1, 256)
			h.Weight = int(v)
		case "onlink":
			h.Onlink = true
		case "encap":
			i = encapWords(ws, i, &h.Other)
		default:
			h.Other = append(h.Other, ws[i].text)
		}
	}
	flush()
	return i
}

// encapWords moves encap, its kind and what belongs to it to a list, and answers the last word it took.
func encapWords(ws []*word, i int, to *[]string) int {
	takes := map[string]bool{"id": true, "dst": true, "src": true, "tos": true, "tc": true, "dsfield": true, "ttl": true, "hoplimit": true, "flags": true}
	take := func(n int) {
		for ; n > 0 && i < len(ws); n-- {
			*to = append(*to, ws[i].text)
			i++
		}
	}
	take(2)
	if len(*to) > 0 && (*to)[len(*to)-1] == "mpls" {
		take(1)
	}
	for i < len(ws) && takes[ws[i].text] {
		take(2)
	}
	return i - 1
}

// ruleEntry is a line of virtual_rules or static_rules.
var ruleEntry = &entrySpec{anyWord: true, options: []option{
	{"from", 1, ""}, {"to", 1, ""}, {"table", 1, ""}, {"lookup", 1, ""}, {"priority", 1, ""}, {"preference", 1, ""}, {"order", 1, ""}, {"fwmark", 1, ""}, {"iif", 1, ""}, {"oif", 1, ""}, {"not", 0, ""},
	{"inet6", 0, ""}, {"inet", 0, ""}, {"no_track", 0, ""}, {"track_group", 1, ""}, {"goto", 1, ""}, {"blackhole", 0, ""}, {"unreachable", 0, ""}, {"prohibit", 0, ""}, {"nop", 0, ""},
}}

var ruleOther = map[string]int{"tos": 1, "dsfield": 1, "realms": 1, "suppress_prefixlength": 1, "sup_pl": 1, "suppress_ifgroup": 1, "sup_group": 1, "tunnel-id": 1, "uidrange": 1, "l3mdev": 0, "protocol": 1,
	"ipproto": 1, "ip_proto": 1, "sport": 1, "dport": 1}

func (d *decoder) rule(n *node) (Rule, bool) {
	r := Rule{Pos: n.pos(), Fwmask: 1<<32 - 1}
	ws := n.wordList()
	i, ok := 0, true
	value := func() *word {
		i++
		if i >= len(ws) {
			d.bad(n, ws[len(ws)-1], "missing-argument", "", "%s of a rule needs a value", ws[len(ws)-1].text)
			ok = false
			return &word{}
		}
		return ws[i]
	}
	pfx := func() netip.Prefix {
		w := value()
		if w.text == "all" || w.text == "any" || w.text == "default" || !ok {
			return netip.Prefix{}
		}
		p, _, good := d.prefix(n, w)
		if !good {
			ok = false
		} else {
			r.IPv6 = p.Addr().Is6()
		}
		return p
	}
	for ; i < len(ws) && ok; i++ {
		switch t := ws[i].text; t {
		case "inet":
		case "inet6":
			r.IPv6 = true
		case "not":
			r.Not = true
		case "from":
			r.From = pfx()
		case "to":
			r.To = pfx()
		case "table", "lookup":
			r.Table = value().text
		case "preference", "order", "priority", "pref":
			v, _ := d.number(n, value(), 0, 1<<32-1)
			r.Priority, r.PrioSet = uint32(v), true
		case "fwmark":
			w := value()
			v, m, masked := strings.Cut(w.text, "/")
			a, err := strconv.ParseUint(v, 0, 32)
			b := uint64(1<<32 - 1)
			if masked && err == nil {
				b, err = strconv.ParseUint(m, 0, 32)
			}
			if err != nil {
				d.bad(n, w, "bad-number", "write 1 or 0x1/0xff", "fwmark %q is not a mark", clip(w.text))
			}
			r.Fwmark, r.Fwmask = uint32(a), uint32(b)
		case "iif", "dev":
			r.IIf = value().text
		case "oif":
			r.OIf = value().text
		case "goto":
			r.Action = "goto " + value().text
		case "nop", "blackhole", "unreachable", "prohibit":
			r.Action = t
		case "type", "unicast":
		case "no_track":
			r.NoTrack = true
		case "track_group":
			r.TrackGroup = value().text
		default:
			args, known := ruleOther[t]
			if !known {
				d.word(n, ws[i], Warning, "unknown-option", "", "%q is not an option of a rule: ignored", clip(t))
				continue
			}
			r.Other = append(r.Other, t)
			for ; args > 0 && i+1 < len(ws); args-- {
				i++
				r.Other = append(r.Other, ws[i].text)
			}
		}
	}
	_, err := r.Options()
	d.rare(n, err)
	if ok && !r.PrioSet {
		d.word(n, &n.key, Warning, "rule-priority", "give every rule a priority", "a rule without priority gets one of the kernel's choice")
	}
	return r, ok
}

// rare tells what is wrong with the rarer words of a route or rule.
func (d *decoder) rare(n *node, err error) {
	if err != nil {
		d.bad(n, &n.key, "bad-option", "", "%v", err)
	}
}

func routes[T any](name string, f func(*T) *[]Route, t tier, u use, doc string) row[T] {
	return lines(name, routeEntry, func(d *decoder, o *T, n *node) {
		if v, ok := d.route(n); ok {
			*f(o) = append(*f(o), v)
		}
	}, t, u, "none", doc)
}

func rules[T any](name string, f func(*T) *[]Rule, t tier, u use, doc string) row[T] {
	return lines(name, ruleEntry, func(d *decoder, o *T, n *node) {
		if v, ok := d.rule(n); ok {
			*f(o) = append(*f(o), v)
		}
	}, t, u, "none", doc)
}

package config

import (
	"net/netip"
	"strconv"
	"strings"
)

// addressEntry is a line of virtual_ipaddress, virtual_ipaddress_excluded or static_ipaddress.
var addressEntry = &entrySpec{first: []string{"address"}, anyWord: true, options: []option{
	{"dev", 1, "interface"}, {"brd", 1, "broadcast address, + or -"}, {"broadcast", 1, "as brd"}, {"label", 1, "up to 15 characters"}, {"scope", 1, "global, link, host, site, nowhere or a number"},
	{"peer", 1, "other end of a point-to-point link"}, {"home", 0, ""}, {"mngtmpaddr", 0, ""}, {"noprefixroute", 0, ""}, {"autojoin", 0, ""}, {"-nodad", 0, "do duplicate address detection"},
	{"preferred_lft", 1, "seconds or forever"}, {"no_track", 0, "do not act when someone removes it"}, {"track_group", 1, "static addresses only"}, {"use_vmac", 0, ""},
}}

// address decodes one line; the address is the first word.
func (d *decoder) address(n *node) (Address, bool) {
	p, given, ok := d.prefix(n, &n.key)
	if !ok {
		return Address{}, false
	}
	a := Address{Prefix: p, LenGiven: given, Pos: n.pos()}
	six := p.Addr().Is6()
	for i := 0; i < len(n.args); i++ {
		w := n.arg(i)
		value := func() string {
			i++
			if i >= len(n.args) {
				d.bad(n, w, "missing-argument", "", "%s of address %s needs a value", w.text, n.key.text)
				return ""
			}
			return n.args[i].text
		}
		switch w.text {
		case "dev":
			a.Dev = value()
		case "brd", "broadcast":
			a.Broadcast = value()
			if six {
				d.word(n, w, Warning, "ignored", "remove it", "an IPv6 address has no broadcast address")
				a.Broadcast = ""
			} else if b := a.Broadcast; b != "" && b != "+" && b != "-" {
				if b, err := netip.ParseAddr(b); err != nil || !b.Is4() {
					d.bad(n, n.arg(i), "bad-address", "", "broadcast is an IPv4 address, + or -, not %q", clip(a.Broadcast))
					a.Broadcast = ""
				}
			}
		case "label":
			a.Label = value()
			if len(a.Label) > 15 {
				d.bad(n, n.arg(i), "too-long", "shorten it", "label %q has more than 15 characters", clip(a.Label))
				a.Label = ""
			} else if six {
				d.word(n, w, Warning, "ignored", "remove it", "an IPv6 address has no label")
				a.Label = ""
			}
		case "scope":
			a.Scope = value()
		case "peer":
			if v := value(); v != "" {
				a.Peer, _, _ = d.prefix(n, n.arg(i))
			}
		case "home":
			a.Home = true
		case "mngtmpaddr":
			a.MngTmpAddr = true
		case "noprefixroute":
			a.NoPrefixRt = true
		case "autojoin":
			a.AutoJoin = true
		case "-nodad":
			a.DAD = true
		case "preferred_lft":
			a.PreferredLft = value()
			if _, err := strconv.ParseUint(a.PreferredLft, 10, 32); a.PreferredLft != "" && a.PreferredLft != "forever" && err != nil {
				d.bad(n, n.arg(i), "bad-number", "", "preferred_lft is a number of seconds or forever, not %q", clip(a.PreferredLft))
				a.PreferredLft = ""
			}
		case "no_track":
			a.NoTrack = true
		case "track_group":
			a.TrackGroup = value()
		case "use_vmac":
			a.UseVMAC = true
		default:
			hint := ""
			if _, err := netip.ParsePrefix(w.text); err == nil || validAddr(w.text) {
				hint = "write one address per line"
				d.bad(n, w, "extra-words", hint, "a second address on the line of %s", n.key.text)
				return a, true
			}
			var all []string
			for _, o := range addressEntry.options {
				all = append(all, o.name)
			}
			if hint = d.suggest(w.text, all); hint == "" && strings.HasPrefix(w.text, "eth") {
				hint = "write dev " + w.text
			}
			sev := Warning
			if n.src.yaml {
				sev = Error
			}
			d.word(n, w, sev, "unknown-option", hint, "%q is not an option of an address: ignored", clip(w.text))
		}
	}
	return a, true
}

func validAddr(s string) bool { _, err := netip.ParseAddr(s); return err == nil }

// addresses is a block of addresses.
func addresses[T any](name string, f func(*T) *[]Address, t tier, u use, doc string) row[T] {
	return lines(name, addressEntry, func(d *decoder, o *T, n *node) {
		if a, ok := d.address(n); ok {
			*f(o) = append(*f(o), a)
		}
	}, t, u, "none", doc)
}

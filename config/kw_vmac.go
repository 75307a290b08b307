package config

import (
	"net/netip"
	"strconv"
	"strings"
)

// maxInterfaceName is the longest name of a network interface (IFNAMSIZ less the ending NUL).
const maxInterfaceName = 15

// readVMAC reads [[name] INTERFACE] [MAC] [netlink_notify_msg] [group GROUP]. The word name is written where the interface's name would be read
// as one of the options.
func readVMAC(d *decoder, i *vi, n *node) {
	i.UseVMAC = true
	for k := 0; k < len(n.args); k++ {
		switch t := n.args[k].text; {
		case strings.Contains(t, ":"):
			if i.VMACAddr != "" {
				d.bad(n, n.arg(k), "extra-words", "", "a second MAC address: %q", clip(t))
			} else if why := badMAC(t); why != "" {
				d.fatal(n, n.arg(k), "bad-mac", "write six octets, or five and the VRID is the sixth", "the MAC address %q %s", clip(t), why)
			} else if strings.HasPrefix(strings.ToLower(t), "00:00:5e:00:01") || strings.HasPrefix(strings.ToLower(t), "00:00:5e:00:02") {
				d.word(n, n.arg(k), Warning, "vmac-rfc", "leave it out", "%s is one of RFC 9568's own addresses: the one of this VRID is used instead, as in keepalived", t)
			} else {
				i.VMACAddr = strings.ToLower(strings.TrimSuffix(t, ":"))
			}
		case t == "netlink_notify_msg":
			i.VMACNetlink = true
		default:
			k = d.virtualInterface(n, k, "use_vmac", &i.VMACName, &i.VMACGroup)
		}
	}
}

// readIPVLAN reads [[name] INTERFACE] [ADDRESS] [bridge|private|vepa] [group GROUP].
func readIPVLAN(d *decoder, i *vi, n *node) {
	i.UseIPVLAN = true
	for k := 0; k < len(n.args); k++ {
		t := n.args[k].text
		p, err := netip.ParsePrefix(t)
		if a, aerr := netip.ParseAddr(t); aerr == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		switch {
		case err == nil && i.IPVLANAddr.IsValid():
			d.bad(n, n.arg(k), "extra-words", "", "a second address of the ipvlan: %s", t)
		case err == nil:
			i.IPVLANAddr = p
		case t == "bridge" || t == "private" || t == "vepa":
			if i.IPVLANMode != "" {
				d.bad(n, n.arg(k), "extra-words", "", "a second mode of the ipvlan: %s", t)
			}
			i.IPVLANMode = t
		default:
			k = d.virtualInterface(n, k, "use_ipvlan", &i.IPVLANName, &i.VMACGroup)
		}
	}
}

// virtualInterface reads what use_vmac and use_ipvlan have in common at word k, and answers the last word it used.
func (d *decoder) virtualInterface(n *node, k int, keyword string, name, group *string) int {
	switch n.args[k].text {
	case "group":
		if k+1 >= len(n.args) {
			d.bad(n, n.arg(k), "missing-argument", "", "group of %s needs a number or a name", keyword)
			return k
		}
		k++
		*group = n.args[k].text
		return k
	case "name":
		if k+1 >= len(n.args) {
			d.bad(n, n.arg(k), "missing-argument", "", "name of %s needs the name of an interface", keyword)
			return k
		}
		k++
	}
	switch t := n.args[k].text; {
	case *name != "":
		d.bad(n, n.arg(k), "extra-words", "write name before it where it is one", "%q after the interface name %s", clip(t), *name)
	case len(t) > maxInterfaceName || strings.ContainsAny(t, "/: \t"):
		d.fatal(n, n.arg(k), "too-long", "use at most 15 characters, no slash and no colon", "%q is no name of a network interface", clip(t))
	default:
		*name = t
	}
	return k
}

// badMAC says what is wrong with a MAC address of five or six octets, "" for nothing.
func badMAC(s string) string {
	octets := strings.Split(strings.TrimSuffix(s, ":"), ":")
	if len(octets) != 5 && len(octets) != 6 {
		return "has " + strconv.Itoa(len(octets)) + " octets"
	}
	for _, o := range octets {
		if _, err := strconv.ParseUint(o, 16, 8); err != nil || len(o) > 2 {
			return "is not hexadecimal"
		}
	}
	if first, _ := strconv.ParseUint(octets[0], 16, 8); first&1 != 0 {
		return "is a multicast address"
	}
	return ""
}

// fillVirtual settles what use_vmac, use_ipvlan and vrf mean together with the rest of the instance.
func (d *decoder) fillVirtual(i *VRRPInstance, n *node) {
	switch {
	case i.UseIPVLAN && i.UseVMAC:
		d.say(n, Error, "use_ipvlan", "ipvlan-vmac", "remove one of them", "use_vmac and use_ipvlan exclude each other")
	case i.UseIPVLAN && i.IPVLANAddr.IsValid() && i.IPVLANAddr.Addr().Is6() != i.IPv6:
		d.say(n, Error, "use_ipvlan", "family", "", "the address %s of the ipvlan is of another family than the instance", i.IPVLANAddr)
	case i.UseIPVLAN && !i.IPv6 && !i.IPVLANAddr.IsValid():
		d.say(n, Error, "use_ipvlan", "ipvlan-address", "write use_ipvlan ADDRESS/LENGTH", "an IPv4 instance with use_ipvlan needs an address for the ipvlan, from which its adverts come")
	}
	if i.VMACXmitBase && !i.UseVMAC {
		d.say(n, Warning, "vmac_xmit_base", "ignored", "remove it", "vmac_xmit_base does nothing without use_vmac")
		i.VMACXmitBase = false
	}
	if i.Strict && i.VMACXmitBase {
		d.say(n, Warning, "vmac_xmit_base", "strict", "remove it", "strict mode sends adverts from the virtual MAC: vmac_xmit_base is switched off, as in keepalived")
		i.VMACXmitBase = false
	}
	if i.VRF == "" {
		return
	}
	switch {
	case i.Interface != "":
		d.say(n, Warning, "vrf", "vrf-interface", "remove vrf: the interface's own VRF is used", "vrf is for instances without interface: ignored, as in keepalived")
		i.VRF = ""
	case !i.Unicast:
		d.say(n, Error, "vrf", "vrf-multicast", "add unicast_peer, or interface instead of vrf", "vrf needs unicast peers")
	case !i.SrcIP.IsValid():
		d.say(n, Error, "vrf", "vrf-source", "add unicast_src_ip ADDRESS", "vrf needs unicast_src_ip: a VRF device has no address of its own to send from")
	case i.UseVMAC || i.UseIPVLAN:
		d.say(n, Error, "vrf", "vrf-vmac", "add interface instead of vrf", "use_vmac and use_ipvlan need an interface")
	}
}

package config

import (
	"strings"
	"testing"
	"testing/fstest"
)

func virtualInstance(t *testing.T, lines string) (*VRRPInstance, string) {
	t.Helper()
	text := "vrrp_instance V {\n interface eth0\n virtual_router_id 51\n virtual_ipaddress {\n  192.0.2.1/24\n }\n" + lines + "\n}\n"
	if strings.Contains(lines, "vrf ") && !strings.Contains(lines, "keep") {
		text = strings.Replace(text, " interface eth0\n", "", 1)
	}
	m, ds := Parse(fstest.MapFS{"etc/x.conf": {Data: []byte(text)}}, "/etc/x.conf", Host{}, Options{})
	var said []string
	for _, d := range ds {
		if d.Severity != Note {
			said = append(said, d.Code)
		}
	}
	return m.Instance("V"), strings.Join(said, " ")
}

func TestWordsOfVirtualInterfaces(t *testing.T) {
	for _, c := range []struct {
		lines, said string
		ok          func(*VRRPInstance) bool
	}{
		{"use_vmac", "", func(i *VRRPInstance) bool { return i.UseVMAC && i.VMACName == "" && i.VMACAddr == "" }},
		{"use_vmac vip0 02:00:00:00:00:07 netlink_notify_msg group 7", "", func(i *VRRPInstance) bool {
			return i.VMACName == "vip0" && i.VMACAddr == "02:00:00:00:00:07" && i.VMACNetlink && i.VMACGroup == "7"
		}},
		{"use_vmac name group 02:00:00:00:AB", "", func(i *VRRPInstance) bool { return i.VMACName == "group" && i.VMACAddr == "02:00:00:00:ab" }},
		{"use_vmac 00:00:5e:00:01:07", "vmac-rfc", func(i *VRRPInstance) bool { return i.VMACAddr == "" && i.Blocked == "" }},
		{"use_vmac 01:00:00:00:00:07", "bad-mac", func(i *VRRPInstance) bool { return i.Blocked != "" }},
		{"use_vmac 02:00:00:07", "bad-mac", func(i *VRRPInstance) bool { return i.Blocked != "" }},
		{"use_vmac much_too_long_name", "too-long", func(i *VRRPInstance) bool { return i.Blocked != "" }},
		{"use_ipvlan vip0 192.0.2.9/24", "", func(i *VRRPInstance) bool {
			return i.UseIPVLAN && i.IPVLANName == "vip0" && i.IPVLANAddr.String() == "192.0.2.9/24" && i.IPVLANMode == ""
		}},
		{"use_ipvlan name bridge 192.0.2.9 vepa group lan", "", func(i *VRRPInstance) bool {
			return i.IPVLANName == "bridge" && i.IPVLANAddr.Bits() == 32 && i.IPVLANMode == "vepa" && i.VMACGroup == "lan"
		}},
		{"use_ipvlan vip0", "ipvlan-address", func(i *VRRPInstance) bool { return i.Blocked != "" }},
		{"use_ipvlan 2001:db8::1/64", "family", func(i *VRRPInstance) bool { return i.Blocked != "" }},
		{"use_ipvlan 192.0.2.9/24\n use_vmac", "ipvlan-vmac", func(i *VRRPInstance) bool { return i.Blocked != "" }},
		{"vmac_xmit_base", "ignored", func(i *VRRPInstance) bool { return !i.VMACXmitBase }},
		{"vrf red\n unicast_src_ip 192.0.2.9\n unicast_peer {\n 192.0.2.10\n }", "", func(i *VRRPInstance) bool { return i.VRF == "red" && i.Blocked == "" }},
		{"vrf red\n unicast_peer {\n 192.0.2.10\n }", "vrf-source", func(i *VRRPInstance) bool { return i.Blocked != "" }},
		{"vrf red\n unicast_src_ip 192.0.2.9", "vrf-multicast", func(i *VRRPInstance) bool { return i.Blocked != "" }},
		{"vrf red # keep", "vrf-interface", func(i *VRRPInstance) bool { return i.VRF == "" && i.Blocked == "" }},
	} {
		i, said := virtualInstance(t, c.lines)
		if !strings.Contains(said, c.said) || c.said == "" && said != "" || !c.ok(i) {
			t.Errorf("%q: said %q, want %q; blocked: %q", c.lines, said, c.said, i.Blocked)
		}
	}
}

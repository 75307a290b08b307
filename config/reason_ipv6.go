package config

import "strings"

// reasonIPv6 finds virtual IPv6 addresses on interfaces where IPv6 is off: the kernel would refuse them. What is on a virtual interface is left out, it has
// settings of its own.
func (d *decoder) reasonIPv6(i *VRRPInstance) {
	if d.host.Sysctl == nil {
		return
	}
	told := map[string]bool{}
	for _, list := range [][]Address{i.VIPs, i.ExcludedVIPs} {
		for k := range list {
			a := &list[k]
			dev := devOf(a, i)
			if _, here := d.host.Interfaces[dev]; !here || told[dev] || !a.Prefix.Addr().Is6() || a.UseVMAC || i.UseVMACAddr || i.IPv6 && (i.UseVMAC || i.UseIPVLAN) {
				continue
			}
			name := "net.ipv6.conf." + strings.ReplaceAll(dev, ".", "/") + ".disable_ipv6" // as sysctl(8) writes an interface with a dot
			if d.host.Sysctl(name) == "1" {
				told[dev] = true
				d.point(a.Pos, Warning, "ipv6-off", "set "+name+" to 0, or remove the IPv6 addresses", "IPv6 is off on %s: the kernel will refuse %s, and nobody will answer for it", clip(dev), a.Prefix.Addr())
			}
		}
	}
}

package config

// fillAdvert keeps addresses that no advertisement has room for out of it.
func (d *decoder) fillAdvert(i *VRRPInstance, n *node) {
	if limit := d.mostAdvertised(i); len(i.VIPs) > limit {
		d.say(n, Warning, "virtual_ipaddress", "too-many-addresses", "move some to virtual_ipaddress_excluded on every director alike", "only %d of %d addresses fit into an advert: the rest are not advertised", limit, len(i.VIPs))
		i.ExcludedVIPs = append(append([]Address{}, i.VIPs[limit:]...), i.ExcludedVIPs...)
		i.VIPs = i.VIPs[:limit:limit]
	}
}

// mostAdvertised is how many addresses fit into an advertisement of the instance, reckoned as keepalived does: what it leaves out must be left out here, it
// refuses adverts with another number. It counts an Ethernet header into the MTU, and takes 1500 where there is no such interface.
func (d *decoder) mostAdvertised(i *VRRPInstance) int {
	const ethernet, ipv4, ipv6, header, password, ah, trailer, most = 14, 20, 40, 8, 8, 24, 28, 255
	mtu := 1500
	if at := d.host.Interfaces[i.Interface]; at.MTU > 0 && i.VRF == "" {
		mtu = at.MTU
	}
	used, each := ethernet+ipv6+header, 16
	if !i.IPv6 {
		used, each = ethernet+ipv4+header, 4
		if i.Version == 2 {
			used += password
			if i.AuthType == "AH" {
				used += ah
			}
		}
	}
	if i.AuthHMAC.Given && i.AuthHMAC.Mode != "receive-only" {
		used += trailer
	}
	return min(max((mtu-used)/each, 0), most)
}

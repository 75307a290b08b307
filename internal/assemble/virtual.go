package assemble

import (
	"net/netip"

	"github.com/holdfast-ha/holdfast/config"
)

// VirtualAddresses are the addresses that move between directors or are balanced, each once: what a real server may have as well.
func VirtualAddresses(m *config.Model) []netip.Addr {
	var out []netip.Addr
	seen := map[netip.Addr]bool{}
	add := func(a netip.Addr) {
		if a = a.Unmap().WithZone(""); a.IsValid() && !seen[a] {
			seen[a] = true
			out = append(out, a)
		}
	}
	for i := range m.Instances {
		in := &m.Instances[i]
		for _, list := range [][]config.Address{in.VIPs, in.ExcludedVIPs} {
			for _, a := range list {
				add(a.Prefix.Addr())
			}
		}
	}
	eachVirtualServer(m, func(_ string, vs *config.VirtualServer) {
		if vs.Group == "" {
			add(vs.Addr)
			return
		}
		for _, k := range keys(m, vs) {
			add(k.Addr)
		}
	})
	return out
}

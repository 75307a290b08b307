package assemble

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/holdfast-ha/holdfast/config"
)

// RealServerSide is the shell script that makes a machine the real server which the file means: the virtual addresses and quiet ARP of DR, the
// tunnel of TUN, the gateway of NAT. It fails when no virtual server has that address. Nothing is run.
func RealServerSide(m *config.Model, server netip.Addr) (string, error) {
	w := serverSide{server: server.Unmap()}
	found := false
	eachVirtualServer(m, func(id string, vs *config.VirtualServer) {
		for i := range vs.RealServers {
			if rs := &vs.RealServers[i]; rs.Addr.Unmap() == w.server {
				found = true
				w.add(m, id, vs, rs.Method)
			}
		}
		if s := vs.Sorry; s != nil && s.Addr.Unmap() == w.server {
			found = true
			w.add(m, id, vs, s.Method)
		}
	})
	if !found {
		return "", fmt.Errorf("no virtual server has the real server %s", server)
	}
	return w.text(), nil
}

// serverSide collects what one machine needs. Every line can be run again.
type serverSide struct {
	server            netip.Addr
	notes             []string
	modules, sysctls  []string
	links, addrs, end []string
	// gre tells of each kind of GRE seen so far whether it has a checksum.
	gre []string
}

func once(list *[]string, lines ...string) {
	for _, l := range lines {
		if !slices.Contains(*list, l) {
			*list = append(*list, l)
		}
	}
}

func (w *serverSide) add(m *config.Model, id string, vs *config.VirtualServer, method config.Method) {
	var vips []netip.Addr
	for _, k := range keys(m, vs) {
		if k.Addr.IsValid() && !slices.Contains(vips, k.Addr) {
			vips = append(vips, k.Addr)
		}
	}
	what := string(method.Forward)
	if method.Forward == config.TUN && method.TunType != "" {
		what += " " + method.TunType
	}
	w.notes = append(w.notes, fmt.Sprintf("%s: %s", id, what))
	if len(vips) == 0 && (method.Forward == config.DR || method.Forward == config.TUN) {
		w.notes = append(w.notes, fmt.Sprintf("  the file does not say which addresses have the firewall mark %d: put each on lo (DR) or the tunnel device (TUN)", vs.Fwmark))
	}
	switch method.Forward {
	case config.DR:
		for _, a := range vips {
			w.hold(a, "lo")
		}
	case config.TUN:
		for _, a := range vips {
			w.hold(a, w.tunnel(a, method))
		}
	case config.FNAT:
		w.notes = append(w.notes, "  nothing to do: connections come from the director and go back there")
	default:
		w.gateway(m)
	}
}

// hold puts a virtual address on a device and keeps the machine quiet about it.
func (w *serverSide) hold(a netip.Addr, device string) {
	if a.Is4() {
		once(&w.sysctls, "net.ipv4.conf.all.arp_ignore=1", "net.ipv4.conf.all.arp_announce=2")
		once(&w.addrs, fmt.Sprintf("ip addr replace %s/32 dev %s", a, device))
		return
	}
	once(&w.addrs, fmt.Sprintf("ip -6 addr replace %s/128 dev %s nodad", a, device))
}

// tunnel names the device out of which packets of the tunnel come, and makes it. The devices that the kernel makes with the module take
// packets from every director.
func (w *serverSide) tunnel(vip netip.Addr, m config.Method) (device string) {
	outer6 := w.server.Is6()
	switch {
	case m.TunType == "gre" && outer6:
		once(&w.modules, "ip6_gre")
		device = "ip6gre0"
	case m.TunType == "gre":
		once(&w.modules, "ip_gre")
		device = "gre0"
	case outer6:
		once(&w.modules, "ip6_tunnel")
		device = "ip6tnl0"
	case vip.Is6():
		once(&w.modules, "sit")
		device = "sit0"
	default:
		once(&w.modules, "ipip")
		device = "tunl0"
	}
	if m.TunType == "gue" {
		once(&w.modules, "fou")
		family := ""
		if outer6 {
			once(&w.modules, "fou6")
			family = "-6 "
		}
		once(&w.links, fmt.Sprintf("ip fou show | grep -q 'port %[1]d ' || ip fou add %[2]sport %[1]d gue", m.TunPort, family))
	}
	if m.TunType == "gre" {
		once(&w.gre, fmt.Sprint(m.TunCsum == "csum"))
		if len(w.gre) > 1 {
			once(&w.notes, "  GRE with and without a checksum to one address does not work: the device that takes checksums gets every packet for it and drops those without")
		}
	}
	if m.TunType == "gre" && m.TunCsum == "csum" { // a device takes checksums always or never
		kind := "gre"
		if outer6 {
			kind = "ip6gre"
		}
		device = "holdfast-gre"
		once(&w.links, fmt.Sprintf("ip link show %[1]s >/dev/null 2>&1 || ip link add %[1]s type %[2]s local %[3]s csum", device, kind, w.server))
	}
	once(&w.links, fmt.Sprintf("ip link set %s up", device))
	if vip.Is4() {
		once(&w.end, "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf."+device+".rp_filter=0")
	}
	return device
}

// gateway is the inside address that moves with the virtual one.
func (w *serverSide) gateway(m *config.Model) {
	for i := range m.Instances {
		in := &m.Instances[i]
		for _, list := range [][]config.Address{in.VIPs, in.ExcludedVIPs} {
			for _, a := range list {
				if p := a.Prefix; p.Addr() != w.server && p.Bits() < p.Addr().BitLen() && p.Masked().Contains(w.server) {
					flag := ""
					if p.Addr().Is6() {
						flag = "-6 "
					}
					once(&w.addrs, fmt.Sprintf("ip %sroute replace default via %s", flag, p.Addr()))
					return
				}
			}
		}
	}
	w.notes = append(w.notes, "  NAT: the default route must lead to the director; no vrrp_instance has an address in this server's network")
}

func (w *serverSide) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "#!/bin/sh\n# The side of real server %s. Run it on that machine at every boot; it can be run again.\n", w.server)
	for _, n := range w.notes {
		fmt.Fprintf(&b, "# %s\n", n)
	}
	b.WriteString("set -e\n")
	for _, x := range w.modules {
		fmt.Fprintf(&b, "modprobe %s\n", x)
	}
	for _, x := range w.sysctls {
		fmt.Fprintf(&b, "sysctl -w %s\n", x)
	}
	for _, x := range slices.Concat(w.links, w.addrs) {
		fmt.Fprintln(&b, x)
	}
	for _, x := range w.end {
		fmt.Fprintf(&b, "sysctl -w %s\n", x)
	}
	if len(w.links) > 0 {
		b.WriteString("# The tunnel makes packets longer: let TCP know, as in: iptables -t mangle -A POSTROUTING -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1400\n")
	}
	return b.String()
}

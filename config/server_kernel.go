package config

import (
	"fmt"
	"net/netip"
	"slices"
)

// What the kernel would take and break on, or refuse only while the daemon runs, is refused here, where the file says it.

// maxWeight is the largest weight that the kernel gives back: it reads 16 bits of it.
const maxWeight = 65535

// settleFamily finds the family of a firewall mark or a group without ip_family. That of a mark is, as in keepalived, the family of the servers
// that are not reached by a tunnel; where all are, the one that they have in common; else IPv4. That of a group is its first address's.
func (v *VirtualServer) settleFamily(g *VirtualServerGroup) {
	if v.Addr.IsValid() || v.Has("ip_family") {
		return
	}
	if g != nil {
		for _, e := range g.Entries {
			if e.Fwmark == 0 || e.IPv6 || e.Inet {
				v.IPv6 = e.IPv6
				return
			}
		}
	}
	common, mixed := false, false
	for i := range v.RealServers {
		r := &v.RealServers[i]
		if r.Method.Forward != TUN {
			v.IPv6 = r.Addr.Is6()
			return
		}
		if i == 0 {
			common = r.Addr.Is6()
		}
		mixed = mixed || r.Addr.Is6() != common
	}
	if s := v.Sorry; s != nil && s.Method.Forward != TUN {
		v.IPv6 = s.Addr.Is6()
		return
	}
	v.IPv6 = common && !mixed
}

// linkKernel refuses what IPVS cannot hold.
func (d *decoder) linkKernel(m *draft, v *VirtualServer, n *node) {
	g := m.VirtualServerGroup(v.Group)
	if v.Group == "" {
		g = nil
	}
	d.linkAddresses(v, g, n)
	d.linkFamilies(m, v, g, n)
	udp := v.Protocol == "udp" && len(v.AlsoProtocols) == 0
	switch {
	case v.PersistenceEngine == "":
	case v.PersistenceEngine != "sip":
		d.amend(n, "persistence_engine", "engine", "the kernel has one engine: sip", "there is no persistence engine %q: it is left out", clip(v.PersistenceEngine))
		v.PersistenceEngine = ""
	case v.Fwmark == 0 && !udp:
		d.amend(n, "persistence_engine", "engine", "write protocol UDP", "the engine sip reads UDP, and drops what else comes: it is left out")
		v.PersistenceEngine = ""
	case v.PersistenceTimeout == 0:
		d.amend(n, "persistence_engine", "engine", "add persistence_timeout", "a persistence engine needs persistence: it is left out")
		v.PersistenceEngine = ""
	}
	if v.HASuspend && (v.Fwmark != 0 || g.marked()) {
		d.say(n, Warning, "ha_suspend", "ha-suspend-mark", "remove it", "a firewall mark has no address to wait for: ha_suspend does nothing here, as in keepalived")
		v.HASuspend = false
	}
	d.linkMethod(v.Method, n, "lb_kind")
	for i := range v.RealServers {
		r := &v.RealServers[i]
		if r.Weight > maxWeight {
			d.amend(nodeAt(n, r.Pos), "weight", "weight", "divide all weights by a common number", "the kernel keeps 16 bits of a weight: %d becomes %d", r.Weight, maxWeight)
			r.Weight = maxWeight
		}
		if r.LThreshold > r.UThreshold {
			d.amend(nodeAt(n, r.Pos), "lthreshold", "threshold", "write an uthreshold above it", "lthreshold %d is above uthreshold %d, which the kernel refuses: it is left out", r.LThreshold, r.UThreshold)
			r.LThreshold = 0
		}
		if r.Method != v.Method && r.Method.Forward == TUN { // places are looked for only where something is said
			d.linkMethod(r.Method, nodeAt(n, r.Pos), "lvs_method")
		}
	}
}

// linkMethod names options of tunnels that do nothing.
func (d *decoder) linkMethod(m Method, n *node, keyword string) {
	ipip := m.TunType == "" || m.TunType == "ipip"
	switch {
	case m.Forward != TUN:
	case m.TunPort != 0 && m.TunType != "gue":
		d.say(n, Warning, keyword, "tunnel-option", "remove the port", "only a gue tunnel has a port")
	case ipip && m.TunCsum != "" && m.TunCsum != "nocsum":
		d.say(n, Warning, keyword, "tunnel-option", "remove "+m.TunCsum, "an ipip tunnel has no checksum")
	case m.TunType == "gre" && m.TunCsum == "remcsum":
		d.say(n, Warning, keyword, "tunnel-option", "write csum", "remcsum is for gue tunnels")
	}
}

// linkAddresses refuses addresses that are none of a host.
func (d *decoder) linkAddresses(v *VirtualServer, g *VirtualServerGroup, n *node) {
	impossible := func(a netip.Addr) bool {
		return a.IsValid() && (a.IsUnspecified() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}))
	}
	if impossible(v.Addr) {
		d.fatal(n, n.arg(0), "impossible-address", "write the virtual address", "%s is no address of a host: nothing can be balanced there", v.Addr)
	}
	if g != nil {
		for _, e := range g.Entries {
			if impossible(e.First) || impossible(e.Last) {
				d.fatal(n, n.arg(min(1, len(n.args)-1)), "impossible-address", "write virtual addresses", "virtual_server_group %s has %s, which is no address of a host", g.Name, e.First)
			}
		}
	}
	v.RealServers = slices.DeleteFunc(v.RealServers, func(r RealServer) bool {
		bad := impossible(r.Addr)
		if bad {
			at := nodeAt(n, r.Pos)
			d.word(at, at.arg(0), Error, "impossible-address", "write the server's own address", "%s is no address of a host: the real server is left out", r.Addr)
		}
		return bad
	})
	if v.Sorry != nil && impossible(v.Sorry.Addr) {
		d.amend(n, "sorry_server", "impossible-address", "write the server's own address", "%s is no address of a host: the sorry server is left out", v.Sorry.Addr)
		v.Sorry = nil
	}
}

// linkFamilies refuses servers of another family than the services, which only a tunnel reaches, and that not beside a synchronisation daemon.
func (d *decoder) linkFamilies(m *draft, v *VirtualServer, g *VirtualServerGroup, n *node) {
	four, six := !v.IPv6, v.IPv6
	if g != nil {
		for _, e := range g.Entries {
			is6 := e.Six(v.IPv6)
			six, four = six || is6, four || !is6
		}
	}
	family := func(is6 bool) string {
		if is6 {
			return "IPv6"
		}
		return "IPv4"
	}
	if g != nil && four && six && !v.Has("ip_family") {
		for i := range g.Entries {
			if e := &g.Entries[i]; e.Fwmark != 0 && !e.IPv6 && !e.Inet {
				d.say(n, Warning, "", "mark-family", fmt.Sprintf("write fwmark %d inet or fwmark %d inet6", e.Fwmark, e.Fwmark),
					"virtual_server_group %s has both families, and its firewall mark %d has none: %s is taken (keepalived leaves such a group out)", g.Name, e.Fwmark, family(v.IPv6))
				break
			}
		}
	}
	sync := m.Global.LVSSync.Interface != ""
	for i := range m.Instances {
		sync = sync || m.Instances[i].LVSSyncInterface != ""
	}
	other := func(a netip.Addr) bool { return a.Is6() && four || !a.Is6() && six }
	v.RealServers = slices.DeleteFunc(v.RealServers, func(r RealServer) bool {
		if !other(r.Addr) {
			return false
		}
		at := nodeAt(n, r.Pos)
		switch {
		case r.Method.Forward != TUN && !v.Addr.IsValid(): // that of an address was refused where it stands
			what := fmt.Sprintf("the virtual server is %s", family(six && !four))
			if four && six {
				what = fmt.Sprintf("virtual_server_group %s has addresses of both families", g.Name)
			}
			d.word(at, at.arg(0), Error, "family", "use TUN, write ip_family, or make a virtual server for each family", "%s, the real server %s: only TUN crosses families; it is left out", what, family(r.Addr.Is6()))
			return true
		case r.Method.Forward == TUN && sync:
			d.word(at, at.arg(0), Error, "family-sync", "remove lvs_sync_daemon, or use servers of the virtual server's family", "the kernel has no servers of another family while a synchronisation daemon runs: it is left out")
			return true
		}
		return false
	})
	if v.Sorry != nil && !v.Addr.IsValid() && v.Sorry.Method.Forward != TUN && other(v.Sorry.Addr) {
		d.amend(n, "sorry_server", "family", "use TUN, or an address of the same family", "the sorry server is of another family than the virtual server: it is left out")
		v.Sorry = nil
	}
	if len(v.RealServers) == 0 && v.Blocked == "" {
		d.fatal(n, &n.key, "no-servers", "add a real_server", "no real server is left")
	}
}

// kernelService is the identity of a service in the kernel.
type kernelService struct {
	proto string
	addr  netip.Addr
	port  uint16
	mark  uint32
	six   bool
}

// services visits what a virtual server makes in the kernel.
func (m *draft) services(v *VirtualServer, visit func(kernelService)) {
	protocols := append([]string{v.Protocol}, v.AlsoProtocols...)
	address := func(a netip.Addr, port uint16) {
		for _, p := range protocols {
			visit(kernelService{proto: p, addr: a, port: port})
		}
	}
	switch {
	case v.Fwmark != 0:
		visit(kernelService{mark: v.Fwmark, six: v.IPv6})
		return
	case v.Group == "":
		for port := range v.Ports() {
			address(v.Addr, port)
		}
		return
	}
	g := m.VirtualServerGroup(v.Group)
	if g == nil {
		return
	}
	for i := range g.Entries {
		e := &g.Entries[i]
		if e.Fwmark != 0 {
			visit(kernelService{mark: e.Fwmark, six: e.Six(v.IPv6)})
			continue
		}
		for a := e.First; ; a = a.Next() {
			for port := range e.Ports() {
				address(a, port)
			}
			if a == e.Last || !a.IsValid() {
				break
			}
		}
	}
}

// String names the service for people.
func (k kernelService) String() string {
	if k.mark != 0 {
		return fmt.Sprintf("firewall mark %d", k.mark)
	}
	return fmt.Sprintf("%s %s %d", k.addr, k.proto, k.port)
}

// claimServices names services that an earlier virtual server has. When nothing is left the virtual server is left out.
func (d *decoder) claimServices(m *draft, v *VirtualServer, n *node, taken map[kernelService]*VirtualServer) {
	var first kernelService
	var owner *VirtualServer
	all, twice := 0, 0
	m.services(v, func(k kernelService) {
		all++
		switch o := taken[k]; {
		case o == nil:
			taken[k] = v
		case o != v:
			if twice++; twice == 1 {
				first, owner = k, o
			}
		}
	})
	switch {
	case twice == 0:
	case twice == all:
		d.word(n, &n.key, Warning, "defined-twice", "merge the two", "virtual_server %s %s is defined twice: the second one is left out", v.label(), v.Protocol)
		setReason(&v.Blocked)("virtual_server " + owner.label() + " balances it already")
	default:
		d.word(n, &n.key, Error, "defined-twice", "name each service in one virtual server", "%d of its %d services, such as %s, are those of virtual_server %s, which keeps them", twice, all, first, owner.label())
	}
}

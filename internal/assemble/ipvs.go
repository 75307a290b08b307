package assemble

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

// maxGroupServices bounds what one range of a virtual_server_group may expand to.
const maxGroupServices = 65536

// VirtualServers is what IPVS balances, in the order of the file. A blocked virtual server is left out.
func VirtualServers(m *config.Model) []ipvssync.VirtualServer {
	var out []ipvssync.VirtualServer
	taken := map[ipvssync.Key]bool{}
	eachVirtualServer(m, func(id string, vs *config.VirtualServer) {
		v := virtualServer(m, id, vs)
		// A service that two virtual servers name belongs to the first.
		v.Keys = slices.DeleteFunc(v.Keys, func(k ipvssync.Key) bool {
			before := taken[k]
			taken[k] = true
			return before
		})
		out = append(out, v)
	})
	return out
}

// eachVirtualServer visits the virtual servers that run with their identities.
func eachVirtualServer(m *config.Model, visit func(id string, vs *config.VirtualServer)) {
	seen := names{}
	for i := range m.VirtualServers {
		if vs := &m.VirtualServers[i]; vs.Blocked == "" {
			visit(seen.unique(virtualServerName(vs)), vs)
		}
	}
}

// names makes identities unique: the second "x" is "x #2".
type names map[string]int

func (n names) unique(name string) string {
	n[name]++
	if n[name] == 1 {
		return name
	}
	return fmt.Sprintf("%s #%d", name, n[name])
}

// virtualServerName is the identity of a virtual server: what it balances, as status and drain spell it.
func virtualServerName(vs *config.VirtualServer) string {
	switch {
	case vs.Group != "":
		return "group " + vs.Group + " " + strings.ToUpper(vs.Protocol)
	case vs.Fwmark != 0:
		return ipvssync.MarkKey(family(vs.IPv6), vs.Fwmark).String()
	case vs.MorePorts != nil: // "TCP 192.0.2.1:80,443"
		return strings.TrimSuffix(ipvssync.AddrKey(protocol(vs.Protocol), netip.AddrPortFrom(vs.Addr, 0)).String(), "0") + vs.PortText()
	}
	return ipvssync.AddrKey(protocol(vs.Protocol), netip.AddrPortFrom(vs.Addr, vs.Port)).String()
}

// realServerName is the identity of a real server inside its virtual server.
func realServerName(rs *config.RealServer) string {
	return netip.AddrPortFrom(rs.Addr.Unmap(), rs.Port).String()
}

func family(ipv6 bool) ipvssync.Family {
	if ipv6 {
		return ipvssync.IPv6
	}
	return ipvssync.IPv4
}

func protocol(word string) ipvssync.Protocol {
	switch strings.ToLower(word) {
	case "udp":
		return ipvssync.UDP
	case "sctp":
		return ipvssync.SCTP
	}
	return ipvssync.TCP
}

func virtualServer(m *config.Model, id string, vs *config.VirtualServer) ipvssync.VirtualServer {
	v := ipvssync.VirtualServer{
		ID: id, Keys: keys(m, vs), Template: template(m, vs), Omega: vs.Omega,
		Quorum: vs.Quorum, Hysteresis: vs.Hysteresis, PanicThreshold: vs.PanicThreshold,
	}
	if s := vs.Sorry; s != nil {
		server := method(s.Method)
		server.Addr, server.Weight = netip.AddrPortFrom(s.Addr, s.Port), 1
		v.Sorry, v.SorryInhibit = &server, s.Inhibit
	}
	v.Servers = make([]ipvssync.RealServer, 0, len(vs.RealServers))
	eachRealServer(vs, func(name string, rs *config.RealServer) {
		server := method(rs.Method)
		server.Addr = netip.AddrPortFrom(rs.Addr, rs.Port)
		server.Weight = rs.Weight
		server.Upper, server.Lower = rs.UThreshold, rs.LThreshold
		r := ipvssync.RealServer{ID: name, Server: server, InhibitOnFailure: rs.InhibitOnFailure, Alpha: rs.Alpha || vs.Alpha,
			SlowStart: vs.SlowStart, DrainTimeout: vs.DrainTimeout}
		r.Checks = make([]string, 0, len(rs.Checks))
		eachCheck(rs, func(check string, c *config.Check) {
			if _, ok := probe(m, c); !ok {
				return
			}
			r.Checks = append(r.Checks, check)
			r.Alpha = r.Alpha || c.Alpha
		})
		v.Servers = append(v.Servers, r)
	})
	return v
}

// eachRealServer visits the real servers with their identities.
func eachRealServer(vs *config.VirtualServer, visit func(name string, rs *config.RealServer)) {
	seen := names{}
	for i := range vs.RealServers {
		visit(seen.unique(realServerName(&vs.RealServers[i])), &vs.RealServers[i])
	}
}

// eachCheck visits the checks of a real server with their identities: the kind, numbered from the second of a kind on.
func eachCheck(rs *config.RealServer, visit func(name string, c *config.Check)) {
	seen := names{}
	for i := range rs.Checks {
		visit(seen.unique(string(rs.Checks[i].Kind)), &rs.Checks[i])
	}
}

func template(m *config.Model, vs *config.VirtualServer) ipvssync.Service {
	s := ipvssync.Service{Scheduler: vs.Scheduler, Persistence: uint32(vs.PersistenceTimeout / time.Second), Engine: vs.PersistenceEngine}
	if s.Persistence > 0 {
		s.Mask = uint8(vs.PersistenceGranularity)
	}
	if vs.OPS {
		s.Flags |= ipvssync.OnePacket
	}
	for _, f := range vs.Flags {
		s.Flags |= flags[f]
	}
	if g := m.LocalAddressGroup(vs.LocalAddressGroup); g != nil {
		for _, e := range g.Entries {
			s.LocalAddrs = append(s.LocalAddrs, addresses(e.First, e.Last)...)
		}
	}
	return s
}

// flags are the words for the schedulers' flags (ipvsadm(8), --sched-flags).
var flags = map[string]ipvssync.Flags{
	"flag-1": ipvssync.Sched1, "sh-fallback": ipvssync.Sched1, "mh-fallback": ipvssync.Sched1,
	"flag-2": ipvssync.Sched2, "sh-port": ipvssync.Sched2, "mh-port": ipvssync.Sched2,
	"flag-3": ipvssync.Sched3,
}

// keys are the kernel services of a virtual server.
func keys(m *config.Model, vs *config.VirtualServer) []ipvssync.Key {
	switch {
	case vs.Fwmark != 0:
		return []ipvssync.Key{ipvssync.MarkKey(family(vs.IPv6), vs.Fwmark)}
	case vs.Group == "" && vs.MorePorts == nil:
		return protocolKeys(vs, netip.AddrPortFrom(vs.Addr, vs.Port))
	case vs.Group == "":
		var out []ipvssync.Key
		for port := range vs.Ports() {
			out = append(out, protocolKeys(vs, netip.AddrPortFrom(vs.Addr, port))...)
		}
		return out
	}
	g := m.VirtualServerGroup(vs.Group)
	if g == nil {
		return nil
	}
	var out []ipvssync.Key
	seen := map[ipvssync.Key]bool{}
	add := func(k ipvssync.Key) {
		if !seen[k] {
			seen[k] = true
			out = append(out, k)
		}
	}
	for _, e := range g.Entries {
		if e.Fwmark != 0 {
			add(ipvssync.MarkKey(family(e.Six(vs.IPv6)), e.Fwmark))
			continue
		}
		for _, a := range addresses(e.First, e.Last) {
			for port := range e.Ports() {
				for _, k := range protocolKeys(vs, netip.AddrPortFrom(a, port)) {
					add(k)
				}
			}
		}
	}
	return out
}

// addresses are all from first to last, both included, at most maxGroupServices.
func addresses(first, last netip.Addr) []netip.Addr {
	out := []netip.Addr{first}
	for a := first; a != last && a.IsValid() && last.IsValid() && a.Less(last) && len(out) < maxGroupServices; {
		a = a.Next()
		out = append(out, a)
	}
	return out
}

func method(m config.Method) ipvssync.Server {
	switch m.Forward {
	case config.DR:
		return ipvssync.Server{Forward: ipvssync.DR}
	case config.TUN:
		return ipvssync.Server{Forward: ipvssync.TUN, Tunnel: tunnel(m)}
	case config.FNAT:
		return ipvssync.Server{Forward: ipvssync.FULLNAT}
	}
	return ipvssync.Server{Forward: ipvssync.NAT}
}

func tunnel(m config.Method) ipvssync.Tunnel {
	t := ipvssync.Tunnel{}
	switch m.TunType {
	case "gue":
		t.Type, t.Port = ipvssync.GUE, m.TunPort
	case "gre":
		t.Type = ipvssync.GRE
	}
	switch m.TunCsum {
	case "csum":
		t.Flags = ipvssync.TunnelCsum
	case "remcsum":
		t.Flags = ipvssync.TunnelRemCsum
	}
	return t
}

// protocolKeys are the services of one address: one for each protocol.
func protocolKeys(vs *config.VirtualServer, a netip.AddrPort) []ipvssync.Key {
	out := []ipvssync.Key{ipvssync.AddrKey(protocol(vs.Protocol), a)}
	for _, p := range vs.AlsoProtocols {
		out = append(out, ipvssync.AddrKey(protocol(p), a))
	}
	return out
}

package assemble

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

// way is one real server behind one forwarding method: what a private service of check_via forward consists of. It is comparable. All checks
// that take the same way share a service.
type way struct {
	family ipvssync.Family
	server ipvssync.Server
}

// compare orders ways, so that marks do not depend on the order of the file.
func (w way) compare(o way) int {
	return cmp.Or(cmp.Compare(w.family, o.family), w.server.Addr.Compare(o.server.Addr), cmp.Compare(w.server.Forward, o.server.Forward),
		cmp.Compare(w.server.Tunnel.Type, o.server.Tunnel.Type), cmp.Compare(w.server.Tunnel.Port, o.server.Tunnel.Port),
		cmp.Compare(w.server.Tunnel.Flags, o.server.Tunnel.Flags))
}

// String tells the way, and is what its mark is computed from: "inet 10.0.0.21:80 DR".
func (w way) String() string {
	return fmt.Sprintf("%s %s %s", w.family, w.server.Addr, methodText(w.server))
}

// methodText is a forwarding method with the options of its tunnel.
func methodText(s ipvssync.Server) string {
	if s.Forward != ipvssync.TUN || s.Tunnel == (ipvssync.Tunnel{}) {
		return s.Forward.String()
	}
	text := fmt.Sprintf("%s %s", s.Forward, s.Tunnel.Type)
	if s.Tunnel.Port != 0 {
		text += fmt.Sprintf(" port %d", s.Tunnel.Port)
	}
	switch s.Tunnel.Flags {
	case ipvssync.TunnelCsum:
		text += " csum"
	case ipvssync.TunnelRemCsum:
		text += " remcsum"
	}
	return text
}

// forwardWay is the way of a check through the forwarding path; false when there is no address or port to connect to.
func forwardWay(m *config.Model, vs *config.VirtualServer, rs *config.RealServer, c *config.Check) (way, bool) {
	target, port := vs.ForwardTarget(m, c)
	if !target.IsValid() || port == 0 {
		return way{}, false
	}
	server := method(rs.Method)
	server.Weight = 1
	server.Addr = netip.AddrPortFrom(rs.Addr.Unmap(), rs.Port)
	if rs.Port == 0 || server.Forward == ipvssync.DR || server.Forward == ipvssync.TUN {
		server.Addr = netip.AddrPortFrom(rs.Addr.Unmap(), port)
	}
	return way{ipvssync.FamilyOf(target), server}, true
}

// forwardWays gives each way a mark of the configured range. A way has the same mark whatever else the file says, save for the rare case that
// two want the same one: then the later in order takes the next that is free. Marks of the file's own services are left out. Ways beyond the
// size of the range have none.
func forwardWays(m *config.Model) map[way]uint32 {
	marks := m.Global.ForwardMarks
	if marks.First == 0 {
		marks = config.DefaultForwardMarks
	}
	var ways []way
	out := map[way]uint32{}
	taken := map[uint32]bool{}
	eachVirtualServer(m, func(_ string, vs *config.VirtualServer) {
		for _, k := range keys(m, vs) {
			if k.Mark != 0 {
				taken[k.Mark] = true
			}
		}
		for i := range vs.RealServers {
			rs := &vs.RealServers[i]
			for j := range rs.Checks {
				if c := &rs.Checks[j]; c.Via != "" {
					w, ok := forwardWay(m, vs, rs, c)
					if _, seen := out[w]; ok && !seen {
						out[w] = 0
						ways = append(ways, w)
					}
				}
			}
		}
	})
	slices.SortFunc(ways, way.compare)
	size := uint64(marks.Size())
	for _, w := range ways {
		h := fnv.New64a()
		_, _ = h.Write([]byte(w.String()))
		at := h.Sum64() % size
		for range min(size, uint64(len(taken))+1) {
			if mark := marks.First + uint32(at); !taken[mark] {
				taken[mark], out[w] = true, mark
				break
			}
			at = (at + 1) % size
		}
		if out[w] == 0 {
			delete(out, w)
		}
	}
	return out
}

// ForwardServices are the private services of the checks through the forwarding path, ordered by key: one of a firewall mark for each way,
// with exactly one server.
func ForwardServices(m *config.Model) []ipvssync.Service {
	ways := forwardWays(m)
	var out []ipvssync.Service
	for w, mark := range ways {
		out = append(out, ipvssync.Service{Key: ipvssync.MarkKey(w.family, mark), Scheduler: "rr", Servers: []ipvssync.Server{w.server}})
	}
	slices.SortFunc(out, func(a, b ipvssync.Service) int { return a.Key.Compare(b.Key) })
	return out
}

// ForwardSources are the addresses from which checks through NAT come because the file says so (bindto), each once, ordered.
func ForwardSources(m *config.Model) []netip.Addr {
	var out []netip.Addr
	eachVirtualServer(m, func(_ string, vs *config.VirtualServer) {
		for i := range vs.RealServers {
			rs := &vs.RealServers[i]
			for j := range rs.Checks {
				if c := &rs.Checks[j]; c.Via != "" && rs.Method.Forward == config.NAT && c.BindTo.IsValid() {
					out = append(out, c.BindTo.Unmap())
				}
			}
		}
	})
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}

// forwarded turns a probe of the real server into one of the virtual address by way of it. Without a mark the probe has no target, and fails.
func forwarded(m *config.Model, vs *config.VirtualServer, c *config.Check, p checkers.Probe, w way, mark uint32) checkers.Probe {
	addr, port := vs.ForwardTarget(m, c)
	p.Target, p.Interface, p.Mark = netip.AddrPortFrom(addr, port), "", mark
	if mark == 0 {
		p.Target = netip.AddrPort{}
	}
	p.Via = checkers.Via{Server: w.server.Addr, Method: methodText(w.server)}
	return p
}

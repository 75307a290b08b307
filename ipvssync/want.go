package ipvssync

import (
	"net/netip"
	"slices"
	"time"
)

// hashBlind says that a scheduler sends clients to servers of weight 0 and so drops them: dh always, sh and mh without their
// fallback flag (measured on kernel 6.1). There a server that must get no clients has to leave the table.
func hashBlind(s Service) bool {
	switch s.Scheduler {
	case "dh":
		return true
	case "sh", "mh":
		return s.Flags&Sched1 == 0
	}
	return false
}

// Want is what the kernel should hold for the pool: one service for each key, in their order, nothing while suspended. The
// caller may keep and change the answer.
func (p *Pool) Want() []Service {
	if p.suspended {
		return nil
	}
	services := make([]Service, 0, len(p.spec.Keys))
	for _, k := range p.spec.Keys {
		s := p.spec.Template.Clone()
		s.Key = k
		if k.Mark == 0 && k.Protocol != UDP {
			s.Flags &^= OnePacket // of several protocols it concerns UDP alone
		}
		s.FullNAT = slices.ContainsFunc(p.spec.Servers, func(rs RealServer) bool { return rs.Forward == FULLNAT })
		s.Servers = p.wantServers(k)
		services = append(services, s)
	}
	return services
}

func (p *Pool) wantServers(k Key) []Server {
	servers := make([]Server, 0, len(p.servers)+1)
	add := func(s Server) {
		s.Addr = portFor(k, s)
		if !slices.ContainsFunc(servers, func(o Server) bool { return o.Addr == s.Addr }) {
			servers = append(servers, s)
		}
	}
	if p.sorry {
		add(p.sorryServer())
	}
	for _, m := range p.servers {
		if weight, present := p.wantMember(m); present {
			s := m.spec.Server
			s.Weight = weight
			add(s)
		}
	}
	if !p.sorry && p.spec.Sorry != nil && p.spec.SorryInhibit {
		s := p.sorryServer()
		s.Weight = 0
		add(s)
	}
	return servers
}

func (p *Pool) sorryServer() Server {
	s := *p.spec.Sorry
	if s.Weight <= 0 {
		s.Weight = 1
	}
	return s
}

// wantMember is the weight of a server in the table, and whether it is there at all.
func (p *Pool) wantMember(m *member) (int, bool) {
	up := m.up || p.panic
	switch {
	case m.drained:
		return 0, false
	case m.draining() && up: // its connections go on, also while the sorry server serves
		return 0, !hashBlind(p.spec.Template) || p.sorry && m.spec.InhibitOnFailure && !m.leaving
	case p.sorry || !up:
		return 0, m.spec.InhibitOnFailure && !m.leaving
	case !m.up: // panic
		return max(m.weight, 1), true
	}
	return m.weight, true
}

// portFor is the server's address inside the service: port 0 stands for the service's port, and DR and TUN cannot change it.
func portFor(k Key, s Server) netip.AddrPort {
	port := s.Addr.Port()
	if port == 0 || s.Forward == DR || s.Forward == TUN {
		port = k.Port
	}
	return netip.AddrPortFrom(s.Addr.Addr().Unmap(), port)
}

// Observe tells what the kernel holds for the pool's services, by key. The connections of each real server are summed over them;
// none left ends a drain.
func (p *Pool) Observe(now time.Time, held map[Key][]ServerState) []Change {
	for _, m := range p.servers {
		n := 0
		for k, servers := range held {
			a := portFor(k, m.spec.Server)
			for _, s := range servers {
				if s.Addr == a {
					n += int(s.Active) + int(s.Inactive)
				}
			}
		}
		m.conns = n
	}
	return p.evaluate(now)
}

// Draining says whether a server is being drained and has connections left, as far as is known.
func (p *Pool) Draining() bool {
	for _, m := range p.servers {
		if m.draining() && !m.drained {
			return true
		}
	}
	return false
}

// Status is the pool as people see it.
func (p *Pool) Status() Status {
	st := Status{ID: p.spec.ID, Keys: slices.Clone(p.spec.Keys), Quorum: p.quorum, Sum: p.sum, Sorry: p.sorry, Panic: p.panic, Suspended: p.suspended}
	st.Gain, st.Lose = p.thresholds()
	for _, m := range p.servers {
		s := ServerStatus{ID: m.spec.ID, Addr: m.spec.Addr, Up: m.up, Configured: m.spec.Weight,
			Draining: m.draining(), Drained: m.drained, Leaving: m.leaving, Connections: m.conns, Override: m.manual}
		s.Weight, s.Present = p.wantMember(m)
		s.Present = s.Present && !p.suspended
		if m.drain != nil {
			s.Drain = *m.drain
		}
		for i, c := range m.spec.Checks {
			if !m.health[i].Up {
				s.Failing = append(s.Failing, c)
			}
		}
		st.Servers = append(st.Servers, s)
	}
	return st
}

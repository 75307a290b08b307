package pools

import (
	"context"
	"time"

	"github.com/holdfast-ha/holdfast/ipvssync"
)

// countWithin bounds one reading of the kernel.
const countWithin = 5 * time.Second

// CountConnections asks the kernel how many connections draining servers still have. It does not wait for the answer.
func (s *Set) CountConnections() {
	for id, p := range s.moving {
		if !p.Draining() {
			continue
		}
		go func() {
			ctx, cancel := context.WithTimeout(s.ctx, countWithin)
			defer cancel()
			held, err := s.o.Kernel.Servers(ctx, id)
			if err == nil {
				s.o.Post(func() { s.onConnections(id, held) })
			}
		}()
	}
}

func (s *Set) onConnections(id string, held map[ipvssync.Key][]ipvssync.ServerState) {
	p := s.pools[id]
	if p == nil {
		return
	}
	for _, server := range p.Status().Servers {
		if !server.Draining || server.Drained {
			continue
		}
		// A server that should be in the table and is missing from one listing says nothing about its connections: listings are no
		// snapshots, and the read-back puts a missing server back.
		if n, seen := connections(server, held); seen || !server.Present {
			s.changed(p, p.SetConnections(time.Now(), server.ID, n))
		}
	}
}

// connections are those of one server in all services of its pool, and whether it is there at all.
func connections(server ipvssync.ServerStatus, held map[ipvssync.Key][]ipvssync.ServerState) (n int, seen bool) {
	port := server.Addr.Port()
	for k, servers := range held {
		for _, have := range servers {
			if have.Addr.Addr() == server.Addr.Addr().Unmap() && (have.Addr.Port() == port || port == 0 || have.Addr.Port() == k.Port) {
				n, seen = n+int(have.Active+have.Inactive), true
			}
		}
	}
	return n, seen
}

package ipvssync

import (
	"fmt"
	"net/netip"
	"slices"
)

// OpKind is what an operation does.
type OpKind uint8

// The operations, in the order in which Diff sorts them for one service.
const (
	AddService OpKind = iota
	UpdateService
	AddServer
	UpdateServer
	DeleteServer
	DeleteService
)

var opNames = [...]string{"add service", "update service", "add server", "update server", "delete server", "delete service"}

// String names the kind for people.
func (k OpKind) String() string { return opNames[k] }

// Op is one write to the kernel.
type Op struct {
	// Kind says what to do.
	Kind OpKind
	// Service is the service with its wanted settings, without servers; for DeleteService and DeleteServer only its key matters.
	Service Service
	// Server is the destination, for the operations on servers.
	Server Server
}

// String tells the operation: "add server 10.0.0.1:80 to TCP 192.0.2.1:80".
func (o Op) String() string {
	switch o.Kind {
	case AddServer, UpdateServer:
		return fmt.Sprintf("%s %s (%s, weight %d) of %s", o.Kind, o.Server.Addr, o.Server.Forward, o.Server.Weight, o.Service.Key)
	case DeleteServer:
		return fmt.Sprintf("%s %s of %s", o.Kind, o.Server.Addr, o.Service.Key)
	}
	return fmt.Sprintf("%s %s", o.Kind, o.Service.Key)
}

// Diff is the smallest list of operations that turns have into want. Both have each key once and each server address once per
// service. Everything is changed in place where the kernel can. Order: all that adds comes before all that takes away, over all
// services; inside a service servers that can serve are added before weights rise, and only then weights fall and servers go.
// So no service that has serving servers in have and in want is without one at any point between. Services only in have are
// deleted: leave out of have what is not ours.
func Diff(want, have []Service) []Op {
	old := make(map[Key]*Service, len(have))
	for i := range have {
		old[have[i].Key] = &have[i]
	}
	var give, take []Op
	wanted := make(map[Key]bool, len(want))
	for i := range want {
		w := &want[i]
		wanted[w.Key] = true
		h := old[w.Key]
		bare := w.bare()
		var present []Server
		switch {
		case h == nil:
			give = append(give, Op{Kind: AddService, Service: bare})
		case !w.Same(*h):
			give = append(give, Op{Kind: UpdateService, Service: bare})
			present = h.Servers
		default:
			present = h.Servers
		}
		g, t := diffServers(bare, w.Servers, present)
		give, take = append(give, g...), append(take, t...)
	}
	for i := range have {
		if !wanted[have[i].Key] {
			take = append(take, Op{Kind: DeleteService, Service: have[i].bare()})
		}
	}
	return append(give, take...)
}

// bare is the service without servers.
func (s Service) bare() Service {
	s.Servers = nil
	return s
}

func diffServers(s Service, want, have []Server) (give, take []Op) {
	var quiet, raise, lower []Op
	if len(want) == 0 && len(have) == 0 {
		return nil, nil
	}
	old := index(have)
	for _, w := range want {
		h, ok := old(w.Addr)
		switch op := (Op{Service: s, Server: w}); {
		case !ok && w.Weight > 0:
			op.Kind = AddServer
			give = append(give, op)
		case !ok:
			op.Kind = AddServer
			quiet = append(quiet, op)
		case w.Same(h):
		case w.Weight >= h.Weight:
			op.Kind = UpdateServer
			raise = append(raise, op)
		default:
			op.Kind = UpdateServer
			lower = append(lower, op)
		}
	}
	give = slices.Concat(give, raise, quiet)
	take = lower
	now := index(want)
	for _, h := range have {
		if _, ok := now(h.Addr); !ok {
			take = append(take, Op{Kind: DeleteServer, Service: s, Server: h})
		}
	}
	return give, take
}

// index finds servers by address; small lists are searched, because a map for each of thousands of services costs more.
func index(list []Server) func(netip.AddrPort) (Server, bool) {
	if len(list) <= 16 {
		return Service{Servers: list}.Server
	}
	m := make(map[netip.AddrPort]Server, len(list))
	for _, s := range list {
		m[s.Addr] = s
	}
	return func(a netip.AddrPort) (Server, bool) { s, ok := m[a]; return s, ok }
}

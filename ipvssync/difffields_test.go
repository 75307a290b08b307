package ipvssync_test

import (
	"context"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-ha/holdfast/ipvssync"
)

// plainly writes a table field by field, without the package's own comparisons. What the kernel cannot tell apart is written alike:
// FULLNAT and NAT, no mask and a full one, what belongs to a tunnel on a server without one.
func plainly(t []ipvssync.Service) string {
	var lines []string
	for _, s := range t {
		mask := int(s.Mask)
		if mask == 0 || s.Persistence == 0 {
			mask = s.Family.Bits()
		}
		lines = append(lines, fmt.Sprintf("%s|%s|%d|%d|%d|%s", s.Key, s.Scheduler, s.Flags, s.Persistence, mask, s.Engine))
		for _, d := range s.Servers {
			tunnel := ""
			switch {
			case d.Forward != ipvssync.TUN:
			case d.Tunnel.Type == ipvssync.GUE:
				tunnel = fmt.Sprintf("gue %d %d", d.Tunnel.Port, d.Tunnel.Flags)
			case d.Tunnel.Type == ipvssync.GRE:
				tunnel = fmt.Sprintf("gre %d", d.Tunnel.Flags)
			}
			forward := strings.Replace(d.Forward.String(), "FULLNAT", "NAT", 1)
			lines = append(lines, fmt.Sprintf("%s > %s|%d|%s|%s|%d|%d", s.Key, d.Addr, d.Weight, forward, tunnel, d.Upper, d.Lower))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// serviceFields and serverFields change one field each, to a value that the kernel tells apart from the one before. A field that is compared
// nowhere has nil and says why.
var serviceFields = map[string]func(*ipvssync.Service){
	"Key":         nil, // another key is another service
	"Scheduler":   func(s *ipvssync.Service) { s.Scheduler = "wlc" },
	"Flags":       func(s *ipvssync.Service) { s.Flags ^= ipvssync.Sched2 },
	"Persistence": func(s *ipvssync.Service) { s.Persistence++ },
	"Mask":        func(s *ipvssync.Service) { s.Mask = 16 },
	"Engine":      func(s *ipvssync.Service) { s.Engine = "sip" },
	"LocalAddrs":  nil, // nftables has them, IPVS never
	"FullNAT":     nil, // likewise
	"Servers":     nil, // they are below
}

var serverFields = map[string]func(*ipvssync.Server){
	"Addr":    nil, // another address is another server
	"Weight":  func(d *ipvssync.Server) { d.Weight++ },
	"Forward": func(d *ipvssync.Server) { d.Forward = ipvssync.DR },
	"Tunnel":  nil, // its fields are below
	"Upper":   func(d *ipvssync.Server) { d.Upper++ },
	"Lower":   func(d *ipvssync.Server) { d.Lower++ },
}

var tunnelFields = map[string]func(*ipvssync.Tunnel){
	"Type":  func(u *ipvssync.Tunnel) { u.Type, u.Port = ipvssync.GRE, 0 },
	"Port":  func(u *ipvssync.Tunnel) { u.Port++ },
	"Flags": func(u *ipvssync.Tunnel) { u.Flags ^= ipvssync.TunnelCsum },
}

// TestDiffSeesEveryField changes one field at a time, both ways: one operation, and the table is then as wanted in every field.
func TestDiffSeesEveryField(t *testing.T) {
	base := func(gre bool) ipvssync.Service {
		tunnel := ipvssync.Tunnel{Type: ipvssync.GUE, Port: 6080, Flags: ipvssync.TunnelRemCsum}
		if gre {
			tunnel = ipvssync.Tunnel{Type: ipvssync.GRE}
		}
		return ipvssync.Service{Key: ipvssync.AddrKey(ipvssync.UDP, netip.MustParseAddrPort("192.0.2.1:5060")), Scheduler: "sh", Persistence: 60, Mask: 24,
			Servers: []ipvssync.Server{
				{Addr: netip.MustParseAddrPort("10.0.0.1:5060"), Weight: 2, Upper: 9, Lower: 3},
				{Addr: netip.MustParseAddrPort("10.0.0.2:5060"), Weight: 2, Forward: ipvssync.TUN, Tunnel: tunnel, Upper: 9, Lower: 3}}}
	}
	one := func(what string, gre bool, change func(*ipvssync.Service)) {
		t.Helper()
		a, b := base(gre), base(gre)
		change(&b)
		for _, way := range [][2]ipvssync.Service{{a, b}, {b, a}} {
			from, to := way[:1], way[1:]
			k := load(t, from)
			ops := ipvssync.Diff(to, k.Table())
			if len(ops) != 1 {
				t.Errorf("%s: %d operations: %v", what, len(ops), ops)
			}
			for _, op := range ops {
				if err := k.Apply(context.Background(), op); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
			if got, want := plainly(k.Table()), plainly(to); got != want {
				t.Errorf("%s: the table is\n%s\nnot\n%s", what, got, want)
			}
		}
	}
	complete := func(of any, names []string) {
		t.Helper()
		typ := reflect.TypeOf(of)
		for i := range typ.NumField() {
			if !slices.Contains(names, typ.Field(i).Name) {
				t.Errorf("%s.%s is not in the test: is it compared?", typ, typ.Field(i).Name)
			}
		}
	}
	complete(ipvssync.Service{}, names(serviceFields))
	complete(ipvssync.Server{}, names(serverFields))
	complete(ipvssync.Tunnel{}, names(tunnelFields))
	for name, change := range serviceFields {
		if change != nil {
			one(name, false, change)
		}
	}
	for name, change := range serverFields {
		if change != nil {
			one(name, false, func(s *ipvssync.Service) { change(&s.Servers[0]) })
			one(name+" of a tunnel", false, func(s *ipvssync.Service) { change(&s.Servers[1]) })
		}
	}
	for name, change := range tunnelFields {
		one("tunnel "+name, false, func(s *ipvssync.Service) { change(&s.Servers[1].Tunnel) })
	}
	one("GRE flags", true, func(s *ipvssync.Service) { s.Servers[1].Tunnel.Flags = ipvssync.TunnelCsum })
	one("tunnel to DR", true, func(s *ipvssync.Service) { s.Servers[1].Forward = ipvssync.DR })
}

func names[V any](m map[string]V) (list []string) {
	for name := range m {
		list = append(list, name)
	}
	return list
}

// TestDiffIsBlindOnPurpose: what the kernel cannot tell apart is no difference.
func TestDiffIsBlindOnPurpose(t *testing.T) {
	key := ipvssync.AddrKey(ipvssync.TCP, netip.MustParseAddrPort("192.0.2.1:80"))
	addr := netip.MustParseAddrPort("10.0.0.1:80")
	with := func(d ipvssync.Server) ipvssync.Service {
		d.Addr, d.Weight = addr, 1
		return ipvssync.Service{Key: key, Scheduler: "rr", Servers: []ipvssync.Server{d}}
	}
	service := func(f func(*ipvssync.Service)) ipvssync.Service {
		s := ipvssync.Service{Key: key, Scheduler: "rr"}
		f(&s)
		return s
	}
	for name, c := range map[string][2]ipvssync.Service{
		"FULLNAT is NAT":                       {with(ipvssync.Server{Forward: ipvssync.FULLNAT}), with(ipvssync.Server{Forward: ipvssync.NAT})},
		"a tunnel without TUN":                 {with(ipvssync.Server{Forward: ipvssync.DR, Tunnel: ipvssync.Tunnel{Type: ipvssync.GUE, Port: 1}}), with(ipvssync.Server{Forward: ipvssync.DR})},
		"a port of GRE":                        {with(ipvssync.Server{Forward: ipvssync.TUN, Tunnel: ipvssync.Tunnel{Type: ipvssync.GRE, Port: 1}}), with(ipvssync.Server{Forward: ipvssync.TUN, Tunnel: ipvssync.Tunnel{Type: ipvssync.GRE}})},
		"flags of IPIP":                        {with(ipvssync.Server{Forward: ipvssync.TUN, Tunnel: ipvssync.Tunnel{Flags: 1}}), with(ipvssync.Server{Forward: ipvssync.TUN})},
		"a mask without persistence":           {service(func(s *ipvssync.Service) { s.Mask = 24 }), service(func(*ipvssync.Service) {})},
		"a full mask":                          {service(func(s *ipvssync.Service) { s.Persistence, s.Mask = 9, 32 }), service(func(s *ipvssync.Service) { s.Persistence = 9 })},
		"the kernel's own flag HASHED":         {service(func(s *ipvssync.Service) { s.Flags = 2 }), service(func(*ipvssync.Service) {})},
		"local addresses, which nftables has":  {service(func(s *ipvssync.Service) { s.LocalAddrs = []netip.Addr{addr.Addr()} }), service(func(*ipvssync.Service) {})},
		"that a service needs a FULLNAT table": {service(func(s *ipvssync.Service) { s.FullNAT = true }), service(func(*ipvssync.Service) {})},
	} {
		for _, way := range [][2]ipvssync.Service{c, {c[1], c[0]}} {
			if ops := ipvssync.Diff(way[:1], way[1:]); len(ops) != 0 {
				t.Errorf("%s: %v", name, ops)
			}
		}
	}
}

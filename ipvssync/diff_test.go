package ipvssync_test

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/holdfast-ha/holdfast/ipvssync"
	"github.com/holdfast-ha/holdfast/ipvssync/ipvstest"
)

// table makes a random table of few keys and servers, so that two of them overlap in every way.
func table(r *rand.Rand) []ipvssync.Service {
	var t []ipvssync.Service
	keys := []ipvssync.Key{
		ipvssync.AddrKey(ipvssync.TCP, netip.MustParseAddrPort("192.0.2.1:80")),
		ipvssync.AddrKey(ipvssync.UDP, netip.MustParseAddrPort("192.0.2.1:80")),
		ipvssync.AddrKey(ipvssync.TCP, netip.MustParseAddrPort("[2001:db8::1]:80")),
		ipvssync.MarkKey(ipvssync.IPv4, 7), ipvssync.MarkKey(ipvssync.IPv6, 7),
	}
	for _, k := range keys {
		if r.IntN(4) == 0 {
			continue
		}
		s := ipvssync.Service{Key: k, Scheduler: []string{"rr", "wlc", "sh"}[r.IntN(3)], Flags: ipvssync.Flags(8 * r.IntN(3))}
		if r.IntN(2) == 0 {
			s.Persistence, s.Mask = 300, uint8(24*r.IntN(2))
			if k.Protocol == ipvssync.UDP && r.IntN(2) == 0 {
				s.Engine = "sip"
			}
		}
		servers := 5
		if r.IntN(5) == 0 {
			servers = 30
		}
		for i := range servers {
			if r.IntN(3) == 0 {
				continue
			}
			addr := netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)})
			forward := []ipvssync.Forward{ipvssync.NAT, ipvssync.DR, ipvssync.TUN, ipvssync.FULLNAT}[r.IntN(4)]
			if k.Family == ipvssync.IPv6 {
				addr = netip.AddrFrom16([16]byte{0xfd, 15: byte(i + 1)})
			}
			d := ipvssync.Server{Addr: netip.AddrPortFrom(addr, 80), Weight: r.IntN(4), Forward: forward, Upper: uint32(2 * r.IntN(2))}
			d.Lower = uint32(r.IntN(int(d.Upper) + 1))
			if forward == ipvssync.TUN {
				d.Tunnel = []ipvssync.Tunnel{{}, {Type: ipvssync.GUE, Port: 6080}, {Type: ipvssync.GUE, Port: 6081, Flags: ipvssync.TunnelCsum},
					{Type: ipvssync.GRE}, {Type: ipvssync.GRE, Flags: ipvssync.TunnelCsum}}[r.IntN(5)]
			}
			s.Servers = append(s.Servers, d)
		}
		r.Shuffle(len(s.Servers), func(i, j int) { s.Servers[i], s.Servers[j] = s.Servers[j], s.Servers[i] })
		t = append(t, s)
	}
	r.Shuffle(len(t), func(i, j int) { t[i], t[j] = t[j], t[i] })
	return t
}

func load(t *testing.T, services []ipvssync.Service) *ipvstest.Kernel {
	t.Helper()
	k := ipvstest.New()
	for _, op := range ipvssync.Diff(services, nil) {
		if err := k.Apply(context.Background(), op); err != nil {
			t.Fatalf("%s: %v", op, err)
		}
	}
	return k
}

func serving(s []ipvssync.Service, k ipvssync.Key) (n int) {
	for _, svc := range s {
		if svc.Key == k {
			for _, d := range svc.Servers {
				if d.Weight > 0 {
					n++
				}
			}
		}
	}
	return n
}

func minimal(want, have []ipvssync.Service) (ops int) {
	old := map[ipvssync.Key]ipvssync.Service{}
	for _, h := range have {
		old[h.Key] = h
	}
	for _, w := range want {
		h, ok := old[w.Key]
		delete(old, w.Key)
		if !ok || !w.Same(h) {
			ops++
		}
		seen := map[netip.AddrPort]bool{}
		for _, d := range w.Servers {
			seen[d.Addr] = true
			if o, ok := h.Server(d.Addr); !ok || !d.Same(o) {
				ops++
			}
		}
		for _, d := range h.Servers {
			if !seen[d.Addr] {
				ops++
			}
		}
	}
	return ops + len(old)
}

func TestDiffProperties(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		have, want := table(r), table(r)
		k := load(t, have)
		before := k.Table()
		ops := ipvssync.Diff(want, before)
		if n := minimal(want, before); len(ops) != n {
			t.Fatalf("seed %d: %d operations, %d would do:\n%v", seed, len(ops), n, ops)
		}
		for i, op := range ops {
			if err := k.Apply(context.Background(), op); err != nil {
				t.Fatalf("seed %d: operation %d %s: %v", seed, i, op, err)
			}
			now := k.Table()
			for _, s := range want {
				if serving(want, s.Key) > 0 && serving(before, s.Key) > 0 && serving(now, s.Key) == 0 {
					t.Fatalf("seed %d: after %s the service %s is empty", seed, op, s.Key)
				}
			}
		}
		if rest := ipvssync.Diff(want, k.Table()); len(rest) != 0 {
			t.Fatalf("seed %d: the operations leave %v undone", seed, rest)
		}
		if got, wanted := plainly(k.Table()), plainly(want); got != wanted {
			t.Fatalf("seed %d: the table is\n%s\nnot\n%s", seed, got, wanted)
		}
		if rest := ipvssync.Diff(k.Table(), want); len(rest) != 0 {
			t.Fatalf("seed %d: the table has more than wanted: %v", seed, rest)
		}
		for _, x := range [][]ipvssync.Service{have, want} {
			if ops := ipvssync.Diff(x, x); len(ops) != 0 {
				t.Fatalf("seed %d: Diff(x, x) = %v", seed, ops)
			}
		}
	}
}

func TestDiffOrder(t *testing.T) {
	key := ipvssync.AddrKey(ipvssync.TCP, netip.MustParseAddrPort("192.0.2.1:80"))
	gone := ipvssync.AddrKey(ipvssync.TCP, netip.MustParseAddrPort("192.0.2.9:80"))
	srv := func(n byte, w int) ipvssync.Server {
		return ipvssync.Server{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, n}), 80), Weight: w}
	}
	have := []ipvssync.Service{{Key: gone, Scheduler: "rr"}, {Key: key, Scheduler: "rr", Servers: []ipvssync.Server{srv(1, 5), srv(2, 1), srv(3, 0)}}}
	want := []ipvssync.Service{{Key: key, Scheduler: "wlc", Servers: []ipvssync.Server{srv(1, 0), srv(3, 2), srv(4, 0), srv(5, 1)}}}
	var got []string
	for _, op := range ipvssync.Diff(want, have) {
		got = append(got, op.String())
	}
	expect := []string{
		"update service TCP 192.0.2.1:80",
		"add server 10.0.0.5:80 (NAT, weight 1) of TCP 192.0.2.1:80",
		"update server 10.0.0.3:80 (NAT, weight 2) of TCP 192.0.2.1:80",
		"add server 10.0.0.4:80 (NAT, weight 0) of TCP 192.0.2.1:80",
		"update server 10.0.0.1:80 (NAT, weight 0) of TCP 192.0.2.1:80",
		"delete server 10.0.0.2:80 of TCP 192.0.2.1:80",
		"delete service TCP 192.0.2.9:80",
	}
	if !slices.Equal(got, expect) {
		t.Errorf("order is\n%q\nnot\n%q", got, expect)
	}
}

func TestPrint(t *testing.T) {
	s := ipvssync.Service{Key: ipvssync.AddrKey(ipvssync.TCP, netip.MustParseAddrPort("192.0.2.1:80")), Scheduler: "sh",
		Flags: ipvssync.Sched1 | ipvssync.Sched2, Persistence: 60, Mask: 24, Servers: []ipvssync.Server{
			{Addr: netip.MustParseAddrPort("10.0.0.1:80"), Weight: 1, Forward: ipvssync.DR},
			{Addr: netip.MustParseAddrPort("10.0.0.2:8000"), Weight: 2, Upper: 9, Lower: 3},
			{Addr: netip.MustParseAddrPort("10.0.0.3:80"), Weight: 2, Forward: ipvssync.TUN, Tunnel: ipvssync.Tunnel{Type: ipvssync.GUE, Port: 6080, Flags: ipvssync.TunnelCsum}}}}
	v6 := ipvssync.Service{Key: ipvssync.MarkKey(ipvssync.IPv6, 3), Scheduler: "rr"}
	want := `-A -t 192.0.2.1:80 -s sh -p 60 -M 255.255.255.0 -b sh-fallback,sh-port
-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 1
-a -t 192.0.2.1:80 -r 10.0.0.2:8000 -m -w 2
-a -t 192.0.2.1:80 -r 10.0.0.3:80 -i -w 2 --tun-type gue --tun-port 6080 --tun-csum
-A -f 3 -6 -s rr
`
	if got := load(t, []ipvssync.Service{v6, s}).String(); got != want {
		t.Errorf("printed\n%s\nnot\n%s", got, want)
	}
}

func TestValidate(t *testing.T) {
	vip := ipvssync.AddrKey(ipvssync.TCP, netip.MustParseAddrPort("192.0.2.1:80"))
	all := ipvssync.AddrKey(ipvssync.TCP, netip.MustParseAddrPort("192.0.2.1:0"))
	service := func(s ipvssync.Service) ipvssync.Op { return ipvssync.Op{Kind: ipvssync.AddService, Service: s} }
	server := func(addr string, w int, f ipvssync.Forward) ipvssync.Op {
		return ipvssync.Op{Kind: ipvssync.AddServer, Service: ipvssync.Service{Key: vip},
			Server: ipvssync.Server{Addr: netip.MustParseAddrPort(addr), Weight: w, Forward: f}}
	}
	for i, c := range []struct {
		op ipvssync.Op
		ok bool
	}{
		{service(ipvssync.Service{Key: vip, Scheduler: "rr"}), true},
		{service(ipvssync.Service{Key: all, Scheduler: "rr", Persistence: 1}), true},
		{service(ipvssync.Service{Key: all, Scheduler: "rr"}), false},
		{service(ipvssync.Service{Key: vip, Scheduler: "magic"}), false},
		{service(ipvssync.Service{Key: vip, Scheduler: "rr", Flags: ipvssync.OnePacket}), false},
		{service(ipvssync.Service{Key: vip, Scheduler: "rr", Engine: "sip"}), false},
		{service(ipvssync.Service{Key: ipvssync.Key{Family: ipvssync.IPv4, Protocol: 47, Addr: vip.Addr}, Scheduler: "rr"}), false},
		{service(ipvssync.Service{Key: ipvssync.Key{Mark: 3}, Scheduler: "rr"}), false},
		{server("10.0.0.1:80", 1, ipvssync.NAT), true},
		{server("10.0.0.1:80", ipvssync.MaxWeight, ipvssync.NAT), true},
		{server("10.0.0.1:80", ipvssync.MaxWeight+1, ipvssync.NAT), false},
		{server("[fd00::7]:80", 1, ipvssync.NAT), false},
		{server("[fd00::7]:80", 1, ipvssync.TUN), true},
		{server("224.0.0.1:80", 1, ipvssync.NAT), false},
		{server("10.0.0.1:80", 1, ipvssync.Bypass), false},
	} {
		if err := c.op.Validate(); (err == nil) != c.ok {
			t.Errorf("case %d %s: %v", i, c.op, err)
		}
	}
}

package reconcile

import (
	"context"
	"fmt"
	"net/netip"
	"testing"

	"github.com/holdfast-ha/holdfast/ipvssync"
	"github.com/holdfast-ha/holdfast/ipvssync/ipvstest"
)

func large(services, servers int) Desired {
	d := Desired{Pools: map[string][]ipvssync.Service{}}
	for i := range services {
		s := ipvssync.Service{Key: ipvssync.AddrKey(ipvssync.TCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}), 80)), Scheduler: "wlc"}
		for j := range servers {
			s.Servers = append(s.Servers, srv(j+1, 1))
		}
		d.Pools[fmt.Sprint(i)] = []ipvssync.Service{s}
	}
	return d
}

// BenchmarkVerdict is one verdict to the kernel with 40,000 servers configured; BenchmarkNoReload a reload that changes nothing.
func BenchmarkVerdict(b *testing.B) {
	r, d, ctx := started(b)
	s := d.Pools["2500"][0]
	for i := 0; b.Loop(); i++ {
		w := s.Clone()
		w.Servers[0].Weight = i % 2
		r.Update("2500", []ipvssync.Service{w})
		if err := r.Flush(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNoReload(b *testing.B) {
	r, d, ctx := started(b)
	for b.Loop() {
		if res, err := r.Set(ctx, d); err != nil || res.Writes != 0 {
			b.Fatal(res, err)
		}
	}
}

func started(b *testing.B) (*Reconciler, Desired, context.Context) {
	ctx, cancel := context.WithCancel(context.Background())
	b.Cleanup(cancel)
	r := New(ipvstest.New(), Options{Dir: b.TempDir()})
	go func() { _ = r.Run(ctx) }()
	d := large(5000, 8)
	if _, err := r.Set(ctx, d); err != nil {
		b.Fatal(err)
	}
	return r, d, ctx
}

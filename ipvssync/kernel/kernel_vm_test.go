//go:build vm

package kernel

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/ipvssync"
	"github.com/holdfast-ha/holdfast/ipvssync/ipvstest"
)

// TestKernel runs in the virtual machine, in one process and in this order: what comes first needs a kernel without the module.
func TestKernel(t *testing.T) {
	run(t, "ip", "link", "set", "lo", "up")
	run(t, "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1")
	for _, l := range []string{"v0", "v1"} {
		run(t, "ip", "link", "set", l, "up")
	}
	k := Open()
	defer k.Close()
	for _, c := range []struct {
		name string
		f    func(*testing.T, *Kernel)
	}{
		{"no module", noModule}, {"every kind of service", everyKind}, {"errors", errorNames}, {"random differences", randomDiffs},
		{"timeouts", timeouts}, {"sync daemons", syncDaemons}, {"mixed families", mixedFamilies}, {"counters", counters},
		{"closed under a call", closedUnder}, {"module loaded anew", loadedAnew},
	} {
		if !t.Run(c.name, func(t *testing.T) { c.f(t, k) }) {
			return
		}
	}
}

func run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func ap(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func apply(t *testing.T, k ipvssync.Kernel, ops []ipvssync.Op) {
	t.Helper()
	for _, op := range ops {
		if err := k.Apply(context.Background(), op); err != nil {
			t.Fatalf("%s: %v", op, err)
		}
	}
}

// tableOf reads everything, services ordered by key, servers by address.
func tableOf(t *testing.T, k ipvssync.Kernel) []ipvssync.Service {
	t.Helper()
	list, err := k.Services(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		states, err := k.Servers(context.Background(), list[i].Key)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range states {
			list[i].Servers = append(list[i].Servers, s.Server)
		}
		slices.SortFunc(list[i].Servers, func(a, b ipvssync.Server) int { return a.Addr.Compare(b.Addr) })
	}
	slices.SortFunc(list, func(a, b ipvssync.Service) int { return a.Key.Compare(b.Key) })
	return list
}

func noModule(t *testing.T, k *Kernel) {
	exec.Command("sh", "-c", "lsmod | grep -o '^ip_vs_[a-z_]*' | xargs -r rmmod; rmmod ip_vs").Run()
	before, err := os.ReadFile("/proc/sys/kernel/modprobe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("/proc/sys/kernel/modprobe", []byte("/bin/false"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Services(context.Background()); !errors.Is(err, ipvssync.ErrNoIPVS) {
		t.Errorf("without the module: %v", err)
	}
	op := ipvssync.Op{Kind: ipvssync.AddService, Service: ipvssync.Service{Key: ipvssync.AddrKey(ipvssync.TCP, ap("192.0.2.1:80")), Scheduler: "rr"}}
	if err := k.Apply(context.Background(), op); !errors.Is(err, ipvssync.ErrNoIPVS) {
		t.Errorf("a write without the module: %v", err)
	}
	if err := os.WriteFile("/proc/sys/kernel/modprobe", before, 0); err != nil {
		t.Fatal(err)
	}
	if list, err := k.Services(context.Background()); err != nil || len(list) != 0 {
		t.Fatalf("with the module: %v, %v", list, err)
	}
}

func everyKind(t *testing.T, k *Kernel) {
	s := func(key ipvssync.Key, sched string, f func(*ipvssync.Service)) ipvssync.Service {
		svc := ipvssync.Service{Key: key, Scheduler: sched}
		if f != nil {
			f(&svc)
		}
		return svc
	}
	var want []ipvssync.Service
	for i, sched := range ipvssync.Schedulers[:13] { // Debian builds no twos
		want = append(want, s(ipvssync.AddrKey(ipvssync.TCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(100 + i)}), 80)), sched, nil))
	}
	v4, v6 := ipvssync.AddrKey(ipvssync.TCP, ap("192.0.2.1:80")), ipvssync.AddrKey(ipvssync.TCP, ap("[2001:db8::1]:80"))
	want = append(want,
		s(v4, "sh", func(s *ipvssync.Service) {
			s.Flags, s.Persistence, s.Mask = ipvssync.Sched1|ipvssync.Sched2, 60, 24
			s.Servers = []ipvssync.Server{
				{Addr: ap("10.0.0.1:80"), Weight: 65535, Forward: ipvssync.DR, Upper: 100, Lower: 50},
				{Addr: ap("10.0.0.2:8080"), Weight: 0, Forward: ipvssync.NAT},
				{Addr: ap("10.0.0.3:80"), Weight: 3, Forward: ipvssync.TUN},
				{Addr: ap("10.0.0.4:80"), Weight: 3, Forward: ipvssync.TUN, Tunnel: ipvssync.Tunnel{Type: ipvssync.GUE, Port: 6080, Flags: ipvssync.TunnelCsum}},
				{Addr: ap("10.0.0.5:80"), Weight: 3, Forward: ipvssync.TUN, Tunnel: ipvssync.Tunnel{Type: ipvssync.GRE}},
				{Addr: ap("10.0.0.6:80"), Weight: 3, Forward: ipvssync.FULLNAT},
			}
		}),
		s(v6, "rr", func(s *ipvssync.Service) {
			s.Persistence, s.Mask = 60, 64
			s.Servers = []ipvssync.Server{{Addr: ap("[fd00::7]:80"), Weight: 1, Forward: ipvssync.NAT}}
		}),
		s(ipvssync.AddrKey(ipvssync.UDP, ap("192.0.2.1:53")), "rr", func(s *ipvssync.Service) { s.Flags = ipvssync.OnePacket }),
		s(ipvssync.AddrKey(ipvssync.UDP, ap("192.0.2.1:5060")), "rr", func(s *ipvssync.Service) { s.Persistence, s.Engine = 60, "sip" }),
		s(ipvssync.AddrKey(ipvssync.SCTP, ap("192.0.2.1:99")), "rr", nil),
		s(ipvssync.AddrKey(ipvssync.TCP, ap("192.0.2.3:0")), "rr", func(s *ipvssync.Service) { s.Persistence = 300 }),
		s(ipvssync.MarkKey(ipvssync.IPv4, 7), "wlc", func(s *ipvssync.Service) {
			s.Servers = []ipvssync.Server{{Addr: ap("10.0.0.1:0"), Weight: 1, Forward: ipvssync.DR}}
		}),
		s(ipvssync.MarkKey(ipvssync.IPv6, 7), "wlc", nil),
	)
	model := ipvstest.New()
	ops := ipvssync.Diff(want, nil)
	apply(t, k, ops)
	apply(t, model, ops)
	got := tableOf(t, k)
	if rest := ipvssync.Diff(want, got); len(rest) != 0 {
		t.Errorf("read back differs: %v", rest)
	}
	if rest := ipvssync.Diff(got, model.Table()); len(rest) != 0 {
		t.Errorf("the model differs from the kernel: %v", rest)
	}
	real, printed := lines(run(t, "ipvsadm", "-Sn")), lines(ipvstest.Print(got))
	if !slices.Equal(real, printed) {
		t.Errorf("ipvsadm -Sn and ours differ:\n%s\n---\n%s", strings.Join(real, "\n"), strings.Join(printed, "\n"))
	}
	one, ok, err := k.Service(context.Background(), v4)
	if err != nil || !ok || !one.Same(want[13]) {
		t.Errorf("one service: %+v, %v, %v", one, ok, err)
	}
	apply(t, k, ipvssync.Diff(nil, got))
	if got := tableOf(t, k); len(got) != 0 {
		t.Errorf("left over: %v", got)
	}
	if _, ok, err := k.Service(context.Background(), v4); ok || err != nil {
		t.Errorf("a service that is gone: %v, %v", ok, err)
	}
}

func lines(s string) []string {
	var list []string
	for l := range strings.Lines(s) {
		list = append(list, strings.TrimSpace(l))
	}
	slices.Sort(list)
	return list
}

func errorNames(t *testing.T, k *Kernel) {
	key := ipvssync.AddrKey(ipvssync.TCP, ap("192.0.2.1:80"))
	svc := ipvssync.Service{Key: key, Scheduler: "rr"}
	srv := ipvssync.Server{Addr: ap("10.0.0.1:80"), Weight: 1}
	do := func(kind ipvssync.OpKind, want error) {
		t.Helper()
		if err := k.Apply(context.Background(), ipvssync.Op{Kind: kind, Service: svc, Server: srv}); !errors.Is(err, want) {
			t.Errorf("%s: %v, not %v", kind, err, want)
		}
	}
	for _, kind := range []ipvssync.OpKind{ipvssync.UpdateService, ipvssync.DeleteService, ipvssync.AddServer, ipvssync.UpdateServer, ipvssync.DeleteServer} {
		do(kind, ipvssync.ErrNotFound)
	}
	do(ipvssync.AddService, nil)
	do(ipvssync.AddService, ipvssync.ErrExists)
	do(ipvssync.UpdateServer, ipvssync.ErrNotFound)
	do(ipvssync.AddServer, nil)
	do(ipvssync.AddServer, ipvssync.ErrExists)
	do(ipvssync.DeleteServer, nil)
	do(ipvssync.DeleteService, nil)
	svc.Persistence, svc.Engine = 60, "nonsense"
	do(ipvssync.AddService, ipvssync.ErrRefused)
	if _, err := k.Stats(context.Background(), key); !errors.Is(err, ipvssync.ErrNotFound) {
		t.Errorf("counters of nothing: %v", err)
	}
	if list, err := k.Servers(context.Background(), key); err != nil || len(list) != 0 {
		t.Errorf("servers of nothing: %v %v", list, err)
	}
}

func randomDiffs(t *testing.T, k *Kernel) {
	var have []ipvssync.Service
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 7))
		var want []ipvssync.Service
		for i := range 4 {
			if r.IntN(4) == 0 {
				continue
			}
			s := ipvssync.Service{Key: ipvssync.AddrKey(ipvssync.TCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 80)),
				Scheduler: ipvssync.Schedulers[r.IntN(13)], Flags: ipvssync.Flags(8 * r.IntN(8)), Persistence: uint32(60 * r.IntN(2)), Mask: uint8(24 * r.IntN(2))}
			for j := range 6 {
				if r.IntN(3) == 0 {
					continue
				}
				d := ipvssync.Server{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(j + 1)}), 80), Weight: r.IntN(3),
					Forward: []ipvssync.Forward{ipvssync.NAT, ipvssync.DR, ipvssync.TUN, ipvssync.FULLNAT}[r.IntN(4)], Upper: uint32(10 * r.IntN(2))}
				if d.Forward == ipvssync.TUN {
					d.Tunnel = []ipvssync.Tunnel{{}, {Type: ipvssync.GUE, Port: 6080}, {Type: ipvssync.GRE, Flags: ipvssync.TunnelCsum}}[r.IntN(3)]
				}
				s.Servers = append(s.Servers, d)
			}
			want = append(want, s)
		}
		apply(t, k, ipvssync.Diff(want, have))
		have = tableOf(t, k)
		if rest := ipvssync.Diff(want, have); len(rest) != 0 {
			t.Fatalf("seed %d: left undone: %v", seed, rest)
		}
	}
	apply(t, k, ipvssync.Diff(nil, have))
}

func timeouts(t *testing.T, k *Kernel) {
	ctx := context.Background()
	before, err := k.Timeouts(ctx)
	if err != nil || before.TCP == 0 {
		t.Fatalf("%v, %v", before, err)
	}
	if err := k.SetTimeouts(ctx, ipvssync.Timeouts{TCP: 100 * time.Second, UDP: 7 * time.Second}); err != nil {
		t.Fatal(err)
	}
	if now, err := k.Timeouts(ctx); err != nil || now != (ipvssync.Timeouts{TCP: 100 * time.Second, TCPFin: before.TCPFin, UDP: 7 * time.Second}) {
		t.Errorf("%v, %v", now, err)
	}
	if err := k.SetTimeouts(ctx, ipvssync.Timeouts{TCP: 1500 * time.Millisecond}); !errors.Is(err, ipvssync.ErrRefused) {
		t.Errorf("half a second: %v", err)
	}
	if err := k.SetTimeouts(ctx, before); err != nil {
		t.Fatal(err)
	}
}

func syncDaemons(t *testing.T, k *Kernel) {
	ctx := context.Background()
	master := ipvssync.SyncDaemon{Role: ipvssync.SyncMaster, Interface: "v0", ID: 5, MaxLen: 1400, Port: 9000, TTL: 3, Group: netip.MustParseAddr("224.0.0.99")}
	backup := ipvssync.SyncDaemon{Role: ipvssync.SyncBackup, Interface: "v0", ID: 5}
	for range 20 { // started and stopped at once
		for _, d := range []ipvssync.SyncDaemon{master, backup} {
			if err := k.StartSync(ctx, d); err != nil {
				t.Fatal(err)
			}
		}
		if err := k.StartSync(ctx, master); !errors.Is(err, ipvssync.ErrExists) {
			t.Fatalf("a second master: %v", err)
		}
		list, err := k.SyncDaemons(ctx)
		if err != nil || len(list) != 2 || !slices.ContainsFunc(list, master.Same) || !slices.ContainsFunc(list, backup.Same) {
			t.Fatalf("running: %+v, %v", list, err)
		}
		for _, d := range []ipvssync.SyncDaemon{master, backup} {
			if err := k.StopSync(ctx, d); err != nil {
				t.Fatal(err)
			}
		}
		if err := k.StopSync(ctx, master); !errors.Is(err, ipvssync.ErrNotFound) {
			t.Fatalf("a second stop: %v", err)
		}
		if list, err := k.SyncDaemons(ctx); err != nil || len(list) != 0 {
			t.Fatalf("after the stop: %v, %v", list, err)
		}
	}
	if err := k.StartSync(ctx, ipvssync.SyncDaemon{Role: ipvssync.SyncMaster, Interface: "nowhere"}); err == nil {
		t.Error("a daemon on no interface")
	}
}

func mixedFamilies(t *testing.T, k *Kernel) {
	s := ipvssync.Service{Key: ipvssync.AddrKey(ipvssync.TCP, ap("[2001:db8::1]:80")), Scheduler: "rr",
		Servers: []ipvssync.Server{{Addr: ap("10.1.0.9:80"), Weight: 1, Forward: ipvssync.TUN}}}
	apply(t, k, ipvssync.Diff([]ipvssync.Service{s}, nil))
	if rest := ipvssync.Diff([]ipvssync.Service{s}, tableOf(t, k)); len(rest) != 0 {
		t.Errorf("an IPv4 server of an IPv6 service: %v", rest)
	}
	apply(t, k, ipvssync.Diff(nil, tableOf(t, k)))
}

func counters(t *testing.T, k *Kernel) {
	ctx := context.Background()
	run(t, "ip", "addr", "add", "192.0.2.1/32", "dev", "lo")
	run(t, "ip", "addr", "add", "192.0.2.2/32", "dev", "lo")
	key := ipvssync.AddrKey(ipvssync.UDP, ap("192.0.2.1:99"))
	s := ipvssync.Service{Key: key, Scheduler: "rr", Servers: []ipvssync.Server{{Addr: ap("192.0.2.2:99"), Weight: 1}}}
	apply(t, k, ipvssync.Diff([]ipvssync.Service{s}, nil))
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for range 3 {
		if err := unix.Sendto(fd, make([]byte, 72), 0, &unix.SockaddrInet4{Port: 99, Addr: [4]byte{192, 0, 2, 1}}); err != nil {
			t.Logf("send: %v", err) // the answer to an earlier one: port unreachable
		}
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		st, err := k.Stats(ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		if st.Connections == 1 && st.InPackets > 0 && st.InBytes >= 100 && len(st.Servers) == 1 && st.Servers[0].Connections == 1 &&
			st.Servers[0].Active+st.Servers[0].Inactive == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("counters: %+v", st)
		}
		time.Sleep(50 * time.Millisecond)
	}
	apply(t, k, ipvssync.Diff(nil, tableOf(t, k)))
}

// closedUnder shows that a handle which lost its sockets heals.
func closedUnder(t *testing.T, k *Kernel) {
	k.drop()
	if _, err := k.Services(context.Background()); err != nil {
		t.Errorf("after the sockets went: %v", err)
	}
	k.handle.Close()
	op := ipvssync.Op{Kind: ipvssync.AddService, Service: ipvssync.Service{Key: ipvssync.AddrKey(ipvssync.TCP, ap("192.0.2.1:80")), Scheduler: "rr"}}
	if err := k.Apply(context.Background(), op); err == nil {
		t.Error("a write on a closed handle succeeded")
	}
	if err := k.Apply(context.Background(), op); err != nil {
		t.Errorf("the write after it: %v", err)
	}
	apply(t, k, ipvssync.Diff(nil, tableOf(t, k)))
}

// loadedAnew removes the module and loads it again, which gives the family another number: the library would write into the void.
func loadedAnew(t *testing.T, k *Kernel) {
	old := k.family.ID
	run(t, "sh", "-c", "lsmod | grep -o '^ip_vs_[a-z_]*' | xargs -r rmmod; rmmod ip_vs")
	run(t, "modprobe", "-a", "ip_vs", "ip_vs_rr")
	if _, err := k.Services(context.Background()); err != nil {
		t.Fatalf("after loading anew: %v", err)
	}
	t.Logf("family %d, then %d", old, k.family.ID)
	s := ipvssync.Service{Key: ipvssync.AddrKey(ipvssync.TCP, ap("192.0.2.1:80")), Scheduler: "rr",
		Servers: []ipvssync.Server{{Addr: ap("10.0.0.1:80"), Weight: 1}}}
	apply(t, k, ipvssync.Diff([]ipvssync.Service{s}, nil))
	if got := run(t, "ipvsadm", "-Sn"); !strings.Contains(got, "-r 10.0.0.1:80 -m -w 1") {
		t.Errorf("ipvsadm does not see the service:\n%s", got)
	}
	apply(t, k, ipvssync.Diff(nil, tableOf(t, k)))
}

// BenchmarkWrites measures the library and the codec on the same operations.
func BenchmarkWrites(b *testing.B) {
	k := Open()
	defer k.Close()
	ctx := context.Background()
	for _, way := range []string{"library", "codec"} {
		b.Run(way, func(b *testing.B) {
			s := ipvssync.Service{Key: ipvssync.AddrKey(ipvssync.TCP, ap("192.0.2.1:80")), Scheduler: "rr"}
			if err := k.Apply(ctx, ipvssync.Op{Kind: ipvssync.AddService, Service: s}); err != nil {
				b.Fatal(err)
			}
			op := ipvssync.Op{Kind: ipvssync.AddServer, Service: s, Server: ipvssync.Server{Addr: ap("10.0.0.1:80"), Weight: 1}}
			if err := k.Apply(ctx, op); err != nil {
				b.Fatal(err)
			}
			op.Kind = ipvssync.UpdateServer
			for i := 0; b.Loop(); i++ {
				op.Server.Weight = i % 100
				var err error
				if way == "codec" {
					err = k.write(op)
				} else {
					err = mobyWrite(k.handle, op)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			if err := k.Apply(ctx, ipvssync.Op{Kind: ipvssync.DeleteService, Service: s}); err != nil {
				b.Fatal(err)
			}
		})
	}
}

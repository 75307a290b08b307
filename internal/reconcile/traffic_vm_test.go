//go:build vm

package reconcile

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/ipvssync"
	"github.com/holdfast-ha/holdfast/ipvssync/kernel"
)

// TestMain makes the test's binary its own server and client, which run in namespaces: SERVE names a server that answers every
// connection with its name and who asked; ASK has the VIP and source addresses, one question from each.
func TestMain(m *testing.M) {
	if name := os.Getenv("SERVE"); name != "" {
		serve(name)
		return
	}
	if ask := os.Getenv("ASK"); ask != "" {
		askAll(strings.Fields(ask))
		return
	}
	os.Exit(m.Run())
}

func serve(name string) {
	l, err := net.Listen("tcp", ":80")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("listening")
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		fmt.Fprintf(c, "%s %s\n", name, c.RemoteAddr().(*net.TCPAddr).IP)
		c.Close()
	}
}

func askAll(args []string) {
	for _, source := range args[1:] {
		d := net.Dialer{Timeout: 10 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}}
		c, err := d.Dial("tcp", args[0])
		if err != nil {
			fmt.Printf("failed %v\n", err)
			continue
		}
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		line, err := bufio.NewReader(c).ReadString('\n')
		if err != nil {
			line = fmt.Sprintf("failed %v\n", err)
		}
		fmt.Print(line)
		c.Close()
	}
}

// lab is a client (10.1.0.2 and more), this director (10.1.0.1, 10.2.0.1) and two servers (10.2.0.11, .12) that know no route back.
func trafficLab(t *testing.T) {
	t.Helper()
	sh(t, `set -e
modprobe -a ip_vs veth nf_conntrack nf_tables nft_ct nft_masq nft_nat nft_chain_nat
for s in rr wrr lc wlc lblc lblcr sh mh dh fo ovf sed nq; do modprobe ip_vs_$s; done
ipvsadm -C
ip link add hb type bridge; ip addr add 10.2.0.1/24 dev hb; ip link set hb up; ip link set lo up
ip netns add hc; ip link add hc0 type veth peer name eth0 netns hc
ip addr add 10.1.0.1/24 dev hc0; ip addr add 10.1.0.100/32 dev hc0; ip link set hc0 up
ip -n hc link set lo up; ip -n hc link set eth0 up
for i in $(seq 2 40); do ip -n hc addr add 10.1.0.$i/24 dev eth0; done
for i in 1 2; do
  ip netns add hs$i; ip link add hs$i type veth peer name eth0 netns hs$i; ip link set hs$i master hb up
  ip -n hs$i link set lo up; ip -n hs$i addr add 10.2.0.1$i/24 dev eth0; ip -n hs$i link set eth0 up
done`)
	t.Cleanup(func() {
		sh(t, "ipvsadm -C; for n in hc hs1 hs2; do ip netns del $n; done; ip link del hb")
	})
	for i := 1; i <= 2; i++ {
		cmd := exec.Command("ip", "netns", "exec", fmt.Sprint("hs", i), os.Args[0])
		cmd.Env = append(os.Environ(), fmt.Sprint("SERVE=s", i))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		if line, err := bufio.NewReader(out).ReadString('\n'); line != "listening\n" {
			t.Fatalf("server %d: %q, %v", i, line, err)
		}
	}
}

// ask asks the VIP once from each of n addresses and counts the answers by their text.
func askVIP(t *testing.T, n int) map[string]int {
	t.Helper()
	args := []string{"10.1.0.100:80"}
	for i := range n {
		args = append(args, fmt.Sprintf("10.1.0.%d", 2+i))
	}
	cmd := exec.Command("ip", "netns", "exec", "hc", os.Args[0])
	cmd.Env = append(os.Environ(), "ASK="+strings.Join(args, " "))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	answers := map[string]int{}
	for line := range strings.Lines(string(out)) {
		answers[strings.TrimSpace(line)]++
	}
	return answers
}

// TestTraffic sends real connections: FULLNAT to servers without a route back, from a pool of addresses too, and a drain under
// every scheduler during which no new client fails or reaches the drained server.
func TestTraffic(t *testing.T) {
	trafficLab(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	k := kernel.Open()
	defer k.Close()
	r := New(k, Options{Dir: t.TempDir(), Every: time.Second})
	done := make(chan struct{})
	go func() { defer close(done); _ = r.Run(ctx) }()
	defer func() { cancel(); <-done }()

	key := ipvssync.AddrKey(ipvssync.TCP, netip.MustParseAddrPort("10.1.0.100:80"))
	spec := func(sched string, flags ipvssync.Flags, local ...netip.Addr) ipvssync.VirtualServer {
		v := ipvssync.VirtualServer{ID: "p", Keys: []ipvssync.Key{key}, Quorum: 1, Template: ipvssync.Service{Scheduler: sched, Flags: flags, LocalAddrs: local}}
		for i := 1; i <= 2; i++ {
			v.Servers = append(v.Servers, ipvssync.RealServer{ID: fmt.Sprint("s", i),
				Server: ipvssync.Server{Addr: netip.MustParseAddrPort(fmt.Sprintf("10.2.0.1%d:80", i)), Weight: 3 - i, Forward: ipvssync.FULLNAT}})
		}
		return v
	}
	set := func(p *ipvssync.Pool) {
		t.Helper()
		if res, err := r.Set(ctx, Desired{Pools: map[string][]ipvssync.Service{"p": p.Want()}}); err != nil || len(res.Problems) > 0 {
			t.Fatalf("%+v, %v", res, err)
		}
	}
	p, _ := ipvssync.NewPool(time.Now(), spec("wrr", 0))
	set(p)
	if got := askVIP(t, 12); got["s1 10.2.0.1"] != 8 || got["s2 10.2.0.1"] != 4 {
		t.Errorf("masqueraded answers: %v", got)
	}
	sh(t, "ip addr add 10.2.0.201/24 dev hb; ip addr add 10.2.0.202/24 dev hb")
	p, _ = ipvssync.NewPool(time.Now(), spec("wrr", 0, netip.MustParseAddr("10.2.0.201"), netip.MustParseAddr("10.2.0.202")))
	set(p)
	for answer, n := range askVIP(t, 12) {
		if !strings.HasSuffix(answer, " 10.2.0.201") && !strings.HasSuffix(answer, " 10.2.0.202") {
			t.Errorf("%d answers with the pool of addresses: %s", n, answer)
		}
	}

	for _, c := range []struct {
		sched string
		flags ipvssync.Flags
	}{{"rr", 0}, {"wrr", 0}, {"lc", 0}, {"wlc", 0}, {"lblc", 0}, {"lblcr", 0}, {"sh", 0}, {"sh", ipvssync.Sched1}, {"mh", 0}, {"mh", ipvssync.Sched1},
		{"dh", 0}, {"fo", 0}, {"ovf", 0}, {"sed", 0}, {"nq", 0}} {
		p, _ := ipvssync.NewPool(time.Now(), spec(c.sched, c.flags))
		set(p)
		for _, drained := range []string{"s1"} { // the heavier one
			p.Drain(time.Now(), drained, ipvssync.Drain{})
			r.Update("p", p.Want())
			if err := r.Flush(ctx); err != nil {
				t.Fatal(err)
			}
			other := map[string]string{"s1": "s2", "s2": "s1"}[drained]
			if got := askVIP(t, 16); got[other+" 10.2.0.1"] != 16 {
				t.Errorf("%s flags %#x, %s drains: %v", c.sched, c.flags, drained, got)
			}
			p.Undrain(time.Now(), drained)
		}
	}
	if err := r.Stop(ctx, false); err != nil {
		t.Fatal(err)
	}
}

//go:build vm

package reconcile

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/ipvssync"
	"github.com/holdfast-ha/holdfast/ipvssync/kernel"
)

func sh(t *testing.T, command string) string {
	t.Helper()
	out, err := exec.Command("sh", "-c", command).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
	return string(out)
}

// until polls for what the kernel holds; emulation is slow, so the deadline is generous.
func until(t *testing.T, what string, ok func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	for !ok() {
		if time.Since(start) > 90*time.Second {
			t.Fatalf("%s: not within 90 s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return time.Since(start)
}

func listed() int {
	b, _ := os.ReadFile("/proc/net/ip_vs")
	return bytes.Count(b, []byte("  ->")) - 1 // one in the heading
}

// TestRealKernel fills, wipes, changes by hand and stops against IPVS itself.
func TestRealKernel(t *testing.T) {
	sh(t, "modprobe -a ip_vs ip_vs_rr ip_vs_wlc nf_conntrack nf_tables nft_ct nft_masq nft_nat; ipvsadm -C")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	k := kernel.Open()
	defer k.Close()
	dir := t.TempDir()
	r := New(k, Options{Dir: dir, Every: time.Second})
	done := make(chan struct{})
	go func() { defer close(done); _ = r.Run(ctx) }()
	defer func() { cancel(); <-done }()

	a, b := svc(1, srv(1, 1), srv(2, 2)), svc(2, srv(1, 1))
	full := svc(3, ipvssync.Server{Addr: srv(1, 1).Addr, Weight: 1, Forward: ipvssync.FULLNAT})
	full.FullNAT = true
	sh(t, "ipvsadm -A -t 198.51.100.1:80 -s rr; ipvsadm -A -t 192.0.2.2:80 -s wlc; ipvsadm -a -t 192.0.2.2:80 -r 10.0.0.9 -g")
	d := pools(a, b, full)
	res, err := r.Set(ctx, d)
	if err != nil || len(res.Problems) != 0 {
		t.Fatalf("%+v, %v", res, err)
	}
	table := func() string { return sh(t, "ipvsadm -Sn") }
	filled := table()
	for _, want := range []string{"-A -t 198.51.100.1:80 -s rr", "-A -t 192.0.2.2:80 -s rr", "-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 2", "-a -t 192.0.2.3:80 -r 10.0.0.1:80 -m -w 1"} {
		if !strings.Contains(filled, want) {
			t.Errorf("the table lacks %q:\n%s", want, filled)
		}
	}
	if strings.Contains(filled, "10.0.0.9") {
		t.Errorf("a stray server stayed:\n%s", filled)
	}
	if v := strings.TrimSpace(sh(t, "cat /proc/sys/net/ipv4/vs/conntrack /proc/sys/net/ipv4/ip_forward; nft list table ip holdfast_ipvs | grep -c masquerade")); v != "1\n1\n1" {
		t.Errorf("FULLNAT: %q", v)
	}
	if res, _ := r.Set(ctx, d); res.Writes != 0 {
		t.Errorf("a reload without changes wrote %d", res.Writes)
	}
	sh(t, "nft flush ruleset")
	took := until(t, "the table after nft flush ruleset", func() bool { return exec.Command("nft", "list", "table", "ip", "holdfast_ipvs").Run() == nil })
	t.Logf("nft table back after %s", took)
	sh(t, "ipvsadm -C")
	took = until(t, "the table after ipvsadm -C", func() bool {
		return strings.Count(table(), "\n") == strings.Count(strings.Replace(filled, "-A -t 198.51.100.1:80 -s rr", "", 1), "\n")-1
	})
	t.Logf("IPVS back after %s", took)
	sh(t, "ipvsadm -e -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 77; ipvsadm -d -t 192.0.2.1:80 -r 10.0.0.2:80; ipvsadm -A -t 198.51.100.1:80 -s rr")
	until(t, "a server deleted by hand", func() bool { return strings.Contains(table(), "-r 10.0.0.2:80 -m -w 2") })
	until(t, "the weight set by hand in status", func() bool { return len(r.Status().Overrides) == 1 })
	if !strings.Contains(table(), "-w 77") {
		t.Errorf("the weight set by hand is gone:\n%s", table())
	}
	if err := r.Stop(ctx, false); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(table()); got != "-A -t 198.51.100.1:80 -s rr" {
		t.Errorf("after the stop:\n%s", got)
	}
	if v := strings.TrimSpace(sh(t, "cat /proc/sys/net/ipv4/vs/conntrack; nft list ruleset")); v != "0" {
		t.Errorf("after the stop: %q", v)
	}
	sh(t, "ipvsadm -C")
}

// TestScale prints what 1,000 x 10 costs, next to keepalived in the same guest. It asserts only that all of it arrives.
func TestScale(t *testing.T) {
	const services, servers = 1000, 10
	sh(t, "modprobe -a ip_vs ip_vs_wlc; ipvsadm -C")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	k := kernel.Open()
	defer k.Close()
	r := New(k, Options{Dir: t.TempDir(), Every: time.Second})
	done := make(chan struct{})
	go func() { defer close(done); _ = r.Run(ctx) }()
	defer func() { cancel(); <-done }()
	timed := func(what string, f func()) time.Duration {
		start := time.Now()
		f()
		d := time.Since(start)
		t.Logf("%-40s %8.3f s", what, d.Seconds())
		return d
	}
	d := large(services, servers)
	set := func(n int) func() {
		return func() {
			if res, err := r.Set(ctx, d); err != nil || len(res.Problems) > 0 || listed() != n {
				t.Fatalf("%+v, %v, %d servers", res, err, listed())
			}
		}
	}
	timed("holdfast: cold convergence", set(services*servers))
	timed("holdfast: reload without changes", set(services*servers))
	for id, s := range d.Pools {
		c := s[0].Clone()
		c.Servers = c.Servers[1:]
		d.Pools[id] = []ipvssync.Service{c}
	}
	timed("holdfast: reload, one server less each", set(services*(servers-1)))
	timed("holdfast: whole read-back", func() {
		if res, err := r.Reconcile(ctx); err != nil || res.Writes != 0 {
			t.Fatal(res, err)
		}
	})
	timed("holdfast: stop", func() {
		if err := r.Stop(ctx, false); err != nil || listed() != 0 {
			t.Fatal(err, listed())
		}
	})

	dir := t.TempDir()
	conf := filepath.Join(dir, "keepalived.conf")
	write := func(from int) {
		var b strings.Builder
		b.WriteString("global_defs {\n}\n")
		for i := range services {
			fmt.Fprintf(&b, "virtual_server %s 80 {\nlb_algo wlc\nlb_kind NAT\nprotocol TCP\n", netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}))
			for j := from; j < servers; j++ {
				fmt.Fprintf(&b, "real_server 10.0.0.%d 80 {\nweight 1\n}\n", j+1)
			}
			b.WriteString("}\n")
		}
		if err := os.WriteFile(conf, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(0)
	cmd := exec.Command("keepalived", "-n", "-C", "-f", conf, "-p", dir+"/p", "-c", dir+"/c", "-l")
	cmd.Stdout, cmd.Stderr = nil, nil
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "keepalived", func() bool { return listed() == services*servers })
	t.Logf("%-40s %8.3f s (%s)", "keepalived: cold convergence", time.Since(start).Seconds(), strings.SplitN(sh(t, "keepalived --version 2>&1"), "\n", 2)[0])
	write(1)
	start = time.Now()
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	until(t, "keepalived's reload", func() bool { return listed() == services*(servers-1) })
	t.Logf("%-40s %8.3f s", "keepalived: reload, one server less each", time.Since(start).Seconds())
	start = time.Now()
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()
	t.Logf("%-40s %8.3f s", "keepalived: stop", time.Since(start).Seconds())
	sh(t, "ipvsadm -C")
}

// TestScaleLarge prints what 5,000 x 8 costs and how much memory the process takes. It asserts only that all of it arrives, stays when it is to
// stay, is adopted without a write, and goes.
func TestScaleLarge(t *testing.T) {
	const services, servers = 5000, 8
	sh(t, "modprobe -a ip_vs ip_vs_wlc; ipvsadm -C")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	k := kernel.Open()
	defer k.Close()
	dir, d := t.TempDir(), large(services, servers)
	timed := func(what string, f func()) {
		start := time.Now()
		f()
		t.Logf("%-40s %8.3f s", what, time.Since(start).Seconds())
	}
	owner := func(f func(r *Reconciler)) {
		ctx, cancel := context.WithCancel(ctx)
		r := New(k, Options{Dir: dir})
		done := make(chan struct{})
		go func() { defer close(done); _ = r.Run(ctx) }()
		defer func() { cancel(); <-done }()
		f(r)
	}
	owner(func(r *Reconciler) {
		timed("cold convergence", func() {
			if res, err := r.Set(ctx, d); err != nil || len(res.Problems) > 0 || listed() != services*servers {
				t.Fatalf("%+v, %v, %d servers", res, err, listed())
			}
		})
		timed("reload without changes", func() {
			if res, err := r.Set(ctx, d); err != nil || res.Writes != 0 {
				t.Fatal(res, err)
			}
		})
		timed("stop that keeps the tables", func() {
			if err := r.Stop(ctx, true); err != nil || listed() != services*servers {
				t.Fatal(err, listed())
			}
		})
	})
	owner(func(r *Reconciler) {
		timed("start that adopts them", func() {
			if res, err := r.Set(ctx, d); err != nil || res.Writes != 0 {
				t.Fatalf("%d writes, %v, %v", res.Writes, res.Problems, err)
			}
		})
		b, _ := os.ReadFile("/proc/self/status")
		for line := range strings.Lines(string(b)) {
			if strings.HasPrefix(line, "VmHWM") {
				t.Log(strings.TrimSpace(line))
			}
		}
		timed("stop", func() {
			if err := r.Stop(ctx, false); err != nil || listed() != 0 {
				t.Fatal(err, listed())
			}
		})
	})
}

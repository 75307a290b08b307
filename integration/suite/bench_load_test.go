//go:build bench

package suite

import (
	"cmp"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

// seconds of each long measurement; BENCH_SECONDS changes it.
func seconds() time.Duration {
	if n, err := strconv.Atoi(os.Getenv("BENCH_SECONDS")); err == nil && n > 0 {
		return time.Duration(n) * time.Second
	}
	return time.Minute
}

// TestJitter compares how evenly adverts every 10 ms leave, and whether the backup ever takes over, with one hog per processor and 1,000 checks on both directors.
func TestJitter(t *testing.T) {
	for _, global := range []string{"", "vrrp_rt_priority 50"} {
		jitter(t, global)
	}
}

// jitter measures both daemons with something in global_defs.
func jitter(t *testing.T, global string) {
	type result struct {
		late      []time.Duration
		takeovers int
		requests  int // a second, from both directors
	}
	results := map[lab.Kind]*result{}
	for _, kind := range []lab.Kind{lab.Holdfast, lab.Keepalived} {
		r := &result{}
		err := lab.Once("jitter", sayOnTrouble, func(l *lab.Lab) {
			s := l.Site(lab.None, 0)
			rs := l.Node("rs")
			s.Front.Attach(rs, "eth0", "10.77.0.21/24")
			served := rs.Serve(":80")
			rs.IP("route add local 10.78.0.0/16 dev lo")
			for i, d := range s.D {
				text := s.Text(d, lab.Conf{Priority: 150 - 50*i, Version: 3, Advert: "0.01", Global: global})
				if kind == lab.Holdfast {
					d.IP("route add 10.78.0.0/16 via 10.77.0.21")
					text += thousandChecks()
				} else { // keepalived checks nothing without IPVS, which this kernel has not: as many requests are made beside it
					d.Ask("10.77.0.21:80", time.Millisecond, time.Second)
				}
				d.Write(text)
				d.Start(kind)
			}
			s.Owner(s.D[0])
			for i := range runtime.NumCPU() {
				s.Client.Start(fmt.Sprintf("hog %d", i), "/bin/sh", "-c", "while :; do :; done")
			}
			time.Sleep(3 * time.Second)
			since, before := time.Now(), served.Hits()
			time.Sleep(seconds())
			var last time.Time
			for _, a := range s.D[0].Wire.Adverts(netip.Addr{}, since) {
				if !last.IsZero() {
					r.late = append(r.late, (a.At.Sub(last) - 10*time.Millisecond).Abs())
				}
				last = a.At
			}
			if want := int(seconds() / (10 * time.Millisecond) / 2); len(r.late) < want {
				for _, d := range s.D {
					l.Logf("%s", strings.Join(d.Daemon.Lines(), "\n"))
				}
				l.Errorf("only %d adverts of d1", len(r.late))
			}
			r.requests = (served.Hits() - before) / int(seconds().Seconds())
			quiet := time.Time{}
			for _, a := range s.D[1].Wire.Adverts(netip.Addr{}, since) {
				if a.Priority > 0 && a.At.Sub(quiet) > 500*time.Millisecond {
					r.takeovers++
				}
				quiet = a.At
			}
		})
		if err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		slices.Sort(r.late)
		results[kind] = r
	}
	fmt.Printf("\n%s; adverts every 10 ms for %v, one hog on each of %d processors, 1,000 HTTP checks a second (keepalived: requests beside it) from each director; how far from 10 ms apart:\n", cmp.Or(global, "as it comes"), seconds(), runtime.NumCPU())
	at := func(k lab.Kind, p float64) time.Duration {
		r := results[k]
		if len(r.late) == 0 {
			return 0
		}
		return r.late[min(len(r.late)-1, int(p*float64(len(r.late))))]
	}
	for _, k := range []lab.Kind{lab.Holdfast, lab.Keepalived} {
		fmt.Printf("  %-10s  median %v  p99 %v  p99.9 %v  max %v  false failovers %d  (%d adverts, %d requests a second from both)\n", k, at(k, 0.5).Round(time.Microsecond), at(k, 0.99).Round(10*time.Microsecond),
			at(k, 0.999).Round(10*time.Microsecond), at(k, 1).Round(10*time.Microsecond), results[k].takeovers, len(results[k].late)+1, results[k].requests)
	}
	fmt.Printf("  ratio       p99.9 %.2f\n", float64(at(lab.Holdfast, 0.999))/float64(max(1, at(lab.Keepalived, 0.999))))
}

// thousandChecks is a virtual server with 1,000 real servers, each of which is asked for a page every second.
func thousandChecks() string {
	var b strings.Builder
	b.WriteString("\nvirtual_server 10.79.0.1 80 {\n    delay_loop 1\n    lb_algo rr\n    lb_kind NAT\n    protocol TCP\n")
	for n := range 1000 {
		fmt.Fprintf(&b, "    real_server 10.78.%d.%d 80 {\n        weight 1\n        HTTP_GET {\n            url {\n                path /\n                status_code 200\n            }\n            connect_timeout 2\n        }\n    }\n", n/200, 1+n%200)
	}
	b.WriteString("}\n")
	return b.String()
}

// usage is what a family of processes costs: processor time since its start and resident memory, shared pages counted once.
func usage(p *lab.Process) (cpu time.Duration, memory int) {
	for _, pid := range p.Family() {
		dir := fmt.Sprintf("/proc/%d/", pid)
		if text, err := os.ReadFile(dir + "stat"); err == nil {
			f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
			for _, n := range []int{11, 12} {
				ticks, _ := strconv.Atoi(f[n])
				cpu += time.Duration(ticks) * 10 * time.Millisecond
			}
		}
		if text, err := os.ReadFile(dir + "smaps_rollup"); err == nil {
			for _, line := range strings.Split(string(text), "\n") {
				if f := strings.Fields(line); len(f) > 1 && f[0] == "Pss:" {
					kb, _ := strconv.Atoi(f[1])
					memory += kb << 10
				}
			}
		}
	}
	return cpu, memory
}

// TestThousand compares what 1,000 instances on four interfaces cost, adverts every second: processor time and memory of the master and of the backup of all of them.
func TestThousand(t *testing.T) {
	type cost struct {
		cpu    [2]time.Duration
		memory [2]int
	}
	costs := map[lab.Kind]cost{}
	const instances, cards = 1000, 4
	for _, kind := range []lab.Kind{lab.Holdfast, lab.Keepalived} {
		err := lab.Once("thousand", nil, func(l *lab.Lab) {
			s := l.Site(lab.None, 0)
			for c := 1; c < cards; c++ {
				lan := l.LAN(fmt.Sprintf("sw%d", c))
				for i, d := range s.D {
					lan.Attach(d.Node, fmt.Sprintf("eth%d", c), fmt.Sprintf("10.%d.0.%d/16", 90+c, 11+i))
				}
			}
			for i, d := range s.D {
				var b strings.Builder
				fmt.Fprintf(&b, "global_defs {\n    router_id %s\n    vrrp_version 3\n    vrrp_garp_master_repeat 1\n    vrrp_garp_master_delay 0\n}\n", d.Name)
				for n := range instances {
					card, id := n%cards, 1+n/cards
					fmt.Fprintf(&b, "vrrp_instance v%d {\n    interface eth%d\n    virtual_router_id %d\n    priority %d\n    advert_int 1\n    virtual_ipaddress {\n        10.%d.1.%d/32\n    }\n}\n",
						n, card, id, 150-50*i, 90+card, id)
				}
				d.Write(b.String())
				d.Start(kind)
			}
			first, last := "10.90.1.1", fmt.Sprintf("10.%d.1.%d", 90+cards-1, instances/cards)
			l.Within(2*time.Minute, "d1 owns everything", func() bool { return s.D[0].Holds(first) && s.D[0].Holds(last) && !s.D[1].Holds(last) })
			time.Sleep(5 * time.Second)
			var c cost
			var before [2]time.Duration
			for i, d := range s.D {
				before[i], _ = usage(d.Daemon)
			}
			time.Sleep(seconds() / 2)
			for i, d := range s.D {
				c.cpu[i], c.memory[i] = usage(d.Daemon)
				c.cpu[i] -= before[i]
			}
			costs[kind] = c
			for _, d := range s.D {
				_ = os.WriteFile(filepath.Join(os.TempDir(), "bench-"+string(kind)+"-"+d.Name+".log"), []byte(strings.Join(d.Daemon.Lines(), "\n")), 0o644)
			}
		})
		if err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	fmt.Printf("\n%d instances on %d interfaces, adverts every second, %v: processor time per second, memory per instance\n", instances, cards, seconds()/2)
	for _, k := range []lab.Kind{lab.Holdfast, lab.Keepalived} {
		for i, role := range []string{"master", "backup"} {
			fmt.Printf("  %-10s  %s  %.1f ms/s  %.1f KB (%.1f MB in all)\n", k, role, costs[k].cpu[i].Seconds()*1000/(seconds()/2).Seconds(), float64(costs[k].memory[i])/1024/instances, float64(costs[k].memory[i])/1e6)
		}
	}
	h, k := costs[lab.Holdfast], costs[lab.Keepalived]
	fmt.Printf("  ratio       processor: master %.2f, backup %.2f; memory: master %.2f, backup %.2f\n", float64(h.cpu[0])/float64(max(1, k.cpu[0])), float64(h.cpu[1])/float64(max(1, k.cpu[1])),
		float64(h.memory[0])/float64(max(1, k.memory[0])), float64(h.memory[1])/float64(max(1, k.memory[1])))
}

// sayOnTrouble prints nothing: the story is only of use when BENCH_STORY asks for it.
func sayOnTrouble(line string) {
	if os.Getenv("BENCH_STORY") != "" {
		fmt.Println(line)
	}
}

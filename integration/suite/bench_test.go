//go:build bench

package suite

import (
	"fmt"
	"math/rand"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

// rounds of each measurement; BENCH_ROUNDS changes it.
func rounds() int {
	if n, err := strconv.Atoi(os.Getenv("BENCH_ROUNDS")); err == nil && n > 0 {
		return n
	}
	return 20
}

// TestFailoverTime compares the time from kill -9 of every process of the master to the backup's first gratuitous ARP, with advertisements every 10 ms.
// It prints; it judges nothing.
func TestFailoverTime(t *testing.T) {
	times := map[lab.Kind][]time.Duration{}
	for round := range rounds() {
		for _, kind := range []lab.Kind{lab.Holdfast, lab.Keepalived} {
			err := lab.Once("failover time", nil, func(l *lab.Lab) {
				s := l.Site(lab.None, 0)
				for i, d := range s.D {
					d.Write(s.Text(d, lab.Conf{Priority: 150 - 50*i, Version: 3, Advert: "0.01"}))
					d.Start(kind)
				}
				s.Owner(s.D[0])
				// Somewhere between two adverts.
				time.Sleep(500*time.Millisecond + time.Duration(rand.Intn(10000))*time.Microsecond)
				family := s.D[0].Daemon.Family() // reads /proc, which takes milliseconds
				dead := time.Now()
				for _, pid := range family {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
				mac := s.D[1].MAC("eth0").String()
				l.Eventually("the backup announces the VIP", func() bool {
					for _, a := range s.Tap.GratuitousARPs(s.VIP, dead) {
						if a.MAC == mac {
							times[kind] = append(times[kind], a.At.Sub(dead))
							return true
						}
					}
					return false
				})
			})
			if err != nil {
				t.Errorf("round %d, %s: %v", round+1, kind, err)
				continue
			}
			fmt.Printf("round %2d  %-10s  %v\n", round+1, kind, times[kind][len(times[kind])-1].Round(10*time.Microsecond))
		}
	}
	fmt.Printf("\nkill -9 to the backup's first gratuitous ARP, advertisements every 10 ms, priority 100 (protocol's limit 36.1 ms after the last advertisement):\n")
	for _, kind := range []lab.Kind{lab.Holdfast, lab.Keepalived} {
		show(kind, times[kind])
	}
}

// TestStopSilence compares how long a client that asks 500 times a second hears nothing when the master is stopped by SIGTERM, advertisements every second.
func TestStopSilence(t *testing.T) {
	pairs := [][2]lab.Kind{{lab.Holdfast, lab.Holdfast}, {lab.Holdfast, lab.Keepalived}, {lab.Keepalived, lab.Keepalived}}
	times := map[[2]lab.Kind][]time.Duration{}
	for round := range max(3, rounds()/4) {
		for _, pair := range pairs {
			err := lab.Once("stop", nil, func(l *lab.Lab) {
				s := l.Site(lab.None, 0)
				for i, d := range s.D {
					d.Write(s.Text(d, lab.Conf{Priority: 150 - 50*i}))
					d.Start(pair[i])
				}
				s.Owner(s.D[0])
				ping := s.Client.Ping(s.VIP, 2*time.Millisecond)
				since := time.Now()
				l.Eventually("two adverts", func() bool { return s.D[0].Adverts(since) >= 2 })
				stop := time.Now()
				s.D[0].Daemon.Signal(syscall.SIGTERM)
				s.D[0].Daemon.Wait()
				s.Owner(s.D[1])
				l.Eventually("the VIP answers", func() bool { return ping.Answered(time.Now().Add(-100 * time.Millisecond)) })
				times[pair] = append(times[pair], ping.Since(stop).Longest)
			})
			if err != nil {
				t.Errorf("round %d, %s to %s: %v", round+1, pair[0], pair[1], err)
			}
		}
	}
	fmt.Printf("\nsilence at SIGTERM for a client that asks 500 times a second, advertisements every second:\n")
	for _, pair := range pairs {
		show(pair[0]+" to "+pair[1], times[pair])
	}
}

func show(kind lab.Kind, d []time.Duration) {
	if len(d) == 0 {
		return
	}
	slices.Sort(d)
	fmt.Printf("  %-24s  median %v  min %v  max %v  (%d rounds)\n", kind, d[len(d)/2].Round(10*time.Microsecond), d[0].Round(10*time.Microsecond), d[len(d)-1].Round(10*time.Microsecond), len(d))
}

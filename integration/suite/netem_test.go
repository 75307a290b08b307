//go:build vm

package suite

import (
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

// TestBadNetwork lets two directors meet on a LAN that loses, delays, doubles and reorders packets: nobody takes over who need not, and whoever must does.
func TestBadNetwork(t *testing.T) {
	t.Parallel()
	for _, kinds := range [][]lab.Kind{{lab.Holdfast, lab.Holdfast}, {lab.Holdfast, lab.Keepalived}, {lab.Keepalived, lab.Holdfast}} {
		lab.Scenario(t, fmt.Sprintf("bad network, %s is master, %s is backup", kinds[0], kinds[1]), func(l *lab.Lab) {
			s := l.Site(lab.None, 0)
			for _, d := range s.D {
				// Both ways: 5 % lost, 5 % doubled, 30 ms give or take 20, a quarter of them out of order.
				how := []string{"root", "netem", "loss", "5%", "duplicate", "5%", "delay", "30ms", "20ms", "reorder", "25%"}
				d.Run(append([]string{"tc", "qdisc", "add", "dev", "eth0"}, how...)...)
				s.Front.Node.Run(append([]string{"tc", "qdisc", "add", "dev", d.Name + "-eth0"}, how...)...)
			}
			for i, d := range s.D {
				d.Write(s.Text(d, lab.Conf{Priority: 150 - 50*i, Version: 3, Advert: "1"}))
				d.Start(kinds[i])
			}
			s.Owner(s.D[0])
			since := time.Now()
			l.Eventually("15 s of d1's adverts", func() bool { return time.Since(since) > 15*time.Second && s.D[0].Adverts(since) >= 8 })
			for _, a := range s.D[1].Wire.Adverts(netip.Addr{}, since) {
				l.Errorf("d2 sent %v", a)
			}
			l.Step("d1 stops: d2 takes over, whatever is lost on the way")
			stop := time.Now()
			s.D[0].Daemon.Signal(syscall.SIGTERM)
			s.D[0].Daemon.Wait()
			l.Note("take-over after %v", s.Owner(s.D[1]).Round(100*time.Millisecond))
			s.D[0].Start(kinds[0])
			s.Owner(s.D[0])
			changes, last := 0, ""
			for _, a := range s.Tap.Adverts(netip.Addr{}, stop) {
				// Doubled and reordered packets show a change of the owner twice.
				if a.Priority > 0 && a.Source.String() != last && a.At.Sub(stop) > time.Second {
					changes, last = changes+1, a.Source.String()
				}
			}
			if changes > 5 {
				l.Errorf("%d changes of the owner", changes)
			}
		})
	}
}

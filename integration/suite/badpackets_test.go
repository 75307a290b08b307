//go:build netns

package suite

import (
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

func TestBadPackets(t *testing.T) {
	t.Parallel()
	lab.Scenario(t, "bad packets change nothing", func(l *lab.Lab) {
		s := pair(l, subject(), subject(), lab.Conf{Instance: pass})
		d1, d2 := s.D[0], s.D[1]
		steady(l, s)
		mac := s.Client.MAC("eth0")
		good := lab.Forged{Version: 2, VRID: 51, Priority: 255, TTL: 255, Source: lab.ClientAddr, VIPs: []netip.Addr{s.VIP}, Seconds: 1, AuthType: 1, Auth: "s3cret"}
		bad := map[string]func(f *lab.Forged){
			"ttl":          func(f *lab.Forged) { f.TTL = 254 },
			"checksum":     func(f *lab.Forged) { f.BadChecksum = true },
			"vrid":         func(f *lab.Forged) { f.VRID = 77 },
			"auth_failure": func(f *lab.Forged) { f.Auth = "wrong" },
			"auth_type":    func(f *lab.Forged) { f.AuthType = 0 },
			"truncated":    func(f *lab.Forged) { f.Cut = 10 },
			"version":      func(f *lab.Forged) { f.Version = 3 },
			"interval":     func(f *lab.Forged) { f.Seconds = 7 },
		}
		losses := d1.Losses()
		since := time.Now()
		for round := 0; round < 5; round++ {
			for _, spoil := range bad {
				f := good
				spoil(&f)
				s.Client.Send("eth0", f.Frame(mac))
			}
		}
		from := time.Now()
		l.Eventually("d1 goes on", func() bool { return d1.Adverts(from) >= 4 })
		quiet(l, s, d2, since)
		if n := losses.Of(s.VIP.String()); n > 0 || !d1.HasVIP() {
			l.Errorf("the VIP left d1 %d times", n)
		}
		if subject() != lab.Holdfast {
			return
		}
		for reason := range bad {
			if reason != "vrid" { // other routers on the LAN are no news: counted only
				l.Eventually("the log names "+reason, func() bool { return d1.Daemon.Said(`"` + reason + `"`) })
			}
			l.Eventually("status counts "+reason, func() bool {
				out, err := d1.Holdfast("status", "-o", "json", "--run-dir", d1.RunDir())
				return err == nil && strings.Contains(out, `"`+reason+`"`)
			})
		}
		l.Step("one good packet of a stronger router does what it should")
		s.Client.Send("eth0", good.Frame(mac))
		l.Eventually("d1 lets go", func() bool { return !d1.HasVIP() })
		s.Owner(d1)
	})
	if subject() == lab.Holdfast {
		lab.Scenario(t, "missing interface", func(l *lab.Lab) {
			s := l.Site(lab.None, 0)
			d := s.D[0]
			d.Write(strings.ReplaceAll(s.Text(d, lab.Conf{Priority: 150}), "eth0", "eth7"))
			d.Start(lab.Holdfast)
			l.Eventually("the log names the interface", func() bool { return d.Daemon.Said("eth7") })
			if n := d.Adverts(time.Time{}); n > 0 {
				l.Errorf("%d adverts", n)
			}
			if d.Daemon.Running() {
				d.Daemon.Signal(syscall.SIGTERM)
				d.Daemon.Wait()
			}
		})
		lab.Scenario(t, "unreadable file", func(l *lab.Lab) {
			s := l.Site(lab.None, 0)
			d := s.D[0]
			d.Start(lab.Holdfast)
			l.Eventually("the log names the file", func() bool { return d.Daemon.Said("director.conf") })
			l.Note("runs on: %v", d.Daemon.Running())
		})
	}
}

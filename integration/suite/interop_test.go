//go:build netns

package suite

import (
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

// subject is the daemon under test; LAB_SUBJECT=keepalived shows that the lab is right.
func subject() lab.Kind {
	if os.Getenv("LAB_SUBJECT") == "keepalived" {
		return lab.Keepalived
	}
	return lab.Holdfast
}

func TestInterop(t *testing.T) {
	t.Parallel()
	pass := "authentication {\n    auth_type PASS\n    auth_pass s3cret\n}"
	for _, c := range []struct {
		name          string
		conf          lab.Conf
		first, second lab.Kind
	}{
		{"v2 keepalived is master", lab.Conf{Version: 2, Instance: pass}, lab.Keepalived, subject()},
		{"v2 keepalived is backup", lab.Conf{Version: 2, Instance: pass}, subject(), lab.Keepalived},
		{"v3 keepalived is master", lab.Conf{Version: 3, Advert: "0.5"}, lab.Keepalived, subject()},
		{"v3 keepalived is backup", lab.Conf{Version: 3, Advert: "0.5"}, subject(), lab.Keepalived},
	} {
		lab.Scenario(t, "interop "+c.name, func(l *lab.Lab) {
			s := pair(l, c.first, c.second, c.conf)
			d1, d2 := s.D[0], s.D[1]
			steady(l, s)
			since := time.Now()
			l.Eventually("ten quiet adverts", func() bool { return d1.Adverts(since) >= 10 })
			quiet(l, s, d2, since)

			l.Step("%s on d1 is killed", c.first)
			dead := time.Now()
			d1.Daemon.KillAll9()
			s.Front.Unplug(d1.Node, "eth0")
			l.Eventually("d2 takes over", func() bool { return d2.HasVIP() && d2.Adverts(dead) > 0 })
			l.Note("takeover by %s %v", c.second, time.Since(dead).Round(10*time.Millisecond))

			l.Step("it comes back and preempts")
			s.Front.Plug(d1.Node, "eth0")
			d1.Start(c.first)
			s.Owner(d1)
			l.Eventually("one answers ARP", func() bool { a := s.Answering(); return len(a) == 1 && a[0] == "d1" })

			l.Step("it stops cleanly")
			stop := time.Now()
			d1.Daemon.Signal(syscall.SIGTERM)
			if status := d1.Daemon.Wait(); status != 0 {
				l.Errorf("%s: exit status %d", c.first, status)
			}
			s.Owner(d2)
			taken := time.Time{}
			for _, a := range s.Tap.Adverts(d2.Addr, stop) {
				if a.Priority > 0 {
					taken = a.At
					break
				}
			}
			l.Note("hand-over to %s after %v", c.second, taken.Sub(stop).Round(time.Millisecond))
			for i, d := range s.D {
				for _, a := range s.Tap.Adverts(d.Addr, time.Time{}) {
					if !a.Checksum || a.TTL != 255 || a.Version != c.conf.Version {
						l.Fatalf("director %d sent a wrong advert: %v", i+1, a)
					}
				}
			}
		})
	}
}

func TestBadPackets(t *testing.T) {
	t.Parallel()
	lab.Scenario(t, "bad packets change nothing", func(l *lab.Lab) {
		pass := "authentication {\n    auth_type PASS\n    auth_pass s3cret\n}"
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

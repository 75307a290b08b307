//go:build systemd

package suite

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

func init() {
	preparations = append(preparations, func() error {
		if text, err := os.ReadFile("/proc/1/comm"); err != nil || strings.TrimSpace(string(text)) != "systemd" {
			return errors.New("this suite needs systemd as PID 1 of a machine it may break (run it with `make systemd`)")
		}
		lab.Patience = 3 * time.Minute
		if out, err := exec.Command("modprobe", "-a", "ip_vs", "ip_vs_rr", "veth", "bridge").CombinedOutput(); err != nil {
			return fmt.Errorf("load modules: %w: %s", err, out)
		}
		return nil
	})
}

// systemctl runs it and returns what it says; systemd itself can be slow in the machine, so it has its own long timeout.
func systemctl(argv ...string) (string, error) {
	out, err := exec.Command("systemctl", argv...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func mainPID() int {
	out, _ := systemctl("show", "-p", "MainPID", "--value", "holdfast.service")
	pid, _ := strconv.Atoi(out)
	return pid
}

// balancerOf is the child of the router.
func balancerOf(router int) int {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		s := string(text)
		f := strings.Fields(s[strings.LastIndexByte(s, ')')+1:])
		if len(f) > 1 && f[1] == strconv.Itoa(router) && f[0] != "Z" {
			pid, _ := strconv.Atoi(strings.Fields(s)[0])
			return pid
		}
	}
	return 0
}

func install(l *lab.Lab, from, to string, mode os.FileMode) {
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o755)
	}
	if err == nil {
		_ = os.Remove(to)
		err = os.WriteFile(to, text, mode)
	}
	if err != nil {
		l.Fatalf("install %s: %v", to, err)
	}
}

func write(l *lab.Lab, path, text string) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		l.Fatalf("%v", err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		l.Fatalf("%v", err)
	}
}

func TestShippedUnit(t *testing.T) {
	lab.Scenario(t, "the shipped unit", func(l *lab.Lab) {
		s := l.Site(lab.DR, 2)
		d1, d2 := s.D[0], s.D[1]
		units := os.Getenv("UNITS")
		install(l, filepath.Join(units, "holdfast.service"), "/etc/systemd/system/holdfast.service", 0o644)
		install(l, filepath.Join(units, "holdfast-release.service"), "/etc/systemd/system/holdfast-release.service", 0o644)
		install(l, lab.Binary(), "/usr/sbin/holdfast", 0o755)
		write(l, "/etc/keepalived/keepalived.conf", s.Text(d1, lab.Conf{Priority: 150, Advert: "4", Global: "balancer_down_fault 300"}))
		// What only the lab needs: the director's namespace, and a way to make every start fail.
		inside := "[Service]\nNetworkNamespacePath=" + d1.NamespacePath() + "\n"
		// A slow machine could not fail twenty times in half a minute, so the limit of starts counts longer here.
		write(l, "/etc/systemd/system/holdfast.service.d/lab.conf", "[Unit]\nStartLimitIntervalSec=1h\nStartLimitBurst=12\n"+inside+"ExecStartPre=/bin/sh -c 'test ! -e /run/lab-broken'\n")
		write(l, "/etc/systemd/system/holdfast-release.service.d/lab.conf", inside)
		_ = os.Remove("/run/lab-broken")
		finished := false
		defer func() {
			if !finished {
				out, _ := exec.Command("journalctl", "-b", "-o", "short-monotonic", "-n", "150", "--no-pager").CombinedOutput()
				l.Logf("the journal:\n%s", out)
				show, _ := systemctl("status", "--no-pager", "-l", "holdfast.service")
				l.Logf("systemctl status:\n%s", show)
			}
			_ = os.Remove("/run/lab-broken")
			_, _ = systemctl("kill", "-s", "KILL", "holdfast.service")
			_, _ = systemctl("stop", "holdfast.service")
			_, _ = systemctl("reset-failed")
			_ = os.RemoveAll("/run/holdfast")
		}()
		if out, err := systemctl("daemon-reload"); err != nil {
			l.Fatalf("systemctl daemon-reload: %v: %s", err, out)
		}
		if out, err := systemctl("start", "holdfast.service"); err != nil {
			l.Fatalf("systemctl start: %v: %s", err, out)
		}
		d2.Write(s.Text(d2, lab.Conf{Priority: 100, Advert: "4"}))
		d2.Start(lab.Holdfast)
		s.Owner(d1)
		ask := s.Client.Ask(s.VIP.String()+":80", 100*time.Millisecond, 5*time.Second)
		l.Eventually("both real servers answer", func() bool {
			t := ask.Tally(time.Now().Add(-10*time.Second), time.Time{})
			return t["rs1"] > 2 && t["rs2"] > 2
		})

		calm := func(what string, do func(router, balancer int)) {
			n := d1.Adverts(time.Time{})
			l.Eventually("the next advert", func() bool { return d1.Adverts(time.Time{}) > n })
			router := mainPID()
			balancer := balancerOf(router)
			if router == 0 || balancer == 0 {
				l.Fatalf("router %d, balancer %d", router, balancer)
			}
			losses := d1.Losses()
			since := time.Now()
			do(router, balancer)
			l.Eventually(what+": two processes run again", func() bool {
				r := mainPID()
				b := balancerOf(r)
				return r != 0 && b != 0 && (r != router || b != balancer)
			})
			from := time.Now()
			l.Eventually(what+": adverts go on", func() bool { return d1.Adverts(from) >= 3 })
			if gap := s.Tap.LongestGap(d1.Addr, since); gap > 8*time.Second {
				l.Errorf("%s: %v between adverts: a restart within two intervals is promised", what, gap.Round(10*time.Millisecond))
			}
			if list := s.Tap.Adverts(d2.Addr, since); len(list) > 0 {
				l.Fatalf("%s: the peer took over: %v", what, list[0])
			}
			if losses.Of(s.VIP.String()) > 0 || !d1.HasVIP() {
				l.Errorf("%s: the VIP left", what)
			}
			l.Note("%s: longest time between adverts %v, requests: %s", what, s.Tap.LongestGap(d1.Addr, since).Round(10*time.Millisecond), ask.Tally(since, time.Time{}))
		}
		calm("kill -9 of the router", func(router, _ int) { _ = syscall.Kill(router, syscall.SIGKILL) })
		calm("kill -9 of the balancer", func(_, balancer int) { _ = syscall.Kill(balancer, syscall.SIGKILL) })
		calm("kill -9 of both", func(router, balancer int) {
			_ = syscall.Kill(router, syscall.SIGKILL)
			_ = syscall.Kill(balancer, syscall.SIGKILL)
		})
		calm("an OOM kill", func(router, balancer int) {
			limit := cgroup(l, router) + "/memory.max"
			text, err := os.ReadFile(cgroup(l, router) + "/memory.current")
			if err != nil {
				l.Fatalf("%v", err)
			}
			size, _ := strconv.Atoi(strings.TrimSpace(string(text)))
			// Less and less memory until the kernel kills; then as much as anybody likes.
			for lab.Alive(balancer) && lab.Alive(router) && size > 1<<20 {
				size -= 256 << 10
				if err := os.WriteFile(limit, []byte(strconv.Itoa(size)), 0); err != nil {
					l.Fatalf("%v", err)
				}
			}
			if err := os.WriteFile(limit, []byte("max"), 0); err != nil {
				l.Fatalf("%v", err)
			}
			if lab.Alive(balancer) || !lab.Alive(router) {
				l.Fatalf("after the squeeze the balancer lives: %v, the router: %v; the kernel should have killed the balancer alone", lab.Alive(balancer), lab.Alive(router))
			}
			if text, err := os.ReadFile(cgroup(l, router) + "/memory.events"); err != nil || strings.Contains(string(text), "oom_kill 0\n") {
				l.Errorf("the kernel counts no OOM kill: %v\n%s", err, text)
			}
		})
		if out, err := systemctl("reload", "holdfast.service"); err != nil {
			l.Errorf("systemctl reload: %v: %s", err, out)
		}
		good, err := os.ReadFile("/etc/keepalived/keepalived.conf")
		if err != nil {
			l.Fatalf("%v", err)
		}
		write(l, "/etc/keepalived/keepalived.conf", string(good)+"\nvrrp_instance {\n")
		if _, err := systemctl("reload", "holdfast.service"); err == nil {
			l.Errorf("systemctl reload succeeds with a bad file")
		}
		if state, _ := systemctl("is-active", "holdfast.service"); state != "active" || !d1.HasVIP() {
			l.Errorf("after a refused reload: %s, VIP here: %v", state, d1.HasVIP())
		}
		write(l, "/etc/keepalived/keepalived.conf", string(good))

		l.Step("both killed, and no start succeeds any more")
		write(l, "/run/lab-broken", "")
		router := mainPID()
		balancer := balancerOf(router)
		_ = syscall.Kill(router, syscall.SIGKILL)
		_ = syscall.Kill(balancer, syscall.SIGKILL)
		l.Eventually("systemd gives up and the address is released", func() bool {
			state, _ := systemctl("show", "-p", "ActiveState", "--value", "holdfast.service")
			return state == "failed" && !d1.HasVIP()
		})
		s.Owner(d2)
		l.Eventually("one answers ARP", func() bool { a := s.Answering(); return len(a) == 1 && a[0] == "d2" })

		l.Step("repaired, then stopped as asked")
		_ = os.Remove("/run/lab-broken")
		_, _ = systemctl("reset-failed", "holdfast.service")
		if out, err := systemctl("start", "holdfast.service"); err != nil {
			l.Fatalf("systemctl start: %v: %s", err, out)
		}
		s.Owner(d1)
		if out, err := systemctl("stop", "holdfast.service"); err != nil {
			l.Errorf("systemctl stop: %v: %s", err, out)
		}
		s.Owner(d2)
		if result, _ := systemctl("show", "-p", "Result", "--value", "holdfast.service"); result != "success" {
			l.Errorf("systemd says the stop was: %s", result)
		}
		if table := d1.Table(); len(table) > 0 {
			l.Errorf("left behind: %v", table)
		}
		finished = true
	})
}

// cgroup is the control group of a process, as a directory.
func cgroup(l *lab.Lab, pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		l.Fatalf("%v", err)
	}
	_, path, _ := strings.Cut(strings.TrimSpace(string(text)), "::")
	return "/sys/fs/cgroup" + path
}

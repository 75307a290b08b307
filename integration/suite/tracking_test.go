//go:build netns

package suite

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/integration/lab"
)

// flag is a file whose presence makes a tracked script fail.
type flag struct {
	l    *lab.Lab
	path string
}

func (f flag) set() {
	if err := os.WriteFile(f.path, nil, 0o644); err != nil {
		f.l.Fatalf("%v", err)
	}
}

func (f flag) clear() { _ = os.Remove(f.path) }

// scriptBlock is a vrrp_script that fails while the flag is there.
func (f flag) scriptBlock(name, rest string) string {
	return fmt.Sprintf("vrrp_script %s {\n    script \"/usr/bin/test ! -e %s\"\n    interval 1\n    %s\n}\n\n", name, f.path, rest)
}

// trackingPair starts two directors, 150 and 100, of which the first tracks a weighted script, a script without weight, and a file.
func trackingPair(l *lab.Lab, kind lab.Kind) (s *lab.Site, weighted, fatal flag, number string) {
	s = l.Site(lab.None, 0)
	d1, d2 := s.D[0], s.D[1]
	weighted, fatal = flag{l, filepath.Join(d1.Dir, "weighted")}, flag{l, filepath.Join(d1.Dir, "fatal")}
	number = filepath.Join(d1.Dir, "number")
	d1.Write("track_file number {\n    file " + number + "\n    weight 1\n}\n\n" + weighted.scriptBlock("weighted", "fall 2\n    weight -100") + fatal.scriptBlock("fatal", "") +
		s.Text(d1, lab.Conf{Priority: 150, Global: "enable_script_security\nscript_user root",
			Instance: "track_script {\n    weighted\n    fatal\n}\ntrack_file {\n    number\n}"}))
	d2.Write(s.Text(d2, lab.Conf{Priority: 100}))
	d1.Start(kind)
	d2.Start(kind)
	s.Owner(d1)
	return s, weighted, fatal, number
}

// advertises waits until the director advertises with that priority.
func advertises(l *lab.Lab, s *lab.Site, d *lab.Director, priority int) {
	since := time.Now()
	l.Eventually(fmt.Sprintf("%s advertises priority %d", d.Name, priority), func() bool {
		list := s.Tap.Adverts(d.Addr, since)
		return len(list) > 0 && list[len(list)-1].Priority == priority
	})
}

func TestTracking(t *testing.T) {
	t.Parallel()
	lab.Scenario(t, "tracked scripts and files decide who serves", func(l *lab.Lab) {
		s, weighted, fatal, number := trackingPair(l, lab.Holdfast)
		d1, d2 := s.D[0], s.D[1]

		l.Step("a weighted script fails: d1 drops to 50 and d2 takes over")
		weighted.set()
		l.Note("takeover %.1f s after the script failed", s.Owner(d2).Seconds())
		weighted.clear()
		s.Owner(d1)
		advertises(l, s, d1, 150)

		l.Step("a script without weight fails: FAULT, at once")
		fatal.set()
		l.Note("%.1f s without weight", s.Owner(d2).Seconds())
		if list := s.Tap.Adverts(d1.Addr, time.Now().Add(-time.Second)); len(list) > 0 && list[len(list)-1].Priority != 0 {
			l.Errorf("d1 still advertises: %v", list[len(list)-1])
		}
		fatal.clear()
		s.Owner(d1)

		l.Step("a number in a file is added")
		if err := os.WriteFile(number, []byte("-30\n"), 0o644); err != nil {
			l.Fatalf("%v", err)
		}
		advertises(l, s, d1, 120)

		l.Step("the balancer is killed: the router keeps the values, the peer hears no pause")
		killed := time.Now()
		_ = syscall.Kill(d1.Daemon.Child(0), syscall.SIGKILL)
		l.Eventually("the balancer is back", func() bool { return d1.Daemon.Count(`"event":"config.loaded"`) == 2 })
		steady(l, s)
		quiet(l, s, d2, killed)
		for _, a := range s.Tap.Adverts(d1.Addr, killed) {
			if a.Priority != 120 {
				l.Errorf("an advert with priority %d", a.Priority)
			}
		}

		l.Step("a reload that changes nothing: no run is cut off, no value forgotten")
		reloaded := time.Now()
		d1.Daemon.Signal(syscall.SIGHUP)
		l.Eventually("the reload is done", func() bool { return d1.Daemon.Said(`"event":"config.unchanged"`) })
		steady(l, s)
		quiet(l, s, d2, reloaded)
		status, err := d1.Holdfast("status", "--run-dir", d1.RunDir())
		if err != nil || !strings.Contains(status, "script/weighted") || !strings.Contains(status, "file/number") {
			l.Errorf("status: %v\n%s", err, status)
		}
	})
}

// notifyLog has a director's scripts and its FIFO, and what they were told.
type notifyLog struct {
	l    *lab.Lab
	dir  string
	fifo string
}

// newNotifyLog writes a script per keyword that appends its name and arguments to a file.
func newNotifyLog(l *lab.Lab, d *lab.Director, kind lab.Kind) notifyLog {
	dir := filepath.Join(d.Dir, string(kind))
	if err := os.Mkdir(dir, 0o755); err != nil {
		l.Fatalf("%v", err)
	}
	n := notifyLog{l, dir, filepath.Join(dir, "fifo")}
	text := "#!/bin/sh\nline=$(basename $0)\nfor a in \"$@\"; do line=\"$line <$a>\"; done\necho \"$line\" >> " + n.path("told") + "\n"
	for _, name := range []string{"master", "backup", "fault", "stop", "any", "group_master", "group_any"} {
		if err := os.WriteFile(n.path(name), []byte(text), 0o755); err != nil {
			l.Fatalf("%v", err)
		}
	}
	return n
}

// listen reads the FIFO into the file "lines" until the end of the lab: opened for writing too, so that it never ends.
func (n notifyLog) listen() {
	n.l.Eventually("the FIFO is there", func() bool { _, err := os.Stat(n.fifo); return err == nil })
	fifo, err := os.OpenFile(n.fifo, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		n.l.Fatalf("%v", err)
	}
	lines, err := os.Create(n.path("lines"))
	if err != nil {
		n.l.Fatalf("%v", err)
	}
	go func() {
		defer fifo.Close()
		defer lines.Close()
		_ = fifo.SetReadDeadline(time.Now().Add(2 * time.Minute))
		_, _ = io.Copy(lines, fifo)
	}()
}

func (n notifyLog) path(name string) string { return filepath.Join(n.dir, name) }

func (n notifyLog) lines(name string) []string {
	text, _ := os.ReadFile(n.path(name))
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// told is what the scripts were called with, sorted: keepalived starts them all at once.
func (n notifyLog) told() []string {
	all := n.lines("told")
	slices.Sort(all)
	return all
}

// notifyStory runs one director through its states and answers what was told.
func notifyStory(l *lab.Lab, kind lab.Kind) (scripts, lines []string) {
	s := l.Site(lab.None, 0)
	d := s.D[0]
	n := newNotifyLog(l, d, kind)
	fatal := flag{l, filepath.Join(d.Dir, "fatal")}
	p := n.path
	group := fmt.Sprintf("vrrp_sync_group G1 {\n    group {\n        web\n    }\n    notify_master \"%s 'a b'\"\n    notify %s\n}\n\n", p("group_master"), p("group_any"))
	d.Write(fatal.scriptBlock("fatal", "") + group + s.Text(d, lab.Conf{Priority: 150,
		Global: fmt.Sprintf("enable_script_security\nscript_user root\nvrrp_notify_fifo %s\nvrrp_notify_priority_changes", n.fifo),
		Instance: fmt.Sprintf("track_script {\n    fatal\n}\nnotify_master \"%s one 'two words' \\\"three\\\"\"\nnotify_backup %s\nnotify_fault %s\nnotify_stop %s\nnotify \"%s own\"",
			p("master"), p("backup"), p("fault"), p("stop"), p("any"))}))
	d.Start(kind)
	n.listen()
	wait := func(line string, count int) {
		l.Eventually(fmt.Sprintf("%q is told %d times", line, count), func() bool {
			seen := 0
			for _, got := range n.lines("lines") {
				if strings.HasPrefix(got, line) {
					seen++
				}
			}
			return seen == count
		})
	}
	wait(`GROUP "G1" MASTER 0`, 1)
	fatal.set()
	wait(`GROUP "G1" FAULT 0`, 1)
	fatal.clear()
	wait(`GROUP "G1" MASTER 0`, 2)
	d.Daemon.Signal(syscall.SIGTERM)
	d.Daemon.Wait()
	wait(`GROUP "G1" STOP 0`, 1)
	l.Eventually("the scripts of the stop ran", func() bool { return len(n.lines("told")) >= 20 })
	if _, err := os.Stat(n.fifo); err == nil {
		l.Errorf("%s left its FIFO behind", kind)
	}
	return n.told(), n.lines("lines")
}

func TestNotifyLikeKeepalived(t *testing.T) {
	t.Parallel()
	lab.Scenario(t, "scripts and FIFO as keepalived tells them", func(l *lab.Lab) {
		scripts, lines := notifyStory(l, lab.Keepalived)
		l.Logf("keepalived: %s\n%s", strings.Join(scripts, "; "), strings.Join(lines, "; "))
		ours, ourLines := notifyStory(l, lab.Holdfast)
		l.Logf("Holdfast: %s\n%s", strings.Join(ours, "; "), strings.Join(ourLines, "; "))
		if !slices.Equal(scripts, ours) {
			l.Errorf("scripts were called otherwise than by keepalived:\n%s\nkeepalived:\n%s", strings.Join(ours, "\n"), strings.Join(scripts, "\n"))
		}
		if !slices.Equal(lines, ourLines) {
			l.Errorf("the FIFO got other lines than from keepalived:\n%s\nkeepalived:\n%s", strings.Join(ourLines, "\n"), strings.Join(lines, "\n"))
		}
	})
}

package notify

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/internal/script"
)

// reading opens a FIFO as a reader would and gives what has been written so far.
type reading struct {
	t *testing.T
	f *os.File
	r *bufio.Reader
}

func openReader(t *testing.T, path string) *reading {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &reading{t, f, bufio.NewReader(f)}
}

func (r *reading) lines(n int) string {
	r.t.Helper()
	var all strings.Builder
	for range n {
		_ = r.f.SetReadDeadline(time.Now().Add(20 * time.Second))
		line, err := r.r.ReadString('\n')
		all.WriteString(line)
		if err != nil {
			r.t.Fatalf("%v after %q", err, all.String())
		}
	}
	return all.String()
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); <-time.After(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func config(dir string) Config {
	return Config{
		Instances: []Object{{ID: "eth0/4/51", Name: "VI_1", Master: cmd("m", "x y"), Backup: cmd("b"), Fault: cmd("f"), Stop: cmd("s"),
			Deleted: cmd("d"), Any: cmd("any", "own"), LowerPriority: cmd("low"), ReportDeleted: true, Priorities: true}},
		Groups: []Object{{ID: "G1", Name: "G1", Any: cmd("any")}},
		Virtuals: []Virtual{{ID: "v", Label: "[10.0.0.1]:tcp:80", QuorumUp: cmd("qu"), QuorumDown: cmd("qd"), Omega: true,
			Servers: []Server{{ID: "r", Label: "[10.0.0.2]:tcp:80", Up: cmd("up"), Down: cmd("down")}}}},
		All:  FIFO{Path: filepath.Join(dir, "all")},
		VRRP: FIFO{Path: filepath.Join(dir, "vrrp")},
		LVS:  FIFO{Path: filepath.Join(dir, "lvs")},
	}
}

func TestFormats(t *testing.T) {
	dir := t.TempDir()
	f := &fakeRunner{}
	n := New(f, nil, filepath.Join(dir, "told.json"), nil)
	conf := config(dir)
	n.Apply(conf)
	all, vrrp, lvs := openReader(t, conf.All.Path), openReader(t, conf.VRRP.Path), openReader(t, conf.LVS.Path)
	idle := func() {
		t.Helper()
		eventually(t, "all scripts have run", func() bool { n.queues.mu.Lock(); defer n.queues.mu.Unlock(); return len(n.queues.objects) == 0 })
	}
	step := func(do func(), wantRan, wantLines string, pipes ...*reading) {
		t.Helper()
		do()
		idle()
		if got := f.ran(); got != wantRan {
			t.Errorf("ran %q, want %q", got, wantRan)
		}
		for _, p := range pipes {
			if got := p.lines(strings.Count(wantLines, "\n")); got != wantLines {
				t.Errorf("%s: lines %q, want %q", p.f.Name(), got, wantLines)
			}
		}
	}
	const id = "eth0/4/51"
	step(func() { n.Instance(id, Backup, 100, "") }, "b, any own INSTANCE VI_1 BACKUP 100", "INSTANCE \"VI_1\" BACKUP 100\n", all, vrrp)
	step(func() { n.Instance(id, Backup, 100, "") }, "", "")
	step(func() { n.Instance(id, Master, 150, "") }, "m 'x y', any own INSTANCE VI_1 MASTER 150", "INSTANCE \"VI_1\" MASTER 150\n", all, vrrp)
	step(func() { n.Group("G1", Master, "") }, "any GROUP G1 MASTER 0", "GROUP \"G1\" MASTER 0\n", all, vrrp)
	step(func() { n.LowerPriority(id, 150) }, "low", "INSTANCE \"VI_1\" MASTER_RX_LOWER_PRI 150\n", all, vrrp)
	step(func() { n.Priority(id, Master, 140) }, "", "INSTANCE \"VI_1\" MASTER_PRIORITY 140\n", all, vrrp)
	step(func() { n.Priority(id, Fault, 140) }, "", "")
	step(func() { n.Instance(id, Fault, 150, "") }, "f, any own INSTANCE VI_1 FAULT 150", "INSTANCE \"VI_1\" FAULT 150\n", all, vrrp)
	step(func() { n.Quorum("v", true, "") }, "qu", "VS [10.0.0.1]:tcp:80 UP\n", all, lvs)
	step(func() { n.Server("v", "r", true, true, "") }, "", "")
	step(func() { n.Server("v", "r", true, false, "") }, "", "")
	step(func() { n.Server("v", "r", false, false, "") }, "down", "RS [10.0.0.2]:tcp:80 [10.0.0.1]:tcp:80 DOWN\n", all, lvs)
	step(func() { n.Server("v", "r", true, false, "") }, "up", "RS [10.0.0.2]:tcp:80 [10.0.0.1]:tcp:80 UP\n", all, lvs)
	step(func() { n.Sync([]Current{{ID: id, State: Fault}}, []Current{{ID: "G1", State: Master}}) }, "", "")
	step(func() { n.Sync([]Current{{ID: id, State: Backup, Priority: 9}, {ID: "unknown", State: Master}}, nil) },
		"b, any own INSTANCE VI_1 BACKUP 9", "INSTANCE \"VI_1\" BACKUP 9\n", all, vrrp)

	conf.StatesOnReload = true
	step(func() { n.Apply(conf) }, "", "INSTANCE \"VI_1\" BACKUP 9\nGROUP \"G1\" MASTER 0\n", all, vrrp)
	conf.StatesOnReload = false
	gone := conf
	gone.Instances = nil
	step(func() { n.Apply(gone) }, "d, any own INSTANCE VI_1 DELETED 9", "INSTANCE \"VI_1\" DELETED 9\n", all, vrrp)
	conf.Instances[0].ReportDeleted = false
	step(func() { n.Apply(conf); n.Instance(id, Master, 150, "") }, "m 'x y', any own INSTANCE VI_1 MASTER 150", "INSTANCE \"VI_1\" MASTER 150\n", all, vrrp)
	step(func() { n.Apply(gone) }, "f, any own INSTANCE VI_1 FAULT 150", "INSTANCE \"VI_1\" FAULT 150\n", all, vrrp)
	step(func() { n.Apply(conf); n.Instance(id, Master, 150, "") }, "m 'x y', any own INSTANCE VI_1 MASTER 150", "INSTANCE \"VI_1\" MASTER 150\n", all, vrrp)

	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	n.Close(ctx)
	if got := all.lines(4); got != "RS [10.0.0.2]:tcp:80 [10.0.0.1]:tcp:80 DOWN\nVS [10.0.0.1]:tcp:80 DOWN\nINSTANCE \"VI_1\" STOP 150\nGROUP \"G1\" STOP 0\n" {
		t.Errorf("at the end: %q", got)
	}
	for _, want := range []string{"s, any own INSTANCE VI_1 STOP 150", "any GROUP G1 STOP 0", "down", "qd"} {
		if got := strings.Join(f.log, ", "); !strings.Contains(got, want) {
			t.Errorf("ran %s, without %s", got, want)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	n.Close(ctx)
	n.Instance(id, Master, 1, "too late")
}

func TestRestartTellsOnlyNews(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "told.json")
	f := &fakeRunner{}
	conf := config(dir)
	n := New(f, nil, file, nil)
	n.Apply(conf)
	n.Instance("eth0/4/51", Master, 150, "")
	n.Server("v", "r", true, true, "")
	eventually(t, "the states are recorded", func() bool {
		text, _ := os.ReadFile(file)
		return strings.Contains(string(text), "MASTER") && strings.Contains(string(text), "UP")
	})
	n.Abandon() // as good as killed
	again := &fakeRunner{}
	m := New(again, nil, file, nil)
	m.Apply(conf)
	m.Sync([]Current{{ID: "eth0/4/51", State: Master, Priority: 150}}, []Current{{ID: "G1", State: Backup}})
	m.Server("v", "r", false, true, "failed while nobody looked")
	eventually(t, "what changed is told", func() bool {
		again.mu.Lock()
		defer again.mu.Unlock()
		return len(again.log) == 2
	})
	if got := again.ran(); got != "any GROUP G1 BACKUP 0, down" && got != "down, any GROUP G1 BACKUP 0" {
		t.Errorf("ran %s", got)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	m.Close(ctx)
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.WriteFile(file, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	bus, events := record()
	newTold(file, bus)
	if got := events.take(); !strings.Contains(got, "notify.problem") {
		t.Errorf("a broken record is told and ignored: %q", got)
	}
}

func TestPipeProblems(t *testing.T) {
	dir := t.TempDir()
	bus, events := record()
	path := filepath.Join(dir, "not-a-fifo")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	n := New(&fakeRunner{}, nil, "", bus)
	conf := Config{Instances: []Object{{ID: "i", Name: "VI"}}, All: FIFO{Path: path}, VRRP: FIFO{Path: filepath.Join(dir, "f")}}
	n.Apply(conf)
	if got := events.take(); !strings.Contains(got, "notify.problem") {
		t.Errorf("got %q", got)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error("a foreign file must stay")
	}
	for i := range 5000 { // nobody reads: the pipe (64 KiB) fills up, and nothing blocks
		n.Instance("i", []State{Master, Backup}[i%2], i, "")
	}
	if got := events.take(); !strings.Contains(got, "notify.lost") {
		t.Errorf("got %q", got)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	n.Close(ctx)
}

func TestReaderIsStartedAndFinishes(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	reader := filepath.Join(dir, "reader.sh")
	if err := os.WriteFile(reader, []byte("#!/bin/sh\nwhile read line; do echo \"$line\" >> "+out+"; done < \"$1\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	runner, readers := script.NewPool(4), script.NewPool(4)
	defer runner.Close()
	defer readers.Close()
	n := New(runner, readers, "", nil)
	conf := Config{Instances: []Object{{ID: "i", Name: "VI"}}, All: FIFO{Path: filepath.Join(dir, "f"), Reader: cmd(reader)}}
	n.Apply(conf)
	n.Instance("i", Master, 7, "")
	text := func() string { b, _ := os.ReadFile(out); return string(b) }
	eventually(t, "the reader got the line", func() bool { return text() == "INSTANCE \"VI\" MASTER 7\n" })
	n.Apply(conf)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	n.Close(ctx)
	if got := text(); got != "INSTANCE \"VI\" MASTER 7\nINSTANCE \"VI\" STOP 7\n" {
		t.Errorf("the reader must see the end of the story: %q", got)
	}
}

// The log names an instance as the configuration does, not by what identifies it.
func TestTheLogNamesObjectsAsPeopleDo(t *testing.T) {
	bus, events := record()
	n := New(&fakeRunner{result: script.Result{Exit: 1}}, nil, "", bus)
	n.Apply(Config{Instances: []Object{{ID: "eth0/4/51", Name: "VI_1", Master: script.Command{Argv: []string{"m"}}}}})
	n.Instance("eth0/4/51", Master, 150, "")
	eventually(t, "the script has failed", func() bool { return strings.Contains(events.take(), "notify.failed INSTANCE VI_1 MASTER") })
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	n.Close(ctx)
}

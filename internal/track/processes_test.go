package track

import (
	"encoding/binary"
	"os/exec"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

func TestProcessMatches(t *testing.T) {
	nginx := process{comm: "nginx", args: []string{"/usr/sbin/nginx", "-g", "daemon off;"}}
	for _, c := range []struct {
		name string
		conf Process
		p    process
		want bool
	}{
		{"by name", Process{Name: "nginx"}, nginx, true},
		{"another name", Process{Name: "ngin"}, nginx, false},
		{"a long name is cut as the kernel does", Process{Name: "a-very-long-daemon-name"}, process{comm: "a-very-long-dae"}, true},
		{"full command", Process{Name: "/usr/sbin/nginx", FullCommand: true}, nginx, true},
		{"full command is not the name", Process{Name: "nginx", FullCommand: true}, nginx, false},
		{"kernel thread has no command", Process{Name: "kworker", FullCommand: true}, process{comm: "kworker"}, false},
		{"exact", Process{Name: "nginx", Match: MatchExact, Params: []string{"-g", "daemon off;"}}, nginx, true},
		{"exact, one too few", Process{Name: "nginx", Match: MatchExact, Params: []string{"-g"}}, nginx, false},
		{"exact, none wanted", Process{Name: "nginx", Match: MatchExact}, nginx, false},
		{"initial", Process{Name: "nginx", Match: MatchInitial, Params: []string{"-g"}}, nginx, true},
		{"initial, wrong", Process{Name: "nginx", Match: MatchInitial, Params: []string{"-c"}}, nginx, false},
		{"initial, too many", Process{Name: "nginx", Match: MatchInitial, Params: []string{"-g", "daemon off;", "x"}}, nginx, false},
		{"partial", Process{Name: "nginx", Match: MatchPartial, Params: []string{"-g", "daemon"}}, nginx, true},
		{"partial only for the last", Process{Name: "nginx", Match: MatchPartial, Params: []string{"-", "daemon"}}, nginx, false},
		{"params of a kernel thread", Process{Name: "x", Match: MatchExact}, process{comm: "x"}, true},
	} {
		if got := c.conf.matches(c.p); got != c.want {
			t.Errorf("%s: got %v", c.name, got)
		}
	}
}

func TestQuorum(t *testing.T) {
	for _, c := range []struct {
		quorum, max, running int
		want                 bool
	}{{1, -1, 0, false}, {1, -1, 1, true}, {2, 3, 1, false}, {2, 3, 3, true}, {2, 3, 4, false}, {0, 0, 0, true}, {0, 0, 1, false}} {
		if got := (Process{Quorum: c.quorum, QuorumMax: c.max}).enough(c.running); got != c.want {
			t.Errorf("%+v: got %v", c, got)
		}
	}
}

// fakeTable is a process table the test writes.
type fakeTable struct {
	mu sync.Mutex
	ps map[int]process
}

func (f *fakeTable) pids() (all []int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for pid := range f.ps {
		all = append(all, pid)
	}
	return all
}

func (f *fakeTable) read(pid int) (process, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, ok := f.ps[pid]
	return p, ok
}

func (f *fakeTable) set(pid int, comm string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if comm == "" {
		delete(f.ps, pid)
	} else {
		f.ps[pid] = process{comm: comm}
	}
}

func TestProcessDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got seen
		table := &fakeTable{ps: map[int]process{}}
		s := New(nil, got.give, nil)
		events := make(chan procEvent)
		s.processes = startProcessWatch(s, table, events)
		s.Apply(nil, nil, []Process{
			{ID: "process/quick", Name: "d", QuorumMax: -1},
			{ID: "process/slow", Name: "d", QuorumMax: -1, TerminateDelay: 3 * time.Second, ForkDelay: 2 * time.Second},
		})
		synctest.Wait()
		if v := got.take(); v != "process/quick failed, process/slow failed" && v != "process/slow failed, process/quick failed" {
			t.Errorf("at first: %s", v)
		}
		step := func(do func(), after time.Duration, want string) {
			t.Helper()
			do()
			<-time.After(after)
			synctest.Wait()
			if v := got.take(); v != want {
				t.Errorf("gave %q, want %q", v, want)
			}
		}
		step(func() { table.set(7, "d"); events <- procEvent{kind: procChanged, pid: 7} }, 0, "process/quick ok")
		step(func() {}, 1900*time.Millisecond, "")
		step(func() {}, 200*time.Millisecond, "process/slow ok")
		step(func() { table.set(7, ""); events <- procEvent{kind: procGone, pid: 7} }, 0, "process/quick failed")
		step(func() { table.set(8, "d"); events <- procEvent{kind: procChanged, pid: 8} }, time.Minute, "process/quick ok")
		step(func() { events <- procEvent{kind: procForked, pid: 9, parent: 8}; table.set(9, "d"); table.set(8, "") },
			0, "")
		step(func() { events <- procEvent{kind: procGone, pid: 8} }, time.Minute, "")
		step(func() { table.set(9, "") }, 1100*time.Millisecond, "process/quick failed")
		step(func() { close(events) }, 10*time.Second, "process/slow failed")
		s.Close()
	})
}

func TestRealProcess(t *testing.T) {
	var got seen
	s := New(nil, got.give, nil)
	defer s.Close()
	s.Apply(nil, nil, []Process{{ID: "process/s", Name: "sleep", Match: MatchExact, Params: []string{"1234.567"}, QuorumMax: -1}})
	is := func(want bool) func() bool {
		return func() bool { v := s.Values(); return len(v) == 1 && v[0].Known && v[0].OK == want }
	}
	within(t, "no such process runs", is(false))
	cmd := exec.Command("sleep", "1234.567")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	within(t, "it is seen", is(true))
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	within(t, "its end is seen", is(false))
}

// datagram is a connector message as linux/connector.h and linux/cn_proc.h lay it out.
func datagram(what uint32, words ...uint32) []byte {
	ne := binary.NativeEndian
	b := make([]byte, unix.SizeofNlMsghdr)
	b = ne.AppendUint32(b, 1)
	b = ne.AppendUint32(b, 1)
	b = append(b, make([]byte, 12)...)
	b = ne.AppendUint32(b, what)
	b = append(b, make([]byte, 12)...)
	for _, w := range words {
		b = ne.AppendUint32(b, w)
	}
	return append(b, 0, 0, 0, 0)
}

func TestParseProcEvent(t *testing.T) {
	for _, c := range []struct {
		name string
		b    []byte
		want procEvent
		ok   bool
	}{
		{"agreed", datagram(whatNone, 0), procEvent{kind: procListening}, true},
		{"not permitted", datagram(whatNone, 1), procEvent{kind: procListening}, false},
		{"fork", datagram(whatFork, 10, 10, 11, 11), procEvent{kind: procForked, pid: 11, parent: 10}, true},
		{"a new thread", datagram(whatFork, 10, 10, 11, 10), procEvent{kind: procForked, pid: 10, parent: 10}, false},
		{"exec", datagram(whatExec, 11, 11), procEvent{kind: procChanged, pid: 11}, true},
		{"exit", datagram(whatExit, 11, 11, 0, 17), procEvent{kind: procGone, pid: 11}, true},
		{"a thread's exit", datagram(whatExit, 12, 11, 0, 17), procEvent{kind: procGone, pid: 11}, false},
		{"short", make([]byte, 20), procEvent{}, false},
		{"short fork", datagram(whatFork, 10), procEvent{}, false},
	} {
		if got, ok := parseProcEvent(c.b); got != c.want && c.ok || ok != c.ok {
			t.Errorf("%s: got %+v %v", c.name, got, ok)
		}
	}
}

func FuzzParseProcEvent(f *testing.F) {
	f.Add(datagram(whatFork, 1, 1, 2, 2))
	f.Add(datagram(whatExit, 1, 1, 2, 2))
	f.Add([]byte{})
	f.Fuzz(func(_ *testing.T, b []byte) { parseProcEvent(b) })
}

package script

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The first start of a child by a process whose parent ignores signals starts os/signal's goroutine, once and for ever; it must
// not count as one of ours.
var _ = func() Result {
	p := NewPool(1)
	defer p.Close()
	return p.Run(context.Background(), "", Command{Argv: []string{"true"}})
}()

func pool(t *testing.T, limit int) *Pool {
	t.Helper()
	before := runtime.NumGoroutine()
	p := NewPool(limit)
	t.Cleanup(func() {
		p.Close()
		eventually(t, "every goroutine of the pool ends", func() bool { return runtime.NumGoroutine() <= before })
	})
	return p
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Errorf("never: %s", what)
			return
		}
		runtime.Gosched()
		<-time.After(2 * time.Millisecond)
	}
}

func sh(s string) Command { return Command{Shell: s} }

func TestResults(t *testing.T) {
	p := pool(t, 4)
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		f := filepath.Join(dir, name)
		if err := os.WriteFile(f, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return f
	}
	noInterpreter := file("plain", "echo plain $1\nexit 3\n", 0o755)
	notExecutable := file("data", "#!/bin/sh\n", 0o644)
	for _, c := range []struct {
		name string
		cmd  Command
		want Result
		err  string
	}{
		{"ok", sh("exit 0"), Result{}, ""},
		{"argv", Command{Argv: []string{"printf", "%s|%s", "a b", "$HOME"}}, Result{Output: "a b|$HOME"}, ""},
		{"both streams", sh("echo out; echo err >&2; exit 7"), Result{Exit: 7, Output: "out\nerr\n"}, ""},
		{"signal", sh("kill -9 $$"), Result{Exit: -1, Signal: syscall.SIGKILL}, ""},
		{"no #! line", Command{Argv: []string{noInterpreter, "x"}}, Result{Exit: 3, Output: "plain x\n"}, ""},
		{"not executable", Command{Argv: []string{notExecutable}}, Result{Exit: -1}, "make the file executable"},
		{"missing", Command{Argv: []string{"/no/such"}}, Result{Exit: -1}, "does not exist"},
		{"not in PATH", Command{Argv: []string{"no-such-program-anywhere"}}, Result{Exit: -1}, "no directory of PATH"},
		{"empty", Command{}, Result{Exit: -1}, "no program is named"},
		{"NUL", Command{Argv: []string{"a\x00b"}}, Result{Exit: -1}, "NUL byte"},
		{"no such user", Command{Argv: []string{"true"}, User: "nobody-of-this-name"}, Result{Exit: -1}, "nobody-of-this-name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := p.Run(context.Background(), c.name, c.cmd)
			if (got.Err != nil) != (c.err != "") || got.Err != nil && !strings.Contains(got.Err.Error(), c.err) {
				t.Fatalf("error %v, want one with %q", got.Err, c.err)
			}
			got.Err, got.Took = nil, 0
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	p := pool(t, 1)
	got := p.Run(context.Background(), "", Command{Shell: "id -u; id -g; id -G", User: "nobody"})
	if got.Output != "65534\n65534\n65534\n" {
		t.Errorf("as nobody, without root's groups: got %q (%v)", got.Output, got.Err)
	}
	got = p.Run(context.Background(), "", Command{Shell: "id -u; id -g", User: "12345", Group: "23456"})
	if got.Output != "12345\n23456\n" {
		t.Errorf("by number: got %q (%v)", got.Output, got.Err)
	}
}

func TestEnvironmentIsClean(t *testing.T) {
	clean := Environment([]string{"IFS=x", "LD_PRELOAD=/evil.so", "LD_LIBRARY_PATH=/evil", "NOTIFY_SOCKET=/run/x", "HOLDFAST_FD=3", "HOME=/root", "LANG=C"})
	want := "HOME=/root LANG=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	if got := strings.Join(clean, " "); got != want {
		t.Errorf("got %s", got)
	}
	p := pool(t, 1)
	p.Env = clean
	got := p.Run(context.Background(), "", Command{Argv: []string{"env"}, Env: []string{"EXTRA=1"}})
	if got.Output != strings.ReplaceAll(want, " ", "\n")+"\nEXTRA=1\n" {
		t.Errorf("the program saw %q", got.Output)
	}
}

func TestTimeoutKillsTheWholeGroup(t *testing.T) {
	p := pool(t, 1)
	pids := filepath.Join(t.TempDir(), "pids")
	got := p.Run(context.Background(), "", Command{
		Shell:   fmt.Sprintf("(trap '' TERM; sleep 1000) & echo $! > %s; sleep 1000", pids),
		Timeout: 300 * time.Millisecond})
	if !got.TimedOut || got.OK() {
		t.Fatalf("got %+v", got)
	}
	text, err := os.ReadFile(pids)
	if err != nil {
		t.Fatal(err)
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	eventually(t, "the stubborn child of the killed script is gone", func() bool { return dead(pid) })
}

// dead says that no process of that number runs; a zombie that waits for its (foreign) parent counts as dead.
func dead(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(state, "Z")
}

func TestStubbornScriptIsKilled(t *testing.T) {
	p := pool(t, 1)
	got := p.Run(context.Background(), "", Command{Shell: "trap '' TERM; while :; do sleep 0.05; done", Timeout: 100 * time.Millisecond})
	if !got.TimedOut || got.Took < KillAfter || got.Took > 5*KillAfter {
		t.Errorf("SIGKILL must follow after %v: %+v", KillAfter, got)
	}
}

func TestOutputIsCapped(t *testing.T) {
	p := pool(t, 1)
	got := p.Run(context.Background(), "", sh("head -c 1000000 /dev/zero | tr '\\0' x"))
	if !got.OK() || len(got.Output) != MaxOutput || !got.Truncated {
		t.Errorf("got %d bytes, truncated %v, %s", len(got.Output), got.Truncated, got.Reason())
	}
}

func TestBackgroundChildDoesNotHoldTheResult(t *testing.T) {
	p := pool(t, 1)
	got := p.Run(context.Background(), "", sh("echo started; sleep 1000 & echo $!"))
	if !got.OK() {
		t.Fatalf("got %+v", got)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(got.Output, "started\n")))
	if err != nil {
		t.Fatal(err)
	}
	if dead(pid) {
		t.Error("a service a script starts must survive the script")
	}
	_ = unix.Kill(pid, unix.SIGKILL)
}

func TestOneKeyNeverRunsTwiceAtOnce(t *testing.T) {
	p := pool(t, 8)
	log := filepath.Join(t.TempDir(), "log")
	var all sync.WaitGroup
	for i := range 10 {
		cmd := sh(fmt.Sprintf("echo begin %d >> %s; sleep 0.01; echo end %d >> %s", i, log, i, log))
		all.Go(func() { p.Run(context.Background(), "k", cmd) })
	}
	all.Wait()
	text, _ := os.ReadFile(log)
	inside := ""
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		what, who, _ := strings.Cut(line, " ")
		if what == "begin" && inside != "" || what == "end" && inside != who {
			t.Fatalf("runs overlap:\n%s", text)
		}
		inside = map[string]string{"begin": who, "end": ""}[what]
	}
	if strings.Count(string(text), "end") != 10 {
		t.Errorf("a run is missing:\n%s", text)
	}
}

func TestLanesKeepTheOrder(t *testing.T) {
	var l lanes
	if err := l.enter(context.Background(), "k"); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var order []int
	var all sync.WaitGroup
	gone, cancel := context.WithCancel(context.Background())
	for i := range 5 {
		ctx := context.Background()
		if i == 2 {
			ctx = gone
		}
		all.Go(func() {
			if l.enter(ctx, "k") == nil {
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				l.leave("k")
			}
		})
		eventually(t, "waits", func() bool { l.mu.Lock(); defer l.mu.Unlock(); return len(l.busy["k"]) == i+1 })
	}
	cancel()
	eventually(t, "the cancelled caller leaves the line", func() bool { l.mu.Lock(); defer l.mu.Unlock(); return len(l.busy["k"]) == 4 })
	l.leave("k")
	all.Wait()
	if fmt.Sprint(order) != "[0 1 3 4]" || len(l.busy) != 0 {
		t.Errorf("order %v, left %v", order, l.busy)
	}
}

func TestCancelAndClose(t *testing.T) {
	p := pool(t, 1)
	started := filepath.Join(t.TempDir(), "started")
	running := make(chan Result, 1)
	go func() {
		running <- p.Run(context.Background(), "a", sh("touch "+started+"; sleep 1000"))
	}()
	eventually(t, "the script runs", func() bool { _, err := os.Stat(started); return err == nil })
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, key := range []string{"a", "b"} {
		if got := p.Run(ctx, key, sh("exit 0")); !errors.Is(got.Err, context.Canceled) {
			t.Errorf("a cancelled call must not wait for its turn: %+v", got)
		}
	}
	p.Close()
	if got := <-running; !errors.Is(got.Err, ErrClosed) {
		t.Errorf("Close must end what runs: %+v", got)
	}
	if got := p.Run(context.Background(), "", sh("exit 0")); !errors.Is(got.Err, ErrClosed) {
		t.Errorf("a closed pool must refuse: %+v", got)
	}
	p.Close()
}

func TestNoMoreThanTheLimit(t *testing.T) {
	p := pool(t, 3)
	dir := t.TempDir()
	var all sync.WaitGroup
	most := make(chan int, 12)
	for i := range 12 {
		all.Go(func() {
			got := p.Run(context.Background(), "", sh(fmt.Sprintf("cd %s; touch r%d; ls | wc -l; rm r%d", dir, i, i)))
			n, _ := strconv.Atoi(strings.TrimSpace(got.Output))
			most <- n
		})
	}
	all.Wait()
	close(most)
	for n := range most {
		if n > 3 {
			t.Errorf("%d ran at once", n)
		}
	}
}

func TestCommandText(t *testing.T) {
	c := Command{Argv: []string{"/bin/x", "a b"}}.With("INSTANCE", "VI 1")
	if got := c.String(); got != "/bin/x 'a b' INSTANCE 'VI 1'" {
		t.Errorf("got %s", got)
	}
	if got := sh("a | b").With("it's").String(); got != `a | b 'it'\''s'` {
		t.Errorf("got %s", got)
	}
	if !c.Equal(c) || c.Equal(sh("x")) {
		t.Error("Equal")
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	before := descriptors(t)
	p := pool(t, 8)
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i)*time.Millisecond)
			defer cancel()
			p.Run(ctx, strconv.Itoa(i%7), Command{Shell: "sleep 0.02 & sleep 0.01; echo $$", Timeout: 10 * time.Millisecond})
		})
	}
	all.Wait()
	p.Close()
	eventually(t, "no descriptor is left", func() bool { return descriptors(t) <= before })
	var status unix.WaitStatus
	if pid, err := unix.Wait4(-1, &status, unix.WNOHANG, nil); err == nil && pid > 0 {
		t.Errorf("child %d was not reaped", pid)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

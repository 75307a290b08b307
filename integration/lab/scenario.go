//go:build linux

package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Patience is how long a wait may take before a scenario gives up on it. Build machines are slow and noisy: it says "broken", never "late". LAB_PATIENCE=20s changes it.
var Patience = duration("LAB_PATIENCE", time.Minute)

// duration is a variable of the environment, or what is usual.
func duration(name string, usual time.Duration) time.Duration {
	if d, err := time.ParseDuration(os.Getenv(name)); err == nil {
		return d
	}
	return usual
}

// PollEvery is how often a wait looks. In an emulated machine each look is felt.
var PollEvery = 25 * time.Millisecond

// scenarioLimit ends a scenario that hangs. HOLDFAST_SCENARIO_LIMIT changes it.
var scenarioLimit = duration("HOLDFAST_SCENARIO_LIMIT", 10*time.Minute)

// Lab is one run of one scenario: its nodes, processes and story.
type Lab struct {
	// Dir is the scenario's own directory, on a tmpfs.
	Dir string

	name    string
	start   time.Time
	mu      sync.Mutex
	ends    []func()
	nodes   []*Node
	procs   []*Process
	story   []string
	errs    []string
	notes   []string
	say     func(string)
	stopped bool
}

// floor is where scenarios run: several at a time side by side, or one alone.
var floor sync.RWMutex

// Scenario runs f in a fresh lab, side by side with other scenarios: each has namespaces of its own, and most of its time is waiting for timers. A run that fails is
// repeated up to twice in a new lab, alone, with a loud line that says so and why: on a starved machine one bad run proves little, three prove something.
func Scenario(t *testing.T, name string, f func(l *Lab)) {
	t.Helper()
	scenario(t, name, false, f)
}

// Alone is Scenario for what measures milliseconds: nothing else runs meanwhile.
func Alone(t *testing.T, name string, f func(l *Lab)) {
	t.Helper()
	scenario(t, name, true, f)
}

func scenario(t *testing.T, name string, alone bool, f func(l *Lab)) {
	t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
		t.Parallel()
		say := func(line string) { fmt.Printf("[%s] %s\n", name, line) }
		const tries = 3
		for try := 1; ; try++ {
			var l *Lab
			if alone || try > 1 {
				floor.Lock()
				l = attempt(name, f, say)
				floor.Unlock()
			} else {
				floor.RLock()
				l = attempt(name, f, say)
				floor.RUnlock()
			}
			if len(l.errs) == 0 {
				note := strings.Join(l.notes, "; ")
				if try > 1 {
					note = fmt.Sprintf("passed in run %d of %d; %s", try, tries, note)
				}
				fmt.Printf("=== held: %s (%.1f s) %s\n", name, time.Since(l.start).Seconds(), note)
				return
			}
			log := l.keep()
			if try == tries {
				for _, e := range l.errs {
					t.Errorf("%s: %s", name, e)
				}
				t.Errorf("%s: failed %d times; story and logs: %s", name, tries, log)
				return
			}
			fmt.Printf("\n!!!!! RETRY %d of %d: %s: %s\n!!!!! story and logs of the failed run: %s\n\n", try, tries-1, name, strings.Join(l.errs, " | "), log)
		}
	})
}

// Once runs f in a fresh lab, telling its story through say, and returns what went wrong.
func Once(name string, say func(string), f func(l *Lab)) error {
	l := attempt(name, f, say)
	if len(l.errs) > 0 {
		return errors.New(strings.Join(l.errs, "\n"))
	}
	return nil
}

func printLine(s string) { fmt.Println(s) }

func attempt(name string, f func(*Lab), say func(string)) *Lab {
	l := &Lab{name: name, start: time.Now(), say: say}
	dir, err := os.MkdirTemp(tmpfs(), "holdfast-lab-")
	if err != nil {
		l.errs = append(l.errs, err.Error())
		return l
	}
	l.Dir = dir
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				buf := make([]byte, 8192)
				l.Errorf("panic: %v\n%s", p, buf[:runtime.Stack(buf, false)])
			}
		}()
		f(l)
	}()
	hung := false
	select {
	case <-done:
	case <-time.After(scenarioLimit):
		buf := make([]byte, 1<<16)
		l.Errorf("still running after %v\n%s", scenarioLimit, buf[:runtime.Stack(buf, true)])
		hung = true
	}
	l.mu.Lock()
	l.stopped = true
	failed := len(l.errs) > 0
	l.mu.Unlock()
	if failed && !hung {
		l.dump()
	}
	for _, p := range l.procs {
		p.end()
	}
	if !hung {
		for i := len(l.ends) - 1; i >= 0; i-- {
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				l.ends[i]()
			}()
			select {
			case <-ended:
			case <-time.After(20 * time.Second):
				printLine("!!!!! the lab could not clear away everything of " + name)
			}
		}
		os.RemoveAll(l.Dir)
	}
	return l
}

// tmpfs is a directory in memory: adoption is promised only there.
func tmpfs() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return os.TempDir()
}

func (l *Lab) atEnd(f func()) { l.ends = append(l.ends, f) }

// Logf adds a line to the story, with the time since the scenario's start.
func (l *Lab) Logf(format string, a ...any) {
	line := fmt.Sprintf("    %7.2f  %s", time.Since(l.start).Seconds(), fmt.Sprintf(format, a...))
	l.mu.Lock()
	l.story = append(l.story, line)
	l.mu.Unlock()
	if l.say != nil {
		l.say(line)
	}
}

// Step announces the next step.
func (l *Lab) Step(format string, a ...any) { l.Logf("-- "+format, a...) }

// Note keeps a measured value for the line that tells that the scenario held.
func (l *Lab) Note(format string, a ...any) {
	s := fmt.Sprintf(format, a...)
	l.mu.Lock()
	l.notes = append(l.notes, s)
	l.mu.Unlock()
	l.Logf("measured: %s", s)
}

// Errorf records a failure and goes on.
func (l *Lab) Errorf(format string, a ...any) {
	s := fmt.Sprintf(format, a...)
	l.Logf("FAILED: %s", s)
	l.mu.Lock()
	l.errs = append(l.errs, s)
	l.mu.Unlock()
}

// Failures are what Errorf recorded so far.
func (l *Lab) Failures() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.errs...)
}

// Fatalf records a failure and ends the scenario. It must be called from the scenario's own goroutine.
func (l *Lab) Fatalf(format string, a ...any) {
	l.Errorf(format, a...)
	runtime.Goexit()
}

// Eventually polls until cond holds and returns how long that took; after Patience the scenario fails.
func (l *Lab) Eventually(what string, cond func() bool) time.Duration {
	return l.Within(Patience, what, cond)
}

// Within is Eventually with a deadline of its own.
func (l *Lab) Within(limit time.Duration, what string, cond func() bool) time.Duration {
	start := time.Now()
	for {
		if cond() {
			return time.Since(start)
		}
		if time.Since(start) > limit {
			l.Fatalf("not within %v: %s", limit, what)
		}
		time.Sleep(PollEvery)
	}
}

// Throughout fails the scenario if cond is ever seen false during d.
func (l *Lab) Throughout(d time.Duration, what string, cond func() bool) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(PollEvery) {
		if !cond() {
			l.Fatalf("did not stay so: %s", what)
		}
	}
}

// dump adds to the story what an engineer would look at first.
func (l *Lab) dump() {
	for _, n := range l.nodes {
		for _, argv := range [][]string{{"ip", "addr"}, {"ip", "neigh"}, {"ipvsadm", "-Ln"}} {
			if out, err := n.Try(argv...); err == nil {
				l.story = append(l.story, fmt.Sprintf("---- %s: %s\n%s", n.Name, strings.Join(argv, " "), out))
			}
		}
	}
	// What still runs says where it stands: a Go program answers SIGQUIT with its goroutines.
	for _, p := range l.procs {
		if strings.HasPrefix(p.Name, string(Holdfast)) && p.Running() {
			for _, pid := range p.Family() {
				_ = syscall.Kill(pid, syscall.SIGQUIT)
			}
			for end := time.Now().Add(3 * time.Second); p.Running() && time.Now().Before(end); {
				time.Sleep(PollEvery)
			}
		}
	}
	for _, p := range l.procs {
		lines := p.Lines()
		if first := slices.IndexFunc(lines, func(s string) bool { return strings.HasPrefix(s, "SIGQUIT") }); first > 0 {
			l.story = append(l.story, fmt.Sprintf("---- goroutines of %s\n%s", p.Name, strings.Join(lines[first:], "\n")))
			lines = lines[:first]
		}
		if len(lines) > 80 {
			lines = lines[len(lines)-80:]
		}
		l.story = append(l.story, fmt.Sprintf("---- last lines of %s\n%s", p.Name, strings.Join(lines, "\n")))
	}
}

// keep writes the story to a file and its end to the output; it returns the file's name.
func (l *Lab) keep() string {
	dir := os.Getenv("LAB_LOGS")
	if dir == "" {
		dir = os.TempDir()
	}
	if info, err := os.Stat("/lab-out"); err == nil && info.IsDir() {
		dir = "/lab-out"
	}
	text := strings.Join(l.story, "\n") + "\n"
	path := filepath.Join(dir, fmt.Sprintf("holdfast-lab-%s-%d.log", strings.ReplaceAll(l.name, " ", "-"), time.Now().UnixNano()))
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		path = err.Error()
	}
	if len(text) > 20000 {
		text = "[...]\n" + text[len(text)-20000:]
	}
	fmt.Printf("---- story of the failed run\n%s---- end of story\n", text)
	return path
}

package track

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/script"
)

// fakeRunner answers with what the test prepared, after the time the test gives.
type fakeRunner struct {
	mu      sync.Mutex
	begin   time.Time
	starts  []string // "NAME@offset"
	running map[string]int
	takes   time.Duration
	answer  func(key string, n int) script.Result
	n       map[string]int
	cut     int
}

func newFake(answer func(string, int) script.Result) *fakeRunner {
	return &fakeRunner{begin: time.Now(), running: map[string]int{}, n: map[string]int{}, answer: answer}
}

func (f *fakeRunner) Run(ctx context.Context, key string, c script.Command) script.Result {
	f.mu.Lock()
	f.starts = append(f.starts, fmt.Sprintf("%s@%v", key, time.Since(f.begin)))
	f.running[key]++
	if f.running[key] > 1 {
		panic("two runs of " + key)
	}
	n := f.n[key]
	f.n[key]++
	takes, answer := f.takes, f.answer
	f.mu.Unlock()
	defer func() { f.mu.Lock(); f.running[key]--; f.mu.Unlock() }()
	if takes > 0 {
		select {
		case <-time.After(takes):
		case <-ctx.Done():
			f.mu.Lock()
			f.cut++
			f.mu.Unlock()
			return script.Result{Exit: -1, Err: ctx.Err()}
		}
	}
	return answer(key, n)
}

func always(exit int) func(string, int) script.Result {
	return func(string, int) script.Result { return script.Result{Exit: exit} }
}

// started is what ran since the last call.
func (f *fakeRunner) started() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	got := f.starts
	f.starts = nil
	return got
}

// now changes how runs end from now on.
func (f *fakeRunner) now(answer func(string, int) script.Result) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = answer
}

// runs is how often a script was started, and how many runs of all were cut off.
func (f *fakeRunner) runs(key string) (started, cut int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n[key], f.cut
}

// seen collects what a set gives.
type seen struct {
	mu     sync.Mutex
	values []string
}

func (s *seen) give(v Value) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := "unknown"
	if v.Known {
		text = map[bool]string{true: "ok", false: "failed"}[v.OK]
	}
	if strings.HasPrefix(v.ID, "file/") {
		text = fmt.Sprint(v.Value)
	}
	s.values = append(s.values, v.ID+" "+text)
}

func (s *seen) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := strings.Join(s.values, ", ")
	s.values = nil
	return text
}

func command(text string) script.Command { return script.Command{Shell: text} }

func TestScriptSchedule(t *testing.T) {
	for _, c := range []struct {
		name            string
		interval, takes time.Duration
		watch           time.Duration
		starts          string
	}{
		{"at once, then every interval", 2 * time.Second, 0, 5 * time.Second, "a@0s a@2s a@4s"},
		{"from start to start", 2 * time.Second, 1500 * time.Millisecond, 5 * time.Second, "a@0s a@2s a@4s"},
		{"an overlong run skips beats, is never doubled", 2 * time.Second, 3 * time.Second, 9 * time.Second, "a@0s a@4s a@8s"},
		{"one second by default", 0, 0, 2500 * time.Millisecond, "a@0s a@1s a@2s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(always(0))
				f.takes = c.takes
				s := New(f, func(Value) {}, nil)
				s.Apply([]Script{{ID: "a", Command: command("x"), Interval: c.interval}}, nil, nil)
				<-time.After(c.watch)
				s.Close()
				if got := strings.Join(f.starts, " "); got != c.starts {
					t.Errorf("started %s, want %s", got, c.starts)
				}
			})
		})
	}
}

func TestScriptValuesAndEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got seen
		var events []string
		bus := &event.Bus{}
		bus.Add(func(e event.Event) {
			if e.Kind().Level > event.Debug {
				events = append(events, e.ID+" "+e.Field("reason"))
			}
		})
		exits := []int{0, 1, 1, 1, 0, 0}
		f := newFake(func(_ string, n int) script.Result { return script.Result{Exit: exits[min(n, len(exits)-1)]} })
		s := New(f, got.give, bus)
		s.Apply([]Script{{ID: "a", Command: command("x"), Rise: 2, Fall: 2}}, nil, nil)
		<-time.After(10 * time.Second)
		if v := got.take(); v != "a unknown, a ok, a failed, a ok" {
			t.Errorf("gave %s", v)
		}
		if st := s.Status(); len(st) != 1 || !st[0].OK || st[0].Reason != "exited with status 0" || time.Since(st[0].Since) != 5*time.Second {
			t.Errorf("status %+v", st)
		}
		s.Close()
		want := "track.succeeded exited with status 0, track.failed exited with status 1, track.succeeded exited with status 0"
		if e := strings.Join(events, ", "); e != want {
			t.Errorf("events %s", e)
		}
	})
}

func TestInitFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got seen
		f := newFake(always(0))
		f.takes = 100 * time.Millisecond
		s := New(f, got.give, nil)
		s.Apply([]Script{{ID: "a", Command: command("x"), InitFail: true, Rise: 2}}, nil, nil)
		synctest.Wait()
		if v := got.take(); v != "a failed" {
			t.Errorf("it must count as failed at once: %s", v)
		}
		<-time.After(3 * time.Second)
		if v := got.take(); v != "a ok" {
			t.Errorf("later: %s", v)
		}
		s.Close()
	})
}

func TestReloadKeepsWhatIsUnchanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got seen
		f := newFake(func(key string, n int) script.Result { return script.Result{Exit: map[string]int{"bad": 1}[key]} })
		f.takes = 700 * time.Millisecond
		s := New(f, got.give, nil)
		good := Script{ID: "good", Command: command("x"), Interval: 2 * time.Second}
		bad := Script{ID: "bad", Command: command("y"), Interval: 2 * time.Second, Fall: 3, Rise: 3}
		gone := Script{ID: "gone", Command: command("z")}
		s.Apply([]Script{good, bad, gone}, nil, nil)
		<-time.After(time.Second)
		synctest.Wait()
		got.take()
		s.Apply([]Script{bad, good}, nil, nil) // between their runs; "gone" has just begun its second
		f.started()
		<-time.After(1100 * time.Millisecond)
		if st := f.started(); got.take() != "" || len(st) != 2 || !strings.HasSuffix(st[0], "@2s") || !strings.HasSuffix(st[1], "@2s") {
			t.Errorf("an unchanged script keeps its beat: %v", st)
		}
		s.Apply([]Script{bad, good}, nil, nil) // while both run
		<-time.After(time.Second)
		if _, cut := f.runs(""); cut != 1 { // "gone", which ran when it was removed
			t.Errorf("an unchanged script's run was cut off (%d cut)", cut)
		}
		bad.Interval = 5 * time.Second
		s.Apply([]Script{bad, good}, nil, nil)
		<-time.After(time.Second)
		if v := got.take(); v != "" {
			t.Errorf("a new interval is no new verdict, got %s", v)
		}
		good.Command = command("other")
		f.now(always(1))
		s.Apply([]Script{bad, good}, nil, nil)
		if v := got.take(); v != "" {
			t.Errorf("a new command has no verdict before its first result, got %s", v)
		}
		if v := s.Values(); len(v) != 2 || !v[1].OK {
			t.Errorf("the old verdict holds meanwhile: %+v", v)
		}
		s.Close()
	})
}

func TestAnotherCommandsFirstResultCountsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got seen
		f := newFake(always(0))
		s := New(f, got.give, nil)
		conf := Script{ID: "a", Command: command("x"), Fall: 3}
		s.Apply([]Script{conf}, nil, nil)
		<-time.After(1500 * time.Millisecond)
		got.take()
		f.now(always(1))
		conf.Command = command("other")
		s.Apply([]Script{conf}, nil, nil)
		<-time.After(100 * time.Millisecond)
		if v := got.take(); v != "a failed" {
			t.Errorf("the first result of another command counts alone, got %q", v)
		}
		s.Close()
		n, _ := f.runs("a")
		<-time.After(5 * time.Second)
		if after, _ := f.runs("a"); after != n {
			t.Error("a closed set still runs scripts")
		}
	})
}

package notify

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

// fakeRunner records what is run and takes as long as the test wants.
type fakeRunner struct {
	mu     sync.Mutex
	takes  time.Duration
	result script.Result
	log    []string
	busy   map[string]bool
}

func (f *fakeRunner) Run(ctx context.Context, key string, c script.Command) script.Result {
	f.mu.Lock()
	if f.busy == nil {
		f.busy = map[string]bool{}
	}
	if key != "" && f.busy[key] {
		panic("two runs for " + key)
	}
	f.busy[key] = true
	takes, result := f.takes, f.result
	f.log = append(f.log, c.String())
	f.mu.Unlock()
	defer func() { f.mu.Lock(); f.busy[key] = false; f.mu.Unlock() }()
	limit := c.Timeout
	if limit == 0 {
		limit = 1000 * time.Hour
	}
	t := time.NewTimer(takes)
	defer t.Stop()
	select {
	case <-t.C:
		return result
	case <-time.After(limit):
		return script.Result{Exit: -1, TimedOut: true}
	case <-ctx.Done():
		return script.Result{Exit: -1, Err: context.Cause(ctx)}
	}
}

func (f *fakeRunner) ran() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	text := strings.Join(f.log, ", ")
	f.log = nil
	return text
}

// recorder keeps the events a bus carries.
type recorder struct {
	mu   sync.Mutex
	seen []string
}

func record() (*event.Bus, *recorder) {
	bus, r := &event.Bus{}, &recorder{}
	bus.Add(func(e event.Event) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.seen = append(r.seen, strings.TrimSpace(e.ID+" "+e.Field("object")+" "+e.Field("state")+" "+e.Field("reason")))
	})
	return bus, r
}

func (r *recorder) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := strings.Join(r.seen, ", ")
	r.seen = nil
	return text
}

func cmd(words ...string) script.Command { return script.Command{Argv: words} }

func TestTwentyFlipsEndInTheLastState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeRunner{takes: 3 * time.Second}
		bus, events := record()
		q := newQueues(f, bus)
		for i := range 20 {
			q.add("a", job{kind: "state", what: fmt.Sprint(i), commands: []script.Command{cmd("own", fmt.Sprint(i)), {}, cmd("any", fmt.Sprint(i))}})
			<-time.After(50 * time.Millisecond)
		}
		q.add("b", job{kind: "state", what: "b", commands: []script.Command{cmd("b")}})
		<-time.After(time.Minute)
		if got := f.ran(); got != "own 0, b, any 0, own 19, any 19" {
			t.Errorf("ran %s", got)
		}
		got := events.take()
		if strings.Count(got, "notify.skipped a") != 18 || strings.Count(got, "notify.ran a") != 4 {
			t.Errorf("events %s", got)
		}
		q.close(context.Background())
	})
}

func TestKindsDoNotReplaceEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeRunner{takes: time.Second}
		q := newQueues(f, nil)
		for _, j := range []job{{kind: "state", what: "1"}, {kind: "state", what: "2"}, {kind: "lower", what: "l"}, {kind: "state", what: "3"}, {kind: "lower", what: "m"}} {
			j.commands = []script.Command{cmd(j.what)}
			q.add("a", j)
		}
		<-time.After(time.Minute)
		if got := f.ran(); got != "1, 3, m" && got != "3, m" {
			t.Errorf("ran %s", got)
		}
		q.close(context.Background())
	})
}

func TestObsoleteScriptIsKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeRunner{takes: time.Hour}
		bus, events := record()
		q := newQueues(f, bus)
		add := func(what string) {
			q.add("a", job{kind: "state", what: what, commands: []script.Command{cmd(what)}})
			synctest.Wait()
		}
		add("MASTER")
		<-time.After(time.Minute)
		if got := events.take(); got != "" {
			t.Errorf("a script may take its time while nothing newer waits: %s", got)
		}
		add("BACKUP")
		<-time.After(ObsoleteLimit + time.Second)
		if got := events.take(); got != "notify.failed a MASTER "+errObsolete.Error() {
			t.Errorf("got %s", got)
		}
		<-time.After(ScriptLimit)
		if got := events.take(); !strings.HasPrefix(got, "notify.failed a BACKUP did not end within") {
			t.Errorf("got %s", got)
		}
		if got := f.ran(); got != "MASTER, BACKUP" {
			t.Errorf("ran %s", got)
		}
		q.close(context.Background())
	})
}

func TestCloseWaitsOnlySoLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeRunner{takes: 3 * time.Second}
		q := newQueues(f, nil)
		q.add("quick", job{kind: "state", commands: []script.Command{cmd("quick")}})
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		begin := time.Now()
		q.close(ctx)
		if d := time.Since(begin); d != 3*time.Second {
			t.Errorf("closed after %v", d)
		}
		q.add("late", job{kind: "state", commands: []script.Command{cmd("late")}})

		f = &fakeRunner{takes: time.Hour}
		q = newQueues(f, nil)
		q.add("slow", job{kind: "state", commands: []script.Command{cmd("slow"), cmd("never")}})
		ctx, cancel = context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		begin = time.Now()
		q.close(ctx)
		if d := time.Since(begin); d != 5*time.Second {
			t.Errorf("closed after %v", d)
		}
	})
}

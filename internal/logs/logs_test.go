package logs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/holdfast-ha/holdfast/internal/event"
)

// gate is a reader that takes nothing until it is opened.
type gate struct {
	open    chan struct{}
	entered chan struct{}
	once    sync.Once
	mu      sync.Mutex
	writes  []string
}

func newGate() *gate { return &gate{open: make(chan struct{}), entered: make(chan struct{})} }

func (g *gate) Write(p []byte) (int, error) {
	g.once.Do(func() { close(g.entered) })
	<-g.open
	g.mu.Lock()
	defer g.mu.Unlock()
	g.writes = append(g.writes, string(p))
	return len(p), nil
}

func TestSlowReaderCostsLinesOnly(t *testing.T) {
	g := newGate()
	w := NewWriter(g, 4, false)
	l, err := New(w, Options{Process: "router"})
	if err != nil {
		t.Fatal(err)
	}
	l.Sink(event.ConfigReload.With("first"))
	<-g.entered // the writing goroutine holds the first line and waits for the reader
	for range 10 {
		l.Sink(event.ConfigReload.With("chatter"))
	}
	l.Sink(event.RouterLost.With("an error finds room above the limit"))
	if dropped, _, _ := w.Losses(); dropped != 6 {
		t.Errorf("4 of 10 lines have room, want 6 dropped, got %d", dropped)
	}
	close(g.open)
	if err := w.Close(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	all := strings.Join(g.writes, "")
	if len(g.writes) != 7 || !strings.Contains(all, "finds room") || !strings.Contains(all, "event=log.lost lines=6") {
		t.Errorf("want 1+4+1 lines and one about the loss, one write each, got %d:\n%s", len(g.writes), all)
	}
	for _, line := range g.writes {
		if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
			t.Errorf("one write is one line, got %q", line)
		}
	}
}

func TestCloseGivesUpOnADeadReader(t *testing.T) {
	g := newGate()
	w := NewWriter(g, 4, false)
	_, _ = w.Write([]byte("x\n"))
	<-g.entered
	if err := w.Close(time.Millisecond); err == nil {
		t.Error("a reader that takes nothing must not hold the exit")
	}
	close(g.open)
}

func TestFormats(t *testing.T) {
	e := event.Transition.With("VI_1", "BACKUP", "MASTER", 100, "first line\nsecond line")
	var text, obj bytes.Buffer
	for out, asJSON := range map[*bytes.Buffer]bool{&text: false, &obj: true} {
		l, err := New(out, Options{Process: "router", JSON: asJSON})
		if err != nil {
			t.Fatal(err)
		}
		l.Sink(e)
	}
	if got := text.String(); !strings.Contains(got, `[INFO]  router.vrrp: VRRP state changed: event=vrrp.transition instance=VI_1 from=BACKUP to=MASTER priority=100`) || strings.Count(got, "\n") != 1 {
		t.Errorf("text: %s", got)
	}
	var m map[string]any
	if err := json.Unmarshal(obj.Bytes(), &m); err != nil {
		t.Fatal(err)
	}
	if m["event"] != "vrrp.transition" || m["priority"] != 100.0 || m["@message"] != "VRRP state changed" {
		t.Errorf("json: %s", obj.String())
	}
}

func TestLevels(t *testing.T) {
	var b bytes.Buffer
	l, err := New(&b, Options{Level: "warn"})
	if err != nil {
		t.Fatal(err)
	}
	l.Sink(event.ConfigReload.With("info is below warn"))
	if err := l.SetLevel("INFO"); err != nil {
		t.Fatal(err)
	}
	l.Sink(event.ConfigReload.With("now written"))
	if got := b.String(); strings.Contains(got, "below") || !strings.Contains(got, "now written") {
		t.Errorf("got %s", got)
	}
	if err := l.SetLevel("loud"); err == nil || !strings.Contains(err.Error(), "debug, info, warn, error") {
		t.Errorf("a level that does not exist must be refused with the list of those that do, got %v", err)
	}
}

func TestPriorityPrefix(t *testing.T) {
	g := newGate()
	close(g.open)
	w := NewWriter(g, 0, true)
	_, _ = w.LevelWrite(hclog.Error, []byte("bad\n"))
	_, _ = w.LevelWrite(hclog.Debug, []byte("fine\n"))
	if err := w.Close(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(g.writes, ""); got != "<3>bad\n<7>fine\n" {
		t.Errorf("got %q", got)
	}
}

func TestALogThatRefusesLinesSaysWhy(t *testing.T) {
	w := NewWriter(&Syslog{Path: t.TempDir() + "/none", Tag: "holdfast"}, 0, true)
	if _, err := w.Write([]byte("line\n")); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		if _, failed, why := w.Losses(); failed == 1 {
			if why == nil || !strings.Contains(why.Error(), "system log") {
				t.Errorf("refused: %v", why)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the refusal was not counted")
		}
		time.Sleep(time.Millisecond)
	}
	if err := w.Close(10 * time.Second); err != nil {
		t.Error(err)
	}
}

func TestWarningsLeaveRoomForErrors(t *testing.T) {
	g := newGate()
	w := NewWriter(g, 8, false)
	write := func(level hclog.Level, line string) {
		if _, err := w.LevelWrite(level, []byte(line+"\n")); err != nil {
			t.Fatal(err)
		}
	}
	write(hclog.Info, "first")
	<-g.entered
	for range 100 {
		write(hclog.Warn, "a server is down")
	}
	write(hclog.Error, "the network is down")
	close(g.open)
	if err := w.Close(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(g.writes, ""); !strings.Contains(all, "the network is down") {
		t.Errorf("displaced by warnings: %s", all)
	}
}

// refuser refuses lines while it is told to.
type refuser struct {
	mu    sync.Mutex
	full  bool
	lines []string
}

func (r *refuser) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.full {
		return 0, errors.New("no space left on device")
	}
	r.lines = append(r.lines, string(p))
	return len(p), nil
}

func TestRefusedLinesAreToldOnceTheLogTakesLinesAgain(t *testing.T) {
	out := &refuser{full: true}
	w := NewWriter(out, 0, false)
	w.OnLoss(func(n uint64) []byte { return fmt.Appendf(nil, "lost %d\n", n) })
	line := func(s string, failed uint64) {
		t.Helper()
		if _, err := w.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			out.mu.Lock()
			written := len(out.lines) > 0
			out.mu.Unlock()
			if _, n, _ := w.Losses(); n == failed && (out.full || written) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: not written in time", s)
			}
		}
	}
	line("one\n", 1)
	line("two\n", 2)
	out.mu.Lock()
	out.full = false
	out.mu.Unlock()
	line("three\n", 2)
	if err := w.Close(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(out.lines, ""); got != "three\nlost 2\n" {
		t.Errorf("%q", got)
	}
}

package event

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestWithMakesPlainValues(t *testing.T) {
	e := Transition.With("VI_1", "BACKUP", "MASTER", uint8(100), errors.New("line one\nline two"))
	if got := e.Field("reason"); got != "line one line two" {
		t.Errorf("an event is one line, got %q", got)
	}
	if got := plain(1500 * time.Millisecond); got != "1.5s" {
		t.Errorf("durations are text in every view, got %v", got)
	}
	defer func() {
		if r := recover(); r == nil || !strings.Contains(r.(string), "vrrp.transition") {
			t.Errorf("a wrong number of values must be noticed, got %v", r)
		}
	}()
	Transition.With("VI_1")
}

func TestBusKeepsTheOrder(t *testing.T) {
	var seen []string
	var b Bus
	b.Add(func(e Event) { seen = append(seen, "first "+e.ID) })
	b.Add(func(e Event) { seen = append(seen, "second "+e.ID) })
	b.Publish(Event{ID: "x"})
	(*Bus)(nil).Publish(Event{ID: "swallowed"})
	if got := strings.Join(seen, ","); got != "first x,second x" {
		t.Errorf("got %s", got)
	}
}

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

func TestWholeNumbersStayWhole(t *testing.T) {
	for v, want := range map[any]string{1e6: "1000000", 1.5: "1.5", 7: "7", "x": "x", true: "true", -3.0: "-3"} {
		if got := Text(v); got != want {
			t.Errorf("%v is %s, want %s", v, got, want)
		}
	}
}

func TestATransitionToFaultIsAWarning(t *testing.T) {
	for to, want := range map[string]Level{"FAULT": Warn, "MASTER": Info, "BACKUP": Info} {
		if got := Transition.With("VI_1", "BACKUP", to, 100, "why").Level(); got != want {
			t.Errorf("to %s: %s, want %s", to, got, want)
		}
	}
}

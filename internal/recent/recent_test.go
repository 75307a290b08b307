package recent

import (
	"testing"

	"github.com/holdfast-ha/holdfast/internal/event"
)

func TestReadersThatDoNotReadAreToldHowManyTheyMissed(t *testing.T) {
	r := New()
	for range remembered + 10 {
		r.Add(event.ConfigReload.With("x"))
	}
	reader := r.Join()
	for range behind {
		r.Add(event.ConfigReload.With("y"))
	}
	<-reader.Wake
	events, missed := r.Take(reader)
	if len(events) != behind || missed != remembered {
		t.Errorf("got %d events, %d missed", len(events), missed)
	}
	if events, missed = r.Take(reader); len(events) != 0 || missed != 0 {
		t.Errorf("got %d events, %d missed", len(events), missed)
	}
	r.Leave(reader)
	r.Add(event.ConfigReload.With("z"))
	if events, _ = r.Take(reader); len(events) != 0 || len(r.Last(1)) != 1 || r.Last(1)[0].Field("by") != "z" || len(r.Last(10000)) != remembered {
		t.Error("who left hears nothing; the ring goes on")
	}
}

func TestDebugEventsAreFollowedButNotRemembered(t *testing.T) {
	r := New()
	r.Add(event.ConfigReload.With("x"))
	reader := r.Join()
	r.Take(reader)
	r.Add(event.NotifyRan.With("o", "s", "c", "t", ""))
	if events, _ := r.Take(reader); len(events) != 1 || events[0].ID != event.NotifyRan.ID {
		t.Errorf("a follower sees it: %v", events)
	}
	if last := r.Last(5); len(last) != 1 || last[0].ID != event.ConfigReload.ID {
		t.Errorf("remembered %v", last)
	}
}

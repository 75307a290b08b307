package event

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Level says how much an event matters to the person who reads the log.
type Level uint8

// The levels, in rising order.
const (
	Debug Level = iota
	Info
	Warn
	Error
)

// String is the level's name as the log prints it.
func (l Level) String() string { return [...]string{"debug", "info", "warn", "error"}[l] }

// Kind is one row of the catalogue.
type Kind struct {
	// ID names the event for ever: "vrrp.transition".
	ID string
	// Level is how loud it is.
	Level Level
	// warnField and warnValue: an event with this value there is a warning.
	warnField, warnValue string
	// Message is the constant text of the log line.
	Message string
	// Fields are the names of the facts, in the order in which With takes them.
	Fields []string
	// Doc says in the documentation when it happens and what to do.
	Doc string
}

var catalogue = map[string]*Kind{}

// define adds a row to the catalogue; a second row of the same id is a mistake of the programmer and panics at start.
func define(id string, level Level, message, doc string, fields ...string) *Kind {
	if catalogue[id] != nil {
		panic("event " + id + " is defined twice")
	}
	k := &Kind{ID: id, Level: level, Message: message, Fields: fields, Doc: doc}
	catalogue[id] = k
	return k
}

// warnWhen makes those events of the kind warnings that have this value in this field.
func (k *Kind) warnWhen(field, value string) *Kind {
	k.warnField, k.warnValue = field, value
	return k
}

// Catalogue lists every kind of event, ordered by id.
func Catalogue() []*Kind {
	all := make([]*Kind, 0, len(catalogue))
	for _, k := range catalogue {
		all = append(all, k)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].ID < all[j].ID })
	return all
}

// Event is one thing that happened. It crosses the seam and the control socket as JSON; values are strings, numbers, booleans.
type Event struct {
	// Time is when it happened.
	Time time.Time `json:"time"`
	// ID is the id of its kind.
	ID string `json:"event"`
	// Values are the facts in the order of the kind's Fields.
	Values []any `json:"values,omitempty"`
}

// With makes an event of this kind. A wrong number of values panics (internal/archtest finds such calls before they run); values that
// are not plain (durations, addresses, errors) are turned into their text so that every view shows the same.
func (k *Kind) With(values ...any) Event {
	if len(values) != len(k.Fields) {
		panic(fmt.Sprintf("event %s takes %d values (%s), got %d", k.ID, len(k.Fields), strings.Join(k.Fields, ", "), len(values)))
	}
	for i, v := range values {
		values[i] = plain(v)
	}
	return Event{Time: time.Now(), ID: k.ID, Values: values}
}

func plain(v any) any {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return clean(v)
	case bool, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return v
	case float64:
		if v != v || v > 1e300 || v < -1e300 {
			return fmt.Sprint(v)
		}
		return v
	case error:
		return clean(v.Error())
	case fmt.Stringer:
		return clean(v.String())
	}
	return clean(fmt.Sprint(v))
}

// clean keeps one event on one line: control characters become spaces.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// Kind is the catalogue's row of the event; an id from elsewhere gives a row without fields.
func (e Event) Kind() *Kind {
	if k := catalogue[e.ID]; k != nil {
		return k
	}
	return &Kind{ID: e.ID, Level: Warn, Message: "an event this version does not know"}
}

// Level is how loud this event is: as its kind, or a warning where its facts make it one.
func (e Event) Level() Level {
	k := e.Kind()
	if k.warnField != "" && e.Field(k.warnField) == k.warnValue {
		return max(k.Level, Warn)
	}
	return k.Level
}

// Field is the value of the field of that name, "" when the event has none.
func (e Event) Field(name string) string {
	for i, f := range e.Kind().Fields {
		if f == name && i < len(e.Values) {
			return Text(e.Values[i])
		}
	}
	return ""
}

// Text is a value as people read it. Whole numbers stay whole although JSON made floating point of them on the way.
func Text(v any) string {
	if f, ok := v.(float64); ok && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return strconv.FormatInt(int64(f), 10)
	}
	return fmt.Sprint(v)
}

// Sink is one view of the events. It must not block and must not call the bus.
type Sink func(Event)

// Bus hands every event to its sinks, in the order in which they were added, one event at a time.
type Bus struct {
	mu    sync.Mutex
	sinks []Sink
}

// Add appends a sink. It sees the events published from now on.
func (b *Bus) Add(s Sink) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sinks = append(b.sinks, s)
}

// Publish hands e to every sink. A nil bus swallows it, so that a room can be used without one.
func (b *Bus) Publish(e Event) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.sinks {
		s(e)
	}
}

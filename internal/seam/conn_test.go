package seam

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/vrrp"
)

func everyMessage() []Message {
	in := vrrp.Instance{Name: "VI_1", Interface: "eth0", Family: vrrp.IPv4, VRID: 51, Version: 3, Priority: 100, Interval: time.Second,
		Addresses: []vrrp.Address{{Prefix: netip.MustParsePrefix("192.0.2.1/24")}}}
	return []Message{
		{Apply: &Apply{Gen: 1, Config: vrrp.Config{Instances: []vrrp.Instance{in}}}},
		{Track: &vrrp.Track{ID: "script/a", Known: true, OK: true}},
		{Ready: &vrrp.Ready{OK: true}},
		{Handover: &HandoverAsk{Token: 3, Handover: vrrp.Handover{For: time.Minute}}},
		{Query: &Query{Token: 7}},
		{LogLevel: &LogLevel{Level: "debug"}},
		{Stopped: &Stopped{}},
		{Snapshot: &Snapshot{Seq: 1, Instances: []vrrp.Status{{ID: in.ID(), State: vrrp.Master}}}},
		{Event: &Event{Seq: 2, Event: event.Event{ID: "x", Values: []any{"a"}}, Transition: &vrrp.Transition{ID: in.ID()}}},
		{Applied: &Applied{Gen: 1, Problems: []string{"eth7 is missing"}}},
		{Status: &Status{Token: 7, Router: RouterStatus{PID: 1}}},
		{HandoverDone: &HandoverDone{Token: 3}},
		{Reload: &Reload{}}, {Dump: &Dump{Kind: "data"}}, {Stop: &Stop{}}, {Heartbeat: &Heartbeat{Seq: 9}},
	}
}

func TestEveryMessageCrosses(t *testing.T) {
	all := everyMessage()
	if n := reflect.TypeOf(Message{}).NumField(); len(all) != n {
		t.Fatalf("the list has %d messages, Message has %d fields", len(all), n)
	}
	for _, m := range all {
		frame, err := Encode(nil, m)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(bytes.NewReader(frame))
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("sent %s, got %+v, %v", frame[4:], got, err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	frame := func(body string) []byte {
		return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
	}
	for name, in := range map[string][]byte{
		"empty frame":      frame(""),
		"oversized":        {0xff, 0xff, 0xff, 0xff},
		"cut length":       {0, 0},
		"cut body":         frame(`{"Stop":{}}`)[:9],
		"nothing set":      frame(`{}`),
		"two set":          frame(`{"Stop":{},"Reload":{}}`),
		"unknown field":    frame(`{"Halt":{}}`),
		"trailing bytes":   frame(`{"Stop":{}}{}`),
		"not JSON":         frame(`Stop`),
		"null is no value": frame(`{"Stop":null}`),
	} {
		if m, err := Decode(bytes.NewReader(in)); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: got %+v, %v", name, m, err)
		}
	}
	if _, err := Encode(nil, Message{}); err == nil {
		t.Error("an empty message must not be sent")
	}
}

func TestSlowReaderLosesEventsOnly(t *testing.T) {
	a, b := net.Pipe()
	sender, receiver := NewConn(a), NewConn(b)
	defer sender.Close()
	defer receiver.Close()
	taken := 0
	for i := range 3 * maxEvents {
		if sender.Send(Message{Event: &Event{Seq: uint64(i)}}) {
			taken++
		}
	}
	for i := range 100 {
		if !sender.Send(Message{Heartbeat: &Heartbeat{Seq: uint64(i)}}) {
			t.Fatal("a heartbeat replaces the one that waits")
		}
	}
	for i := range taken {
		m, err := receiver.Receive()
		if err != nil || m.Event == nil || m.Event.Seq != uint64(i) {
			t.Fatalf("event %d: got %+v, %v", i, m, err)
		}
	}
	if m, err := receiver.Receive(); err != nil || m.Heartbeat == nil || m.Heartbeat.Seq != 99 {
		t.Fatalf("want the last heartbeat, got %+v, %v", m, err)
	}
	select {
	case <-sender.Drained():
	case <-time.After(10 * time.Second):
		t.Fatal("the loss was not reported")
	}
	if lost := sender.Lost(); lost == 0 || lost+uint64(taken) != 3*maxEvents {
		t.Errorf("taken %d, lost %d of %d", taken, lost, 3*maxEvents)
	}
	if !sender.Send(Message{Event: &Event{}}) {
		t.Error("after Lost events are taken again")
	}
}

func TestARunawayQueueEndsTheConnection(t *testing.T) {
	a, b := net.Pipe()
	defer b.Close()
	s := NewConn(a)
	for i := range maxOther + 10 {
		s.Send(Message{Query: &Query{Token: uint64(i)}})
	}
	<-s.Done()
	if _, err := s.Receive(); err == nil || !strings.Contains(err.Error(), "does not read") {
		t.Errorf("got %v", err)
	}
}

func TestReceiveAfterClose(t *testing.T) {
	a, b := net.Pipe()
	s := NewConn(a)
	b.Close()
	if _, err := s.Receive(); !errors.Is(err, io.EOF) {
		t.Errorf("want EOF when the other end closed, got %v", err)
	}
	if s.Send(Message{Stop: &Stop{}}) {
		t.Error("nothing can be sent any more")
	}
	<-s.Done()
}

func TestPair(t *testing.T) {
	own, child, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	other, err := fromFile(child)
	if err != nil {
		t.Fatal(err)
	}
	one, two := NewConn(own), NewConn(other)
	defer one.Close()
	defer two.Close()
	one.Send(Message{Stop: &Stop{}})
	if !one.Flush(10 * time.Second) {
		t.Error("Flush: not written")
	}
	if m, err := two.Receive(); err != nil || m.Stop == nil {
		t.Errorf("got %+v, %v", m, err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, m := range everyMessage() {
		frame, err := Encode(nil, m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(frame)
	}
	f.Add([]byte{0, 0, 0, 2, '{', '}'})
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := Decode(bytes.NewReader(in))
		if err != nil {
			return
		}
		if _, err := Encode(nil, m); err != nil {
			t.Errorf("what was decoded cannot be encoded: %v", err)
		}
	})
}

package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdfast-ha/holdfast/internal/event"
)

type fakeHandler struct{ got chan Request }

func (h fakeHandler) Handle(ctx context.Context, r Request) (any, error) {
	h.got <- r
	switch r.Op {
	case OpReload:
		return Reloaded{Generation: 7, Changed: true}, nil
	case OpStatus:
		<-ctx.Done() // a client that goes away ends it
		return nil, ctx.Err()
	}
	return nil, errors.New("no such operation")
}

func (h fakeHandler) Events(ctx context.Context, follow bool, send func(Line) error) error {
	if err := send(Line{Event: event.ConfigReload.With("one"), Missed: 3}); err != nil {
		return err
	}
	if follow {
		<-ctx.Done()
	}
	return nil
}

func serve(t *testing.T) (dir string, h fakeHandler, refused chan string) {
	t.Helper()
	dir, h, refused = t.TempDir(), fakeHandler{got: make(chan Request, 10)}, make(chan string, 10)
	s, err := Listen(SocketPath(dir), h, func(op string, err error) { refused <- op + ": " + err.Error() })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return dir, h, refused
}

func TestRequestAndAnswer(t *testing.T) {
	dir, h, refused := serve(t)
	var got Reloaded
	if err := Do(t.Context(), dir, Request{Op: OpReload, Wait: true}, &got); err != nil || got.Generation != 7 || !got.Changed {
		t.Fatalf("got %+v, %v", got, err)
	}
	if r := <-h.got; !r.Wait || r.By == "" {
		t.Errorf("the handler sees what is asked and by whom: %+v", r)
	}
	if err := Do(t.Context(), dir, Request{Op: "dance"}, nil); err == nil || err.Error() != "no such operation" {
		t.Errorf("a refusal comes back as it is, got %v", err)
	}
	if got := <-refused; got != "dance: no such operation" {
		t.Errorf("refusals are told: %s", got)
	}
	info, err := os.Stat(SocketPath(dir))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("only the owner may connect: %v %v", info.Mode(), err)
	}
}

func TestEventsStream(t *testing.T) {
	dir, _, _ := serve(t)
	n := 0
	if err := Events(t.Context(), dir, false, func(l Line) error {
		n++
		if l.Event.ID != "config.reload" || l.Missed != 3 {
			t.Errorf("got %+v", l)
		}
		return nil
	}); err != nil || n != 1 {
		t.Errorf("got %d events, %v", n, err)
	}
	stop := errors.New("enough")
	if err := Events(t.Context(), dir, true, func(Line) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

func TestHostileClients(t *testing.T) {
	dir, _, refused := serve(t)
	for name, text := range map[string]string{
		"nonsense": "}{\n", "unknown field": `{"op":"status","reboot":true}` + "\n", "two values": `{"op":"status"}{"op":"reload"}` + "\n",
		"too long": `{"op":"` + strings.Repeat("x", maxRequest) + "\n",
	} {
		conn, err := net.Dial("unix", SocketPath(dir))
		if err != nil {
			t.Fatal(err)
		}
		// The server may hang up while a request that is too long is still being written.
		_, _ = conn.Write([]byte(text))
		var resp Response
		if line, err := bufio.NewReader(conn).ReadBytes('\n'); err == nil {
			if err := json.Unmarshal(line, &resp); err != nil || resp.Error == "" {
				t.Errorf("%s: want an error, got %s %v", name, line, err)
			}
		}
		<-refused
		conn.Close()
	}
}

func TestClientThatGoesAwayEndsItsRequest(t *testing.T) {
	dir, h, refused := serve(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- Do(ctx, dir, Request{Op: OpStatus}, nil) }()
	<-h.got
	cancel()
	if err := <-done; err == nil {
		t.Error("want an error")
	}
	<-refused // the handler's context has ended
}

func TestNoDaemon(t *testing.T) {
	err := Do(t.Context(), filepath.Join(t.TempDir(), "nowhere"), Request{Op: OpStatus}, nil)
	if err == nil || !strings.Contains(err.Error(), "no daemon answers") {
		t.Errorf("got %v", err)
	}
}

func FuzzParseRequest(f *testing.F) {
	f.Add([]byte(`{"op":"drain","virtual_server":"TCP 192.0.2.1:80","real_server":"10.0.0.1:80"}`))
	f.Add([]byte(`{"op":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseRequest(b)
		if err != nil && r != (Request{}) {
			t.Errorf("an error comes without a request: %+v", r)
		}
	})
}

package probe

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/holdfast-ha/holdfast/checkers"
)

// health serves grpc.health.v1 by hand.
func health(t *testing.T, f func(service string) (message []byte, status string)) netip.AddrPort {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		service := ""
		if len(b) > 7 {
			service = string(b[7:])
		}
		if r.URL.Path != "/grpc.health.v1.Health/Check" || r.Header.Get("Content-Type") != "application/grpc" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		message, status := f(service)
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Trailer", "Grpc-Status")
		if message != nil {
			_, _ = w.Write(append([]byte{0, 0, 0, 0, byte(len(message))}, message...))
		}
		w.Header().Set("Grpc-Status", status)
	}))
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Config.ErrorLog = discard()
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().(*net.TCPAddr).AddrPort()
}

func TestGRPC(t *testing.T) {
	at := health(t, func(service string) ([]byte, string) {
		switch service {
		case "", "good":
			return []byte{8, 1}, "0"
		case "bad":
			return []byte{8, 2}, "0"
		case "strange":
			return []byte{8}, "0"
		}
		return nil, "5"
	})
	for service, want := range map[string]checkers.Reason{"": checkers.OK, "good": checkers.OK, "bad": checkers.Status, "strange": checkers.Protocol, "unknown": checkers.Status} {
		t.Run(service, func(t *testing.T) {
			expect(t, attempt(t, checkers.Probe{Kind: checkers.GRPC, Target: at, Params: &checkers.GRPCParams{Service: service}}), want)
		})
	}
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	// Whether the request or the answer is lost first is a matter of time.
	for name, at := range map[string]netip.AddrPort{"HTTP/1": web.Listener.Addr().(*net.TCPAddr).AddrPort(), "closing": serve(t, func(*net.TCPConn) {})} {
		switch r := attempt(t, checkers.Probe{Kind: checkers.GRPC, Target: at}); r.Reason {
		case checkers.Protocol, checkers.Closed, checkers.Reset:
		default:
			t.Errorf("%s: %s %s", name, r.Reason, r.Detail)
		}
	}
	expect(t, attempt(t, checkers.Probe{Kind: checkers.GRPC, Target: closedPort(t)}), checkers.Refused)
}

// A server of HTTP/2 that knows nothing of gRPC answers every path with its home page.
func TestGRPCOfAWebServer(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }))
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	defer s.Close()
	expect(t, attempt(t, checkers.Probe{Kind: checkers.GRPC, Target: s.Listener.Addr().(*net.TCPAddr).AddrPort()}), checkers.Protocol)
}

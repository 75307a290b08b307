package probe

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
)

// With TLS 1.3 a server refuses the client only after the client's handshake: that is the server's word, not a fault of this director.
func TestRefusedByTLSAfterTheHandshake(t *testing.T) {
	pair, _, _ := certificate(t, time.Hour, "www.example")
	at := secure(t, &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS13})
	for _, version := range []string{"1.0", "1.1", "2"} {
		params := get(checkers.URL{Path: "/"})
		params.Protocol = version
		r := attempt(t, checkers.Probe{Kind: checkers.SSL, Target: at, Params: params})
		// The server closes as it refuses; in HTTP/2, which has more to send at that time, the reset may be seen first.
		if r.Reason != checkers.TLS && (version != "2" || r.Reason != checkers.Reset && r.Reason != checkers.Closed) {
			t.Errorf("HTTP %s: %s (%s)", version, r.Reason, r.Detail)
		}
		if r.Reason == checkers.TLS && !strings.Contains(r.Detail, "certificate required") {
			t.Errorf("HTTP %s: the detail is %q", version, r.Detail)
		}
	}
}

// A failed attempt tells how far it got, and what there is to warn of.
func TestFailedAttemptsTellHowFarTheyGot(t *testing.T) {
	pair, _, _ := certificate(t, 48*time.Hour, "www.example")
	broken := func(*net.TCPConn) {}
	greeting := func(c *net.TCPConn) { _, _ = io.WriteString(c, "554 no\r\n"); _, _ = io.Copy(io.Discard, c) }
	overTLS := serve(t, func(c *net.TCPConn) {
		s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{pair}})
		if _, err := http.ReadRequest(bufio.NewReader(s)); err == nil {
			_, _ = io.WriteString(s, "HTTP/1.1 503 Busy\r\n\r\n")
		}
	})
	params := get(checkers.URL{Path: "/"})
	params.TLS = &checkers.TLSParams{WarnExpiry: 7 * 24 * time.Hour}
	r := attempt(t, checkers.Probe{Kind: checkers.SSL, Target: overTLS, Params: params})
	if l := r.Latency; r.Reason != checkers.Status || l.Connect == 0 || l.TLS == 0 || l.FirstByte == 0 || r.Warning == "" {
		t.Errorf("SSL_GET: %+v", r)
	}
	for _, row := range []struct {
		what  checkers.Probe
		first bool
	}{
		{checkers.Probe{Kind: checkers.HTTP, Target: serve(t, answering("HTTP/1.1 503 Busy\r\n\r\n")), Params: get(checkers.URL{Path: "/"})}, true},
		{checkers.Probe{Kind: checkers.HTTP, Target: serve(t, broken), Params: get(checkers.URL{Path: "/"})}, false},
		{checkers.Probe{Kind: checkers.SMTP, Target: serve(t, greeting)}, true},
		{checkers.Probe{Kind: checkers.TCP, Target: serve(t, greeting), Params: &checkers.TCPParams{Expect: "^220", MaxReply: 3}}, true},
		{checkers.Probe{Kind: checkers.Agent, Target: serve(t, greeting)}, true},
		{checkers.Probe{Kind: checkers.GRPC, Target: serve(t, broken)}, false},
	} {
		r := attempt(t, row.what)
		if r.OK || r.Latency.Connect == 0 || (r.Latency.FirstByte > 0) != row.first {
			t.Errorf("%s: %+v", row.what.Kind, r)
		}
	}
}

// Interim answers, however many, are not the answer.
func TestHTTPInterimAnswers(t *testing.T) {
	const interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
	hello := get(checkers.URL{Path: "/", Regex: "^hello"})
	expect(t, attempt(t, checkers.Probe{Kind: checkers.HTTP, Target: serve(t, answering(interim+interim+"HTTP/1.1 200 OK\r\n\r\nhello")), Params: hello}), checkers.OK)
	expect(t, attempt(t, checkers.Probe{Kind: checkers.HTTP, Target: serve(t, answering(interim)), Params: hello}), checkers.Closed)
	expect(t, attempt(t, checkers.Probe{Kind: checkers.HTTP, Target: serve(t, answering(strings.Repeat(interim, 2000))), Params: hello}), checkers.TooLong)
	hangs := serve(t, func(c *net.TCPConn) { _, _ = io.WriteString(c, interim); _, _ = io.Copy(io.Discard, c) })
	expect(t, attempt(t, checkers.Probe{Kind: checkers.HTTP, Target: hangs, Timeout: 300 * time.Millisecond, Params: hello}), checkers.Timeout)
}

// A datagram has no room for some answers, and the server says so.
func TestTruncatedDNSAnswer(t *testing.T) {
	params := &checkers.DNSParams{Name: "www.example", Type: "A", RequireAnswer: true}
	b, q, err := dnsQuery(params, 7)
	if err != nil {
		t.Fatal(err)
	}
	b[2] |= 0x82 // a response, truncated
	if r, ours := judgeDNS(params, 7, q, b); !ours || r.Reason != checkers.Body || !strings.Contains(r.Detail, "over_tcp") {
		t.Errorf("%+v", r)
	}
	params.RequireAnswer = false
	if r, ours := judgeDNS(params, 7, q, b); !ours || !r.OK {
		t.Errorf("without require_answer: %+v", r)
	}
}

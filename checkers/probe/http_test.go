package probe

import (
	"bufio"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
)

func get(urls ...checkers.URL) *checkers.HTTPParams { return &checkers.HTTPParams{URLs: urls} }

func TestHTTPAnswers(t *testing.T) {
	const page = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
	sum := md5.Sum([]byte("hello"))
	digest := hex.EncodeToString(sum[:])
	for _, row := range []struct {
		name, raw string
		params    *checkers.HTTPParams
		want      checkers.Reason
	}{
		{"ok", page, get(checkers.URL{Path: "/"}), checkers.OK},
		{"no reason phrase", "HTTP/1.0 200\r\n\r\n", get(checkers.URL{Path: "/"}), checkers.OK},
		{"status", "HTTP/1.1 503 Busy\r\n\r\n", get(checkers.URL{Path: "/"}), checkers.Status},
		{"status accepted", "HTTP/1.1 301 Moved\r\nLocation: /elsewhere\r\n\r\n",
			get(checkers.URL{Path: "/", Status: []checkers.StatusRange{{From: 200, To: 299}, {From: 301, To: 301}}}), checkers.OK},
		{"redirects are not followed", "HTTP/1.1 301 Moved\r\nLocation: /elsewhere\r\n\r\n", get(checkers.URL{Path: "/"}), checkers.Status},
		{"interim answer", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + page, get(checkers.URL{Path: "/"}), checkers.OK},
		{"digest", page, get(checkers.URL{Path: "/", Digest: strings.ToUpper(digest)}), checkers.OK},
		{"digest of another", page, get(checkers.URL{Path: "/", Digest: strings.Repeat("0", 32)}), checkers.Digest},
		{"digest over chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
			get(checkers.URL{Path: "/", Digest: digest}), checkers.OK},
		{"digest without length", "HTTP/1.0 200 OK\r\n\r\nhello", get(checkers.URL{Path: "/", Digest: digest}), checkers.OK},
		{"regex", page, get(checkers.URL{Path: "/", Regex: "l+o"}), checkers.OK},
		{"regex absent", page, get(checkers.URL{Path: "/", Regex: "goodbye"}), checkers.Body},
		{"regex caseless", page, get(checkers.URL{Path: "/", Regex: "HELLO", RegexOptions: []string{"caseless"}}), checkers.OK},
		{"regex must not match", page, get(checkers.URL{Path: "/", Regex: "hell", RegexNoMatch: true}), checkers.Body},
		{"regex must not match and does not", page, get(checkers.URL{Path: "/", Regex: "heaven", RegexNoMatch: true}), checkers.OK},
		{"regex from an offset", page, get(checkers.URL{Path: "/", Regex: "h", RegexMin: 1}), checkers.Body},
		{"regex up to an offset", page, get(checkers.URL{Path: "/", Regex: "o", RegexMax: 3}), checkers.Body},
		{"regex says enough about a 404", "HTTP/1.0 404 Not Found\r\n\r\nhello", get(checkers.URL{Path: "/", Regex: "hello"}), checkers.OK},
		{"body cut short", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", get(checkers.URL{Path: "/"}), checkers.Closed},
		{"nothing", "", get(checkers.URL{Path: "/"}), checkers.Closed},
		{"half a status line", "HTTP/1.1 20", get(checkers.URL{Path: "/"}), checkers.Protocol},
		{"not HTTP", "220 mail.example.net ESMTP\r\n\r\n", get(checkers.URL{Path: "/"}), checkers.Protocol},
		{"not a number", "HTTP/1.1 OK OK\r\n\r\n", get(checkers.URL{Path: "/"}), checkers.Protocol},
		{"bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhe\r\n", get(checkers.URL{Path: "/"}), checkers.Protocol},
		{"headers without end", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-Filler: x\r\n", 20000), get(checkers.URL{Path: "/"}), checkers.TooLong},
		{"long body, looked at", "HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 5000),
			&checkers.HTTPParams{URLs: []checkers.URL{{Path: "/", Regex: "x"}}, MaxBody: 4000}, checkers.TooLong},
		{"long body, not looked at", "HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 5000),
			&checkers.HTTPParams{URLs: []checkers.URL{{Path: "/"}}, MaxBody: 4000}, checkers.OK},
		{"no url", page, get(), checkers.Invalid},
	} {
		t.Run(row.name, func(t *testing.T) {
			expect(t, attempt(t, checkers.Probe{Kind: checkers.HTTP, Target: serve(t, answering(row.raw)), Params: row.params}), row.want)
		})
	}
}

func TestHTTPWeight(t *testing.T) {
	for raw, want := range map[string]checkers.Weight{
		"HTTP/1.1 200 OK\r\nX-Weight: 50\r\n\r\n":    {Mode: checkers.Absolute, Value: 50},
		"HTTP/1.1 200 OK\r\nX-Weight: 75%\r\n\r\n":   {Mode: checkers.Percent, Value: 75},
		"HTTP/1.1 200 OK\r\nX-Weight: -1\r\n\r\n":    {},
		"HTTP/1.1 200 OK\r\nX-Weight: lots\r\n\r\n":  {},
		"HTTP/1.1 200 OK\r\nX-Weight: 99999\r\n\r\n": {},
	} {
		p := get(checkers.URL{Path: "/"})
		p.WeightHeader = "X-Weight"
		if r := attempt(t, checkers.Probe{Kind: checkers.HTTP, Target: serve(t, answering(raw)), Params: p}); !r.OK || r.Weight != want {
			t.Errorf("%q: got %+v", raw, r)
		} else if (r.Warning == "") != (want != checkers.Weight{}) {
			t.Errorf("%q: warning %q", raw, r.Warning)
		}
	}
	for body, want := range map[string]checkers.Weight{
		`{"weight": 30, "more": [1]}`: {Mode: checkers.Absolute, Value: 30},
		`{"weight": 29.6}`:            {Mode: checkers.Absolute, Value: 30},
		`{"weight": 3e1}`:             {Mode: checkers.Absolute, Value: 30},
		`{"weight": "40%"}`:           {Mode: checkers.Percent, Value: 40},
		`{"weight": -3}`:              {},
		`{"weight": [3]}`:             {},
		`{"other": 3}`:                {},
		`[3]`:                         {},
		``:                            {},
	} {
		p := get(checkers.URL{Path: "/"})
		p.WeightField = "weight"
		r := attempt(t, checkers.Probe{Kind: checkers.HTTP, Target: serve(t, answering("HTTP/1.1 200 OK\r\n\r\n"+body)), Params: p})
		if !r.OK || r.Weight != want || (r.Warning == "") != (want != checkers.Weight{}) {
			t.Errorf("%s: got %+v", body, r)
		}
	}
	// Any of several urls may have it.
	p := get(checkers.URL{Path: "/"}, checkers.URL{Path: "/load"})
	p.WeightField = "weight"
	at := serve(t, func(c *net.TCPConn) {
		if req, err := http.ReadRequest(bufio.NewReader(c)); err == nil && req.URL.Path == "/load" {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n{\"weight\": 5}")
		} else {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nhello")
		}
	})
	if r := attempt(t, checkers.Probe{Kind: checkers.HTTP, Target: at, Params: p}); !r.OK || r.Weight.Value != 5 || r.Warning != "" {
		t.Errorf("the second url: %+v", r)
	}
}

// What goes over the wire is keepalived's request.
func TestHTTPRequest(t *testing.T) {
	target := netip.MustParseAddrPort("192.0.2.7:8080")
	v6 := netip.MustParseAddrPort("[2001:db8::7]:80")
	for _, row := range []struct {
		what   checkers.Probe
		params checkers.HTTPParams
		url    checkers.URL
		want   string
	}{
		{checkers.Probe{Kind: checkers.HTTP, Target: target}, checkers.HTTPParams{}, checkers.URL{Path: "/ok?x=1"},
			"GET /ok?x=1 HTTP/1.0|User-Agent: KeepAliveClient|Host: 192.0.2.7:8080||"},
		{checkers.Probe{Kind: checkers.HTTP, Target: v6}, checkers.HTTPParams{Protocol: "1.1"}, checkers.URL{Path: "/"},
			"GET / HTTP/1.1|User-Agent: KeepAliveClient|Host: [2001:db8::7]|Connection: close||"},
		{checkers.Probe{Kind: checkers.HTTP, Target: target}, checkers.HTTPParams{Protocol: "1.0C", VirtualHost: "a.example"}, checkers.URL{Path: "/"},
			"GET / HTTP/1.0|User-Agent: KeepAliveClient|Host: a.example|Connection: close||"},
		{checkers.Probe{Kind: checkers.HTTP, Target: target}, checkers.HTTPParams{VirtualHost: "a.example"},
			checkers.URL{Path: "/", VirtualHost: "b.example", Method: "POST", Headers: []checkers.Header{{Name: "X-A", Value: "1"}}, Body: []byte("hi")},
			"POST / HTTP/1.0|User-Agent: KeepAliveClient|Host: b.example|X-A: 1|Content-Length: 2||hi"},
		{checkers.Probe{Kind: checkers.HTTP, Target: target}, checkers.HTTPParams{VirtualHost: "a.example", Protocol: "1.1"},
			checkers.URL{Path: "/", Headers: []checkers.Header{{Name: "host", Value: "c.example"}, {Name: "User-agent", Value: "probe"}, {Name: "Connection", Value: "keep-alive"}}},
			"GET / HTTP/1.1|host: c.example|User-agent: probe|Connection: keep-alive||"},
	} {
		if got := strings.ReplaceAll(string(request1(&row.what, &row.params, &row.url)), "\r\n", "|"); got != row.want {
			t.Errorf("got  %s\nwant %s", got, row.want)
		}
	}
}

func TestHTTPSeveralURLsInOnePass(t *testing.T) {
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Host+r.URL.Path)
		if r.URL.Path == "/broken" {
			w.WriteHeader(500)
		}
	}))
	defer s.Close()
	at := s.Listener.Addr().(*net.TCPAddr).AddrPort()
	params := get(checkers.URL{Path: "/a"}, checkers.URL{Path: "/b", VirtualHost: "two"}, checkers.URL{Path: "/broken"}, checkers.URL{Path: "/never"})
	params.VirtualHost = "one"
	r := attempt(t, checkers.Probe{Kind: checkers.HTTP, Target: at, Params: params})
	expect(t, r, checkers.Status)
	if r.Detail != "/broken: status 500" {
		t.Errorf("the detail names the url: %q", r.Detail)
	}
	if got := fmt.Sprint(asked); got != "[one/a two/b one/broken]" {
		t.Errorf("asked %s", got)
	}
}

func TestHTTPBadServers(t *testing.T) {
	drip := func(c *net.TCPConn, chunk string) {
		_ = c.SetNoDelay(true)
		buf := make([]byte, 1)
		for {
			if _, err := c.Write([]byte(chunk)); err != nil {
				return
			}
			_ = c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
			if _, err := c.Read(buf); err == io.EOF {
				return
			}
		}
	}
	for name, row := range map[string]struct {
		f    func(c *net.TCPConn)
		want checkers.Reason
	}{
		"headers one by one, for ever": {func(c *net.TCPConn) { _, _ = c.Write([]byte("HTTP/1.1 200 OK\r\n")); drip(c, "X: y\r\n") }, checkers.Timeout},
		"body byte by byte, for ever":  {func(c *net.TCPConn) { _, _ = c.Write([]byte("HTTP/1.1 200 OK\r\n\r\n")); drip(c, "x") }, checkers.Timeout},
		"accepts and says nothing":     {func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) }, checkers.Timeout},
		"half closes at once":          {func(c *net.TCPConn) { _ = c.CloseWrite(); _, _ = io.Copy(io.Discard, c) }, checkers.Closed},
		"resets at once":               {func(c *net.TCPConn) { _ = c.SetLinger(0) }, checkers.Reset},
		"resets in the headers": {func(c *net.TCPConn) {
			buf := make([]byte, 10)
			_, _ = c.Read(buf)
			_ = c.SetLinger(0)
		}, checkers.Reset},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			r := attempt(t, checkers.Probe{Kind: checkers.HTTP, Target: serve(t, row.f), Timeout: 500 * time.Millisecond, Params: get(checkers.URL{Path: "/", Regex: "never"})})
			expect(t, r, row.want)
			if took := time.Since(start); took > 8*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// A compressed bomb is never unpacked: nothing asks for compression, and the body counts as it is on the wire.
func TestHTTPCompressedBombIsCounted(t *testing.T) {
	body := strings.Repeat("\x1f\x8b\x08bomb", 100)
	at := serve(t, answering("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"+body))
	expect(t, attempt(t, checkers.Probe{Kind: checkers.HTTP, Target: at, Params: get(checkers.URL{Path: "/", Regex: "bomb"})}), checkers.OK)
}

func TestHTTP2ClearText(t *testing.T) {
	var got *http.Request
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got = r; fmt.Fprint(w, "hello") }))
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	defer s.Close()
	params := get(checkers.URL{Path: "/a%20b?c=d", Regex: "^hello$", Headers: []checkers.Header{{Name: "X-A", Value: "1"}, {Name: "host", Value: "two.example"}, {Name: "User-Agent", Value: "probe"}}})
	params.Protocol, params.VirtualHost = "h2c", "one.example"
	r := attempt(t, checkers.Probe{Kind: checkers.HTTP, Target: s.Listener.Addr().(*net.TCPAddr).AddrPort(), Params: params})
	expect(t, r, checkers.OK)
	if got.ProtoMajor != 2 || got.Host != "two.example" || got.RequestURI != "/a%20b?c=d" || got.Header.Get("X-A") != "1" || got.UserAgent() != "probe" {
		t.Errorf("got %s %s%s %v", got.Proto, got.Host, got.RequestURI, got.Header)
	}
	r = attempt(t, checkers.Probe{Kind: checkers.HTTP, Timeout: 2 * time.Second, Target: serve(t, func(c *net.TCPConn) {
		_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
		_, _ = io.Copy(io.Discard, c)
	}), Params: params})
	// The transport may notice the garbage or its own closing of the connection first.
	if r.Reason != checkers.Protocol && r.Reason != checkers.Closed {
		t.Errorf("an answer in HTTP/1 to a request in HTTP/2: %v %s", r.Reason, r.Detail)
	}
}

// Each url has the time to itself: several slow pages that each answer in time pass, as in keepalived.
func TestHTTPTimeIsPerURL(t *testing.T) {
	const limit = 3 * time.Second
	at := serve(t, func(c *net.TCPConn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			_ = c.SetReadDeadline(time.Now().Add(limit * 11 / 30))
			_, _ = c.Read(make([]byte, 1)) // waits
			_, _ = io.WriteString(c, "HTTP/1.0 200 OK\r\n\r\n")
		}
	})
	page := checkers.URL{Path: "/"}
	r := attempt(t, checkers.Probe{Kind: checkers.HTTP, Target: at, Timeout: limit, Params: get(page, page, page)})
	expect(t, r, checkers.OK)
	if r.Latency.FirstByte < limit {
		t.Errorf("the server is not as slow as it should be: %v", r.Latency)
	}
}

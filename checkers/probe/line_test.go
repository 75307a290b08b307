package probe

import (
	"net"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/holdfast-ha/holdfast/checkers"
)

func TestOneLine(t *testing.T) {
	long := strings.Repeat("x", maxDetail)
	for in, want := range map[string]string{
		"":                                 "",
		"status 503":                       "status 503",
		"größer":                           "größer",
		"a\r\nb\x1b[2Jc\x00":               "a  b [2Jc ",
		"\xff\xfe!":                        "?!",
		long:                               long,
		long + "y":                         long[:maxDetail-1] + "...",
		strings.Repeat("ä", maxDetail):     strings.Repeat("ä", maxDetail/2-1) + "...",
		"x" + strings.Repeat("ä", 1000000): "x" + strings.Repeat("ä", maxDetail/2-1) + "...",
	} {
		if got := oneLine(in); got != want {
			t.Errorf("%.40q: got %q, want %q", in, got, want)
		}
	}
}

// A server does not write the director's log: what it says is bounded and printable in every detail.
func TestServersDoNotWriteTheLog(t *testing.T) {
	junk := "\x1b[2J\r" + strings.Repeat("evil\x07ü\xff", 8000)
	for _, what := range []checkers.Probe{
		{Kind: checkers.HTTP, Target: serve(t, answering("HTTP/1.1 "+junk+"\r\n\r\n")), Params: get(checkers.URL{Path: "/"})},
		{Kind: checkers.HTTP, Target: serve(t, answering(junk+"\r\n\r\n")), Params: get(checkers.URL{Path: "/"})},
		{Kind: checkers.HTTP, Target: serve(t, answering("HTTP/1.1 200 OK\r\nContent-Length: "+junk+"\r\n\r\n")), Params: get(checkers.URL{Path: "/"})},
		{Kind: checkers.SMTP, Target: serve(t, func(c *net.TCPConn) { _, _ = c.Write([]byte("554 " + junk + "\r\n")) })},
		{Kind: checkers.Agent, Target: serve(t, func(c *net.TCPConn) { _, _ = c.Write([]byte("down # " + junk[:900] + "\n")) })},
		{Kind: checkers.TCP, Target: serve(t, func(c *net.TCPConn) { _, _ = c.Write([]byte(junk)) }), Params: &checkers.TCPParams{Expect: "never"}},
	} {
		what.Timeout = 5 * time.Second
		r := attempt(t, what)
		if r.OK || len(r.Detail) > maxDetail+3 || !utf8.ValidString(r.Detail) || strings.ContainsAny(r.Detail, "\x1b\x07\r\n") {
			t.Errorf("%s: %d bytes: %q", what.Kind, len(r.Detail), r.Detail)
		}
	}
}

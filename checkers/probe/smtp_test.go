package probe

import (
	"bufio"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
)

// talking says each line when the one before it has been answered.
func talking(heard chan<- string, says ...string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		br := bufio.NewReader(c)
		for _, s := range says {
			_, _ = io.WriteString(c, s)
			line, err := br.ReadString('\n')
			if err != nil {
				return
			}
			if heard != nil {
				heard <- line
			}
		}
		_, _ = io.Copy(io.Discard, c)
	}
}

func TestSMTP(t *testing.T) {
	for name, row := range map[string]struct {
		says []string
		want checkers.Reason
	}{
		"plain":                {[]string{"220 mail ESMTP\r\n", "250 mail\r\n", "221 bye\r\n"}, checkers.OK},
		"several lines":        {[]string{"220-mail\r\n220-is here\r\n220 ESMTP\r\n", "250-mail\r\n250 SIZE\r\n", "221 bye\r\n"}, checkers.OK},
		"rude at the end":      {[]string{"220 mail ESMTP\r\n", "250 mail\r\n", "500 what\r\n"}, checkers.OK},
		"busy":                 {[]string{"421 too many connections\r\n"}, checkers.Status},
		"does not like us":     {[]string{"220 mail\r\n", "550 go away\r\n"}, checkers.Status},
		"not SMTP":             {[]string{"SSH-2.0-OpenSSH_9.2\r\n"}, checkers.Protocol},
		"codes that change":    {[]string{"220-mail\r\n250 mail\r\n"}, checkers.Protocol},
		"a line without end":   {[]string{"220 " + strings.Repeat("x", 5000)}, checkers.Protocol},
		"lines without end":    {[]string{strings.Repeat("220-x\r\n", 5000)}, checkers.TooLong},
		"silent":               {[]string{""}, checkers.Timeout},
		"silent after a while": {[]string{"220 mail\r\n", ""}, checkers.Timeout},
	} {
		t.Run(name, func(t *testing.T) {
			timeout := 10 * time.Second
			if row.want == checkers.Timeout {
				timeout = 300 * time.Millisecond
			}
			expect(t, attempt(t, checkers.Probe{Kind: checkers.SMTP, Target: serve(t, talking(nil, row.says...)), Timeout: timeout}), row.want)
		})
	}
	expect(t, attempt(t, checkers.Probe{Kind: checkers.SMTP, Target: serve(t, func(*net.TCPConn) {})}), checkers.Closed)
}

func TestSMTPHosts(t *testing.T) {
	good := serve(t, talking(nil, "220 mail\r\n", "250 mail\r\n", "221 bye\r\n"))
	host := func(at netip.AddrPort) checkers.SMTPHost { return checkers.SMTPHost{Target: at} }
	none := netip.MustParseAddrPort("192.0.2.1:1")
	expect(t, attempt(t, checkers.Probe{Kind: checkers.SMTP, Target: none, Params: &checkers.SMTPParams{Hosts: []checkers.SMTPHost{host(good), host(good)}}}), checkers.OK)
	expect(t, attempt(t, checkers.Probe{Kind: checkers.SMTP, Target: none, Params: &checkers.SMTPParams{Hosts: []checkers.SMTPHost{host(good), host(closedPort(t))}}}), checkers.Refused)
}

// Each host has its own time.
func TestSMTPHostTime(t *testing.T) {
	silent := serve(t, func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) })
	what := checkers.Probe{Kind: checkers.SMTP, Target: silent, Timeout: time.Minute, Params: &checkers.SMTPParams{
		Hosts: []checkers.SMTPHost{{Target: silent, Timeout: 100 * time.Millisecond}, {Target: silent}}}}
	if got := what.Limit(); got != time.Minute+100*time.Millisecond {
		t.Errorf("both take at most %v", got)
	}
	start := time.Now()
	expect(t, attempt(t, what), checkers.Timeout)
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestSMTPSays(t *testing.T) {
	heard := make(chan string, 3)
	at := serve(t, talking(heard, "220 mail\r\n", "250 mail\r\n", "221 bye\r\n"))
	expect(t, attempt(t, checkers.Probe{Kind: checkers.SMTP, Target: at, Params: &checkers.SMTPParams{Helo: "lb1.example"}}), checkers.OK)
	if helo, quit := <-heard, <-heard; helo != "HELO lb1.example\r\n" || quit != "QUIT\r\n" {
		t.Errorf("said %q, %q", helo, quit)
	}
}

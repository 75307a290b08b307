package probe

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
)

const (
	defaultHelo  = "smtpchecker.keepalived.org"
	maxSMTPBytes = 16 << 10
)

// smtp reads the banner, says HELO, then QUIT: 220 and 250 pass. Banners of several lines are understood, unlike in keepalived.
// What is said to QUIT does not count.
func (p *Prober) smtp(ctx context.Context, what *checkers.Probe) checkers.Result {
	params, _ := what.Params.(*checkers.SMTPParams)
	if params == nil {
		params = &checkers.SMTPParams{}
	}
	helo := params.Helo
	if helo == "" {
		helo = defaultHelo
	}
	if len(params.Hosts) == 0 {
		return greet(ctx, what, helo)
	}
	var r checkers.Result
	for _, h := range params.Hosts {
		host := *what
		host.Target, host.Bind, host.Interface, host.Mark = h.Target, h.Bind, h.Interface, h.Mark
		if h.Timeout > 0 {
			host.Timeout = h.Timeout
		}
		if r = greet(ctx, p.sources.sourced(&host), helo); !r.OK {
			r.Detail = h.Target.String() + ": " + r.Detail
			return r
		}
	}
	return r
}

func greet(ctx context.Context, what *checkers.Probe, helo string) (out checkers.Result) {
	r := checkers.Pass()
	defer sofar(&out, &r)
	ctx, cancel := context.WithTimeout(ctx, what.StepLimit())
	defer cancel()
	start := time.Now()
	c, err := dialTCP(ctx, what)
	if err != nil {
		return failed(what, "connect", err)
	}
	defer c.Close()
	r.Latency.Connect = time.Since(start)
	defer guard(ctx, c)()
	limited := &io.LimitedReader{R: c, N: maxSMTPBytes}
	br := bufio.NewReaderSize(limited, 1024)
	for i, step := range []struct{ say, want string }{{"", "220"}, {"HELO " + helo + "\r\n", "250"}} {
		if step.say != "" {
			if _, err := io.WriteString(c, step.say); err != nil {
				return failed(what, "send HELO", err)
			}
		}
		code, text, err := readSMTP(br)
		if i == 0 && err == nil {
			r.Latency.FirstByte = time.Since(start)
		}
		switch {
		case err == errNotSMTP:
			return checkers.Fail(checkers.Protocol, "the answer is not SMTP: "+text)
		case err != nil && limited.N <= 0:
			return checkers.Fail(checkers.TooLong, fmt.Sprintf("more than %d bytes of answer", maxSMTPBytes))
		case err != nil:
			return failed(what, "wait for "+step.want, err)
		case code != step.want:
			return checkers.Fail(checkers.Status, fmt.Sprintf("expected %s, got %s", step.want, text))
		}
	}
	// Politeness: neither its success nor its answer matters, but closing before the answer would reset the connection.
	if _, err := io.WriteString(c, "QUIT\r\n"); err == nil {
		_, _, _ = readSMTP(br)
	}
	return r
}

var errNotSMTP = fmt.Errorf("not SMTP")

// readSMTP reads one reply (RFC 5321, 4.2.1): lines "250-text", the last one "250 text" or "250". text quotes the last line.
func readSMTP(br *bufio.Reader) (code, text string, err error) {
	for {
		line, err := br.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			return "", excerpt(line), errNotSMTP
		}
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return "", "", err
		}
		s := strings.TrimRight(string(line), "\r\n")
		if len(s) < 3 || strings.Trim(s[:3], "0123456789") != "" || len(s) > 3 && s[3] != ' ' && s[3] != '-' || code != "" && s[:3] != code {
			return "", excerpt(line), errNotSMTP
		}
		code = s[:3]
		if len(s) == 3 || s[3] == ' ' {
			return code, excerpt(line), nil
		}
	}
}

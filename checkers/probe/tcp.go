package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
)

const defaultReply = 4096

var noTCPParams checkers.TCPParams

// tcp connects and closes with FIN, sending nothing, like keepalived; and on request sends, expects, shakes hands.
func (p *Prober) tcp(ctx context.Context, what *checkers.Probe) (out checkers.Result) {
	params, _ := what.Params.(*checkers.TCPParams)
	if params == nil {
		params = &noTCPParams
	}
	start := time.Now()
	connectOnly := len(params.Send) == 0 && params.Expect == "" && params.TLS == nil && params.Proxy == 0
	if bare(what, params) {
		if err := p.connector.connect(ctx, what.Target, what.Limit(), params.CloseRST); err != nil {
			return failed(what, "connect", err)
		}
		r := checkers.Pass()
		r.Latency.Connect = time.Since(start)
		return r
	}
	ctx, cancel := context.WithTimeout(ctx, what.Limit())
	defer cancel()
	c, err := dialTCP(ctx, what)
	if err != nil {
		return failed(what, "connect", err)
	}
	defer c.Close()
	r := checkers.Pass()
	defer sofar(&out, &r)
	r.Latency.Connect = time.Since(start)
	if params.CloseRST {
		_ = c.SetLinger(0)
	}
	if connectOnly {
		return r
	}
	defer guard(ctx, c)()
	if head := proxyHeader(params.Proxy); head != nil {
		if _, err := c.Write(head); err != nil {
			return failed(what, "send the PROXY header", err)
		}
	}
	var conn net.Conn = c
	if params.TLS != nil {
		t, bad := p.handshake(ctx, what, c, params.TLS, nil, &r)
		if t == nil {
			return bad
		}
		conn = t
	}
	if len(params.Send) > 0 {
		if _, err := conn.Write(params.Send); err != nil {
			return failed(what, "send", err)
		}
	}
	if params.Expect == "" {
		return r
	}
	re, err := checkers.CompileRegex(params.Expect, nil)
	if err != nil {
		return checkers.Fail(checkers.Invalid, err.Error())
	}
	limit := params.MaxReply
	if limit <= 0 {
		limit = defaultReply
	}
	reply := make([]byte, 0, min(limit, 512))
	for {
		if len(reply) == cap(reply) {
			reply = append(make([]byte, 0, min(2*cap(reply), limit)), reply...)
		}
		n, err := conn.Read(reply[len(reply):cap(reply)])
		if n > 0 && r.Latency.FirstByte == 0 {
			r.Latency.FirstByte = time.Since(start)
		}
		reply = reply[:len(reply)+n]
		switch {
		case re.Match(reply):
			return r
		case len(reply) >= limit:
			return checkers.Fail(checkers.Body, fmt.Sprintf("%q is not in the first %d bytes of the answer", params.Expect, limit))
		case len(reply) > 0 && (err == io.EOF || errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != context.Canceled):
			return checkers.Fail(checkers.Body, fmt.Sprintf("%q is not in the answer %s", params.Expect, excerpt(reply)))
		case err != nil:
			return failed(what, fmt.Sprintf("wait for %q", params.Expect), err)
		}
	}
}

// excerpt quotes the beginning of an answer on one line.
func excerpt(b []byte) string {
	const most = 60
	b = bytes.TrimSpace(b)
	if len(b) > most {
		return fmt.Sprintf("%q...", b[:most])
	}
	return fmt.Sprintf("%q", b)
}

package probe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
)

// defaultPayload is what keepalived sends when it is not told.
const defaultPayload = "keepalived check - 0123456789abcd"

// udp sends one datagram. Silence is success unless a reply is required; an ICMP error or a neighbour that does not answer for
// the address is a failure in any case (the kernel gives up on a neighbour after about 3 s, so connect_timeout should be longer).
func (p *Prober) udp(ctx context.Context, what *checkers.Probe) checkers.Result {
	params, _ := what.Params.(*checkers.UDPParams)
	if params == nil {
		params = &checkers.UDPParams{}
	}
	payload := params.Payload
	if len(payload) == 0 {
		payload = []byte(defaultPayload)[:32]
	}
	c, err := dialUDP(ctx, what)
	if err != nil {
		return failed(what, "connect", err)
	}
	defer c.Close()
	defer guard(ctx, c)()
	start := time.Now()
	if _, err := c.Write(payload); err != nil {
		return failed(what, "send", err)
	}
	reply := make([]byte, min(max(2048, params.MaxReply+1, len(params.Reply)), 65536))
	n, err := c.Read(reply)
	switch {
	case err == nil:
		r := judgeUDP(params, reply[:n])
		r.Latency.FirstByte = time.Since(start)
		return r
	case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != context.Canceled && !params.RequireReply:
		return checkers.Pass()
	}
	return failed(what, "wait for the reply", err)
}

// judgeUDP compares a reply. What is not required is not looked at.
func judgeUDP(params *checkers.UDPParams, reply []byte) checkers.Result {
	if !params.RequireReply {
		return checkers.Pass()
	}
	if len(reply) < params.MinReply || params.MaxReply > 0 && len(reply) > params.MaxReply {
		bounds := fmt.Sprintf("at least %d", params.MinReply)
		if params.MaxReply > 0 {
			bounds = fmt.Sprintf("%d to %d", params.MinReply, params.MaxReply)
		}
		return checkers.Fail(checkers.Body, fmt.Sprintf("the reply has %d bytes, %s are expected", len(reply), bounds))
	}
	if len(reply) < len(params.Reply) {
		return checkers.Fail(checkers.Body, fmt.Sprintf("the reply has %d bytes, %d are expected", len(reply), len(params.Reply)))
	}
	for i, want := range params.Reply {
		mask := byte(0xff)
		if i < len(params.Mask) {
			mask = params.Mask[i]
		}
		if (reply[i]^want)&mask != 0 {
			return checkers.Fail(checkers.Body, fmt.Sprintf("byte %d of the reply is %02x, expected %02x", i, reply[i], want))
		}
	}
	return checkers.Pass()
}

package probe

import (
	"bytes"
	"context"
	"io"
	"strings"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
)

const maxAgent = 1024

// agent asks HAProxy's agent-check (HAProxy configuration manual, "agent-check"): one line of words. "up", "ready" and a weight
// pass; "drain" is weight 0; "maint", "down", "failed" and "stopped" fail, what follows "#" being the reason. maxconn is ignored.
func (p *Prober) agent(ctx context.Context, what *checkers.Probe) checkers.Result {
	params, _ := what.Params.(*checkers.AgentParams)
	start := time.Now()
	c, err := dialTCP(ctx, what)
	if err != nil {
		return failed(what, "connect", err)
	}
	defer c.Close()
	defer guard(ctx, c)()
	connected := time.Since(start)
	if params != nil && len(params.Send) > 0 {
		if _, err := c.Write(params.Send); err != nil {
			return failed(what, "send", err)
		}
	}
	line := make([]byte, 0, maxAgent)
	for {
		n, err := c.Read(line[len(line):cap(line)])
		line = line[:len(line)+n]
		if i := bytes.IndexAny(line, "\r\n"); i >= 0 {
			line = line[:i]
			break
		}
		if err == io.EOF && len(line) > 0 {
			break
		}
		if err != nil {
			return failed(what, "wait for the agent", err)
		}
		if len(line) == maxAgent {
			return checkers.Fail(checkers.TooLong, "the agent's line is longer than 1024 bytes")
		}
	}
	r := judgeAgent(string(line))
	r.Latency.Connect, r.Latency.FirstByte = connected, time.Since(start)
	return r
}

// judgeAgent reads the agent's line. Of several words about the same thing the last counts; a line without any is an error, so
// that a wrong port is noticed.
func judgeAgent(line string) checkers.Result {
	words, why, _ := strings.Cut(line, "#")
	r := checkers.Pass()
	known := false
	for _, word := range strings.FieldsFunc(strings.ToLower(words), func(c rune) bool { return c == ' ' || c == ',' || c == '\t' }) {
		switch {
		case word == "up" || word == "ready":
			known = true
			r.OK, r.Reason = true, checkers.OK
		case word == "drain":
			known = true
			r.Weight = checkers.Weight{Mode: checkers.Absolute, Value: 0}
		case word == "maint":
			known = true
			r.OK, r.Reason = false, checkers.AgentMaint
		case word == "down" || word == "failed" || word == "fail" || word == "stopped":
			known = true
			r.OK, r.Reason = false, checkers.AgentDown
		case strings.HasPrefix(word, "maxconn:"):
			known = true
		case strings.HasSuffix(word, "%"):
			w, ok := parseWeight(word)
			if !ok {
				return checkers.Fail(checkers.Protocol, "the agent said "+excerpt([]byte(line)))
			}
			known = true
			r.Weight = w
		default:
			return checkers.Fail(checkers.Protocol, "the agent said "+excerpt([]byte(line)))
		}
	}
	if !known {
		return checkers.Fail(checkers.Protocol, "the agent said nothing: "+excerpt([]byte(line)))
	}
	if !r.OK {
		r.Weight = checkers.Weight{}
		r.Detail = "the agent said " + excerpt([]byte(line))
		if why = strings.TrimSpace(why); why != "" {
			r.Detail = "the agent said: " + strings.Trim(excerpt([]byte(why)), `"`)
		}
	}
	return r
}

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

// agent asks HAProxy's agent-check (HAProxy configuration manual, "agent-check"): one line of words. maxconn is ignored.
func (p *Prober) agent(ctx context.Context, what *checkers.Probe) (out checkers.Result) {
	var got checkers.Result
	defer sofar(&out, &got)
	params, _ := what.Params.(*checkers.AgentParams)
	start := time.Now()
	c, err := dialTCP(ctx, what)
	if err != nil {
		return failed(what, "connect", err)
	}
	defer c.Close()
	defer guard(ctx, c)()
	got.Latency.Connect = time.Since(start)
	if params != nil && len(params.Send) > 0 {
		if _, err := c.Write(params.Send); err != nil {
			return failed(what, "send", err)
		}
	}
	line := make([]byte, 0, maxAgent)
	for {
		n, err := c.Read(line[len(line):cap(line)])
		if n > 0 && len(line) == 0 {
			got.Latency.FirstByte = time.Since(start)
		}
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
	r.Latency = got.Latency
	return r
}

// judgeAgent reads the agent's line. Words of one meaning exclude each other and the last counts: up or down; ready, drain or maint; a
// percentage. What is not mentioned stays as it was (Unsaid). A line without any known word is an error, so that a wrong port is noticed.
func judgeAgent(line string) checkers.Result {
	words, why, _ := strings.Cut(line, "#")
	r := checkers.Pass()
	r.Unsaid = checkers.UnsaidUp | checkers.UnsaidReady | checkers.UnsaidWeight
	known, down, maint := false, false, false
	for _, word := range strings.FieldsFunc(strings.ToLower(words), func(c rune) bool { return c == ' ' || c == ',' || c == '\t' }) {
		known = true
		switch {
		case word == "up":
			down = false
			r.Unsaid &^= checkers.UnsaidUp
		case word == "down" || word == "failed" || word == "fail" || word == "stopped":
			down = true
			r.Unsaid &^= checkers.UnsaidUp
		case word == "ready" || word == "drain" || word == "maint":
			maint, r.Weight.Drain = word == "maint", word == "drain"
			r.Unsaid &^= checkers.UnsaidReady
		case strings.HasPrefix(word, "maxconn:"):
			// IPVS has connection limits of another kind; the word is not an error.
		case strings.HasSuffix(word, "%"):
			w, ok := parseWeight(word)
			if !ok {
				return checkers.Fail(checkers.Protocol, "the agent said "+excerpt([]byte(line)))
			}
			r.Weight.Mode, r.Weight.Value = w.Mode, w.Value
			r.Unsaid &^= checkers.UnsaidWeight
		default:
			return checkers.Fail(checkers.Protocol, "the agent said "+excerpt([]byte(line)))
		}
	}
	if !known {
		return checkers.Fail(checkers.Protocol, "the agent said nothing: "+excerpt([]byte(line)))
	}
	if !down && !maint {
		return r
	}
	if r.OK, r.Reason = false, checkers.AgentDown; !down {
		r.Reason = checkers.AgentMaint
	}
	r.Detail = "the agent said " + excerpt([]byte(line))
	if why = strings.TrimSpace(why); why != "" {
		r.Detail = "the agent said: " + strings.Trim(excerpt([]byte(why)), `"`)
	}
	return r
}

package probe

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
)

func TestAgentLine(t *testing.T) {
	percent := func(v int) checkers.Weight { return checkers.Weight{Mode: checkers.Percent, Value: v} }
	const up, ready, share = checkers.UnsaidUp, checkers.UnsaidReady, checkers.UnsaidWeight
	for line, want := range map[string]checkers.Result{
		"up":                       {OK: true, Unsaid: ready | share},
		"ready":                    {OK: true, Unsaid: up | share},
		"ready up 75%":             {OK: true, Weight: percent(75)},
		"50%":                      {OK: true, Weight: percent(50), Unsaid: up | ready},
		"UP,\t100%":                {OK: true, Weight: percent(100), Unsaid: ready},
		"drain":                    {OK: true, Weight: checkers.Weight{Drain: true}, Unsaid: up | share},
		"up drain 30%":             {OK: true, Weight: checkers.Weight{Mode: checkers.Percent, Value: 30, Drain: true}},
		"drain ready":              {OK: true, Unsaid: up | share},
		"up maxconn:30":            {OK: true, Unsaid: ready | share},
		"maint":                    {Reason: checkers.AgentMaint, Detail: `the agent said "maint"`, Unsaid: up | share},
		"maint up":                 {Reason: checkers.AgentMaint, Detail: `the agent said "maint up"`, Unsaid: share},
		"down #disk full":          {Reason: checkers.AgentDown, Detail: "the agent said: disk full", Unsaid: ready | share},
		"down#disk full":           {Reason: checkers.AgentDown, Detail: "the agent said: disk full", Unsaid: ready | share},
		"stopped 10%":              {Reason: checkers.AgentDown, Detail: `the agent said "stopped 10%"`, Weight: percent(10), Unsaid: ready},
		"fail":                     {Reason: checkers.AgentDown, Detail: `the agent said "fail"`, Unsaid: ready | share},
		"":                         {Reason: checkers.Protocol, Detail: `the agent said nothing: ""`},
		"# all is well":            {Reason: checkers.Protocol, Detail: `the agent said nothing: "# all is well"`},
		"HTTP/1.1 400 Bad Request": {Reason: checkers.Protocol, Detail: `the agent said "HTTP/1.1 400 Bad Request"`},
		"101010%":                  {Reason: checkers.Protocol, Detail: `the agent said "101010%"`},
		"-5%":                      {Reason: checkers.Protocol, Detail: `the agent said "-5%"`},
	} {
		if got := judgeAgent(line); got != want {
			t.Errorf("%q: got %+v, want %+v", line, got, want)
		}
	}
}

func TestAgent(t *testing.T) {
	polite := serve(t, func(c *net.TCPConn) {
		name, _ := bufio.NewReader(c).ReadString('\n')
		_, _ = io.WriteString(c, strings.TrimSpace(name)+"% up\r\n")
	})
	unterminated := serve(t, func(c *net.TCPConn) { _, _ = io.WriteString(c, "up") })
	endless := serve(t, func(c *net.TCPConn) {
		_, _ = io.WriteString(c, strings.Repeat("up ", 5000))
		_, _ = io.Copy(io.Discard, c)
	})
	silent := serve(t, func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) })
	r := attempt(t, checkers.Probe{Kind: checkers.Agent, Target: polite, Params: &checkers.AgentParams{Send: []byte("30\n")}})
	if expect(t, r, checkers.OK); r.Weight != (checkers.Weight{Mode: checkers.Percent, Value: 30}) {
		t.Errorf("%+v", r)
	}
	expect(t, attempt(t, checkers.Probe{Kind: checkers.Agent, Target: unterminated}), checkers.OK)
	expect(t, attempt(t, checkers.Probe{Kind: checkers.Agent, Target: endless}), checkers.TooLong)
	expect(t, attempt(t, checkers.Probe{Kind: checkers.Agent, Target: silent, Timeout: 300 * time.Millisecond}), checkers.Timeout)
	expect(t, attempt(t, checkers.Probe{Kind: checkers.Agent, Target: closedPort(t)}), checkers.Refused)
}

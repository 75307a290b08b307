package probe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"time"

	//lint:ignore SA1019 chosen for single probes: it works without rights, and nothing here depends on its being developed.
	"github.com/go-ping/ping"

	"github.com/holdfast-ha/holdfast/checkers"
)

// Once makes a single attempt for a person at a terminal. A ping goes through an unprivileged socket where the system allows it
// (net.ipv4.ping_group_range) and the probe needs neither a mark nor an interface, so that it works without rights.
func Once(ctx context.Context, opt Options, what *checkers.Probe) checkers.Result {
	p := New(opt)
	defer p.Close()
	if what.Kind == checkers.Ping && what.Mark == 0 && what.Interface == "" {
		if r, done := pingOnce(ctx, p.sources.sourced(what)); done {
			return r
		}
	}
	start := time.Now()
	r := p.Probe(ctx, what)
	if r.Latency.Total == 0 {
		r.Latency.Total = time.Since(start)
	}
	return r
}

// pingOnce uses go-ping: a new Pinger each time, since a second Run of one tells the first one's counts; a timeout is no error.
func pingOnce(ctx context.Context, what *checkers.Probe) (r checkers.Result, done bool) {
	target := what.Target.Addr().Unmap()
	p := ping.New(target.String())
	p.SetIPAddr(&net.IPAddr{IP: target.AsSlice(), Zone: target.Zone()})
	p.SetPrivileged(false)
	p.SetLogger(ping.NoopLogger{})
	p.Count, p.Timeout, p.Size = 1, what.Limit(), pingSize
	if src := what.Bind.Addr(); src.IsValid() {
		p.Source = src.String()
	}
	stop := context.AfterFunc(ctx, p.Stop)
	defer stop()
	var took time.Duration
	p.OnRecv = func(pkt *ping.Packet) { took = pkt.Rtt }
	start := time.Now()
	if err := p.Run(); err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return r, false
		}
		return failed(what, "ping", err), true
	}
	if p.PacketsRecv == 0 {
		r = checkers.Fail(checkers.Timeout, "wait for the echo reply: no answer in time")
	} else {
		r = checkers.Pass()
		r.Latency.FirstByte = took
	}
	r.Latency.Total = time.Since(start)
	return r, true
}

// Explain tells an attempt step by step, a line each.
func Explain(what *checkers.Probe, r checkers.Result) []string {
	return append([]string{fmt.Sprintf("%s of %s, at most %s", what.Kind, what.Asks(), what.Limit())}, Steps(r)...)
}

// Steps tells how far an attempt got and what came of it, a line each.
func Steps(r checkers.Result) (lines []string) {
	for _, step := range []struct {
		name string
		took time.Duration
	}{{"connected", r.Latency.Connect}, {"TLS agreed", r.Latency.TLS}, {"first byte of the answer", r.Latency.FirstByte}} {
		if step.took > 0 {
			lines = append(lines, fmt.Sprintf("%s after %s", step.name, step.took.Round(time.Microsecond)))
		}
	}
	if r.Warning != "" {
		lines = append(lines, "warning: "+r.Warning)
	}
	switch w := r.Weight; {
	case w.Mode == checkers.Percent:
		lines = append(lines, fmt.Sprintf("asks for %d%% of its weight", w.Value))
	case w.Mode != checkers.NoWeight:
		lines = append(lines, "asks for weight "+checkers.Weight{Mode: w.Mode, Value: w.Value}.String())
	}
	if r.Weight.Drain {
		lines = append(lines, "asks for no new connections (drain)")
	}
	if r.OK {
		return append(lines, fmt.Sprintf("passed in %s", r.Latency.Total.Round(time.Microsecond)))
	}
	return append(lines, fmt.Sprintf("failed (%s) after %s: %s", r.Reason, r.Latency.Total.Round(time.Microsecond), r.Detail))
}

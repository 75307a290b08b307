package assemble

import (
	"net/netip"
	"reflect"
	"strings"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/config"
)

// Checks are the checks of all real servers. An ID's Virtual and Real are the ids of the pool and its server, its Index is the place in the
// server's list of checks (ipvssync.RealServer.Checks has their names).
func Checks(m *config.Model) []checkers.Spec {
	count := 0
	eachVirtualServer(m, func(_ string, vs *config.VirtualServer) {
		eachRealServer(vs, func(_ string, rs *config.RealServer) { count += len(rs.Checks) })
	})
	if count == 0 {
		return nil
	}
	out := make([]checkers.Spec, 0, count)
	ways := forwardWays(m)
	var last checkers.Params
	eachVirtualServer(m, func(vsID string, vs *config.VirtualServer) {
		eachRealServer(vs, func(rsID string, rs *config.RealServer) {
			index := 0
			for i := range rs.Checks {
				c := &rs.Checks[i]
				probe, ok := probe(m, c)
				if !ok {
					continue
				}
				// Neighbours mostly ask the same: one copy of the question does for all.
				if last != nil && reflect.DeepEqual(last, probe.Params) {
					probe.Params = last
				}
				last = probe.Params
				if c.Via != "" {
					w, _ := forwardWay(m, vs, rs, c)
					probe = forwarded(m, vs, c, probe, w, ways[w])
				}
				spec := checkers.Spec{
					ID: checkers.ID{Virtual: vsID, Real: rsID, Index: index}, Probe: probe, LogAll: c.LogAllFailures || m.Global.CheckerLogAllFailures,
					Rules: beyond(c, checkers.Rules{Interval: c.DelayLoop, Retry: c.Retry, RetryDelay: c.DelayBeforeRetry, Alpha: c.Alpha || rs.Alpha || vs.Alpha}),
					Alone: c.Unshared, Smooth: c.WeightSmoothing,
				}
				if c.Kind == config.FileCheck {
					// The kernel tells of changes (internal/track); this is for where it cannot.
					spec.Rules.Interval = fileInterval
				}
				// keepalived spreads first checks over delay_loop; here only a warmup that was asked for delays them.
				if c.Has("warmup") || rs.Has("warmup") || vs.Has("warmup") {
					spec.Warmup = c.Warmup
				}
				out = append(out, spec)
				index++
			}
		})
	})
	return out
}

// fileInterval is how often a tracked file is looked at without a sign of a change.
const fileInterval = 5 * time.Second

// probe is what one attempt of the check does; false for kinds that no probe exists for (BFD_CHECK).
func probe(m *config.Model, c *config.Check) (checkers.Probe, bool) {
	p := checkers.Probe{
		Target: netip.AddrPortFrom(c.ConnectIP, c.ConnectPort), Bind: netip.AddrPortFrom(c.BindTo, c.BindPort), Interface: c.BindIf,
		Mark: c.Fwmark, Timeout: c.ConnectTimeout,
	}
	switch c.Kind {
	case config.PingCheck:
		p.Kind = checkers.Ping
	case config.TCPCheck:
		p.Kind, p.Params = checkers.TCP, tcpParams(m, c)
	case config.HTTPGet:
		p.Kind, p.Params = checkers.HTTP, httpParams(m, c, false)
	case config.SSLGet:
		p.Kind, p.Params = checkers.SSL, httpParams(m, c, true)
	case config.SMTPCheck:
		p.Kind = checkers.SMTP
		smtp := &checkers.SMTPParams{Helo: c.HeloName}
		for i := range c.Hosts {
			h := &c.Hosts[i]
			smtp.Hosts = append(smtp.Hosts, checkers.SMTPHost{Target: netip.AddrPortFrom(h.ConnectIP, h.ConnectPort), Bind: netip.AddrPortFrom(h.BindTo, h.BindPort),
				Interface: h.BindIf, Mark: h.Fwmark, Timeout: h.ConnectTimeout})
		}
		if smtp.Helo != "" || smtp.Hosts != nil {
			p.Params = smtp
		}
	case config.DNSCheck:
		p.Kind, p.Params = checkers.DNS, &checkers.DNSParams{Type: c.DNSType, Name: c.DNSName, TCP: c.DNSOverTCP, RequireAnswer: c.DNSRequireAnswer}
	case config.UDPCheck:
		// Without a pattern keepalived ignores the bounds; here those that the file writes count, and its default of 255 does not.
		minReply, maxReply := c.MinReplyLen, c.MaxReplyLen
		if len(c.Reply) == 0 && !c.Has("max_reply_length") {
			maxReply = 0
		}
		p.Kind, p.Params = checkers.UDP, &checkers.UDPParams{Payload: c.Payload, RequireReply: c.RequireReply, Reply: c.Reply, Mask: c.ReplyMask,
			MinReply: minReply, MaxReply: maxReply}
	case config.MiscCheck:
		if p.Timeout = c.Timeout; p.Timeout == 0 {
			p.Timeout = c.DelayLoop
		}
		run := command(m, c.Command, p.Timeout)
		p.Kind, p.Params = checkers.Misc, &checkers.MiscParams{Argv: run.Argv, Shell: run.Shell, Dynamic: c.Dynamic, User: run.User, Group: run.Group,
			SupplementaryGroups: run.SupplementaryGroups, Secure: run.Secure}
	case config.FileCheck:
		f := m.TrackFile(c.TrackFile)
		if f == nil {
			return p, false
		}
		weight, reverse := c.Weight, c.Reverse
		if !c.Has("weight") {
			weight, reverse = f.Weight, f.Reverse
		}
		p.Kind, p.Params = checkers.File, &checkers.FileParams{Path: f.File, Weight: weight, Reverse: reverse}
	case config.GRPCCheck:
		p.Kind, p.Params = checkers.GRPC, grpcParams(m, c)
	case config.AgentCheck:
		p.Kind, p.Params = checkers.Agent, &checkers.AgentParams{Send: bytes(c.Send)}
	default:
		return p, false
	}
	return p, true
}

func httpParams(m *config.Model, c *config.Check, tls bool) *checkers.HTTPParams {
	h := &checkers.HTTPParams{Protocol: c.HTTPProtocol, VirtualHost: c.VirtualHost, Proxy: checkers.Proxy(c.ProxyProtocol), MaxBody: c.MaxBody,
		WeightHeader: c.WeightHeader, WeightField: c.WeightField}
	for i := range c.URLs {
		u := &c.URLs[i]
		url := checkers.URL{Path: u.Path, VirtualHost: u.VirtualHost, Digest: u.Digest, Regex: u.Regex, RegexOptions: u.RegexOptions,
			RegexNoMatch: u.RegexNoMatch, RegexMin: u.RegexMin, RegexMax: u.RegexMax,
			Method: u.Method, Headers: headers(u.Headers), Body: bytes(u.Body)}
		for _, r := range u.StatusCodes {
			url.Status = append(url.Status, checkers.StatusRange{From: r.From, To: r.To})
		}
		h.URLs = append(h.URLs, url)
	}
	if !tls {
		return h
	}
	h.TLS = tlsParams(m, c)
	for i := range c.URLs {
		h.TLS.Compliant = h.TLS.Compliant || c.URLs[i].TLSCompliant
	}
	if h.TLS.ServerName = c.SNIName; c.SNIName != "" || !c.EnableSNI {
		return h
	}
	// keepalived's order: the name of the url, else of the check, which has it from the servers.
	h.TLS.ServerName = hostOnly(c.VirtualHost)
	for i := range c.URLs {
		name := hostOnly(c.URLs[i].VirtualHost)
		if h.TLS.ServerName == "" {
			h.TLS.ServerName = name
		} else if name != "" && name != h.TLS.ServerName {
			h.URLs[i].ServerName = name
		}
	}
	return h
}

// hostOnly is a Host header without its port: what TLS names a server by.
func hostOnly(host string) string {
	if name, port, ok := strings.Cut(host, ":"); ok && !strings.Contains(port, ":") {
		return name
	}
	return strings.Trim(host, "[]")
}

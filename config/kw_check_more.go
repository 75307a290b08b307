package config

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"time"
)

// What checks have beyond keepalived's: the rows are added to its tables.

// judging are the keywords of all checks that have a schedule.
func judging() []row[ck] {
	return []row[ck]{
		integer("rise", 1, 1000, func(c *ck) *int { return &c.Rise }, tierC, acts, "1", "Successes in a row that bring it up."),
		integer("fall", 1, 1000, func(c *ck) *int { return &c.Fall }, tierC, acts, "retry + 1", "Failures in a row that bring it down."),
		seconds("fast_interval", time.Millisecond, longest, func(c *ck) *time.Duration { return &c.FastInterval }, tierC, acts, "delay_loop and delay_before_retry",
			"Pause between attempts while results and state disagree."),
		custom("damping", shapeWords, func(d *decoder, c *ck, n *node) {
			flaps, ok := d.intArg(n, 0, 1, 1000)
			if !ok {
				return
			}
			window, ok := d.timeArg(n, 1, time.Second, time.Second, longest)
			if !ok {
				return
			}
			hold, ok := d.timeArg(n, 2, time.Second, time.Second, longest)
			if !ok {
				return
			}
			c.DampingFlaps, c.DampingWindow, c.DampingHold = int(flaps), window, hold
			d.extra(n, 3)
		}, tierC, acts, "off", "FLAPS WINDOW HOLD: once it went down so often within so many seconds, it stays down for so many.").each(&entrySpec{first: []string{"flaps", "window", "hold"}}).clocked(),
		integer("weight_smoothing", 1, 100, func(c *ck) *int { return &c.WeightSmoothing }, tierC, acts, "100",
			"Percent of the way that the weight moves at each attempt to what the server says."),
		custom("check_share", shapeBool, func(d *decoder, c *ck, n *node) {
			if v, ok := d.boolArg(n); ok {
				c.Unshared = !v
			}
		}, tierC, acts, "on", "Equal checks of several virtual servers run once for all of them."),
	}
}

// securing are the keywords of checks that can speak TLS.
func securing() []row[ck] {
	return []row[ck]{
		boolean("tls_verify", func(c *ck) *bool { return &c.TLSVerify }, tierC, acts, "off", "Verify the certificate, and with sni_name or enable_sni its name."),
		text("tls_ca", func(c *ck) *string { return &c.TLSCA }, tierC, acts, "SSL's, else the system's", "File of the certificates to trust."),
		text("tls_cert", func(c *ck) *string { return &c.TLSCert }, tierC, acts, "SSL's", "File of the client certificate."),
		text("tls_key", func(c *ck) *string { return &c.TLSKey }, tierC, acts, "SSL's", "File of its key."),
		enum("tls_min_version", []string{"1.0", "1.1", "1.2", "1.3"}, func(c *ck) *string { return &c.TLSMin }, tierC, acts, "1.2 with tls_verify, else 1.0", "Oldest version accepted."),
		timed("tls_warn_expiry", 24*time.Hour, 24*time.Hour, 3650*24*time.Hour, func(c *ck) *time.Duration { return &c.TLSWarnExpiry }, tierC, acts, "off",
			"Warn this many days before the server's certificate ends."),
	}
}

// forwarding is the keyword of checks that can take the clients' way.
func forwarding() row[ck] {
	return custom("check_via", shapeEnum, func(d *decoder, c *ck, n *node) {
		if v, ok := d.enumArg(n, 0, []string{"direct", "forward"}); ok {
			if c.Via = v; v == "direct" {
				c.Via = ""
			}
			d.extra(n, 1)
		}
	}, tierC, acts, "direct", "forward: connect to the virtual address, through IPVS and this server's own forwarding method.").values("direct", "forward")
}

func sniName() row[ck] {
	return text("sni_name", func(c *ck) *string { return &c.SNIName }, tierC, acts, "none", "Server name in TLS.")
}

func proxying() row[ck] {
	return custom("proxy_protocol", shapeEnum, func(d *decoder, c *ck, n *node) {
		if v, ok := d.enumArg(n, 0, []string{"v1", "v2"}); ok {
			c.ProxyProtocol = int(v[1] - '0')
			d.extra(n, 1)
		}
	}, tierC, acts, "off", "Send a PROXY protocol header first: v1 or v2.")
}

func sending() row[ck] {
	return custom("send", shapeText, func(d *decoder, c *ck, n *node) {
		if v, ok := d.textArg(n); ok {
			c.Send = unescape(v)
		}
	}, tierC, acts, "nothing", `Text to send, with \r, \n, \t and \\.`)
}

// unescape turns the four escapes of send into what they mean; anything else stays.
func unescape(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\r`, "\r", `\n`, "\n", `\t`, "\t").Replace(s)
}

var tcpMore = []row[ck]{
	sending(),
	custom("expect", shapeText, func(d *decoder, c *ck, n *node) {
		v, ok := d.textArg(n)
		if ok && d.goodRegex(n, v, nil) {
			c.Expect = v
		}
	}, tierC, acts, "nothing", "Regular expression to find in the answer."),
	enum("close", []string{"fin", "rst"}, func(c *ck) *string { return &c.Close }, tierC, acts, "fin", "How to end the connection."),
	boolean("tls", func(c *ck) *bool { return &c.TLS }, tierC, acts, "off", "Shake hands as TLS does."),
	sniName(),
	proxying(),
	forwarding(),
}

var httpMore = []row[ck]{
	integer("max_body", 1, 64<<20, func(c *ck) *int { return &c.MaxBody }, tierC, acts, "1048576", "Bytes of a page that are read."),
	text("weight_header", func(c *ck) *string { return &c.WeightHeader }, tierC, acts, "none", "Response header with the server's weight, 50 or 50%."),
	text("weight_json", func(c *ck) *string { return &c.WeightField }, tierC, acts, "none", "Field of a JSON answer with the server's weight."),
	proxying(),
	forwarding(),
}

var urlMore = []row[URL]{
	text("method", func(u *URL) *string { return &u.Method }, tierC, acts, "GET", "Method of the request."),
	custom("header", shapeText, func(d *decoder, u *URL, n *node) {
		v, ok := d.textArg(n)
		if !ok {
			return
		}
		if name, _, colon := strings.Cut(v, ":"); !colon || name == "" || strings.ContainsAny(name, " \t") || strings.ContainsAny(v, "\r\n") {
			d.word(n, n.arg(0), Error, "bad-value", `write header "Name: value"`, "%q is not a header", clip(v))
			return
		}
		u.Headers = append(u.Headers, v)
	}, tierC, acts, "none", `Another header, "Name: value".`).repeat(),
	custom("body", shapeText, func(d *decoder, u *URL, n *node) {
		if v, ok := d.textArg(n); ok {
			u.Body = unescape(v)
		}
	}, tierC, acts, "none", "Body of the request."),
}

var dnsMore = []row[ck]{
	boolean("over_tcp", func(c *ck) *bool { return &c.DNSOverTCP }, tierC, acts, "off", "Ask over TCP."),
	boolean("require_answer", func(c *ck) *bool { return &c.DNSRequireAnswer }, tierC, acts, "off", "An answer without records is a failure."),
}

var grpcTable = newTable("GRPC_CHECK", []row[ck]{
	text("service", func(c *ck) *string { return &c.GRPCService }, tierC, acts, "the whole server", "Service asked about."),
	text("authority", func(c *ck) *string { return &c.GRPCAuthority }, tierC, acts, "address and port", "Name of the server in the request."),
	boolean("tls", func(c *ck) *bool { return &c.TLS }, tierC, acts, "off", "Speak TLS."),
	sniName(),
}, securing(), judging(), connection(), schedule())

var agentTable = newTable("AGENT_CHECK", []row[ck]{sending()}, judging(), connection(), schedule())

// goodRegex says whether Go's regular expressions can do what the pattern asks, and complains where not: a check that cannot be
// run would take its server out.
func (d *decoder) goodRegex(n *node, pattern string, options []string) bool {
	for _, o := range options {
		if o == "extended" || o == "alt_bsux" || o == "match_unset_backref" || o == "firstline" || o == "alt_circumflex" || o == "alt_verbnames" {
			d.word(n, &n.key, Error, "regex", "write the pattern without it", "regex option %s is not available", o)
			return false
		}
	}
	_, err := regexp.Compile(pattern)
	if err == nil {
		return true
	}
	why := err.Error()
	if e, ok := err.(*syntax.Error); ok {
		why = e.Code.String() + ": " + e.Expr
	}
	d.word(n, &n.key, Error, "regex", "back-references and look-around are not available; the rest is as in PCRE", "the regular expression cannot be used: %s", clip(why))
	return false
}

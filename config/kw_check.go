package config

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

type ck = checkDraft

// schedule are the keywords of all checks but FILE_CHECK and BFD_CHECK.
func schedule() []row[ck] {
	return append(inherited(func(c *ck) *raw { return &c.raw }),
		tri("alpha", func(c *ck) *Tri { return &c.alpha }, tierA, acts, "the real server's", "Down until it passes."),
		integer("nb_get_retry", 0, 1<<31-1, func(c *ck) *int { return &c.retry }, tierA, acts, "", "Old name of retry.").say("nb_get_retry is deprecated: write retry"),
		tri("log_all_failures", func(c *ck) *Tri { return &c.logAll }, tierB, acts, "checker_log_all_failures", "Log every failed attempt."),
	)
}

// connection are the keywords of checks that open a connection.
func connection() []row[ck] {
	return []row[ck]{
		addr("connect_ip", func(c *ck) *netip.Addr { return &c.ConnectIP }, tierA, acts, "the real server's", "Address to connect to."),
		integer("connect_port", 1, 65535, func(c *ck) *uint16 { return &c.ConnectPort }, tierA, acts, "the real server's", "Port to connect to."),
		addr("bindto", func(c *ck) *netip.Addr { return &c.BindTo }, tierA, acts, "any", "Source address."),
		integer("bind_port", 1, 65535, func(c *ck) *uint16 { return &c.BindPort }, tierB, acts, "any", "Source port."),
		text("bind_if", func(c *ck) *string { return &c.BindIf }, tierB, acts, "any", "Interface to use."),
		seconds("connect_timeout", usec, longest, func(c *ck) *time.Duration { return &c.connectTimeout }, tierA, acts, "the real server's, else 5", "Time to connect and for each answer."),
		integer("fwmark", 0, 1<<32-1, func(c *ck) *uint32 { return &c.Fwmark }, tierB, acts, "none", "Firewall mark of the packets."),
	}
}

var tcpTable = newTable("TCP_CHECK", connection(), schedule(), judging(), tcpMore, securing())

var tcpTable2 = newTable("PING_CHECK", connection(), schedule(), judging())

var httpTable = newTable("HTTP_GET", []row[ck]{
	block("url", urlTable, func(d *decoder, c *ck, n *node) {
		if !d.needBlock(n) {
			return
		}
		u := URL{Meta: Meta{Pos: n.pos()}}
		decode(d, urlTable, &u, &u.Meta, n.kids)
		c.URLs = append(c.URLs, u)
	}, tierA, acts, "required", "A page; all must pass.").repeat(),
	text("virtualhost", func(c *ck) *string { return &c.VirtualHost }, tierA, acts, "the real server's", "Host header and server name."),
	custom("http_protocol", shapeEnum, func(d *decoder, c *ck, n *node) {
		if v, ok := d.enumArg(n, 0, []string{"1.0", "1.1", "1.0C", "1.0c", "2", "h2c"}); ok {
			if c.HTTPProtocol = v; v == "1.0c" {
				c.HTTPProtocol = "1.0C"
			}
		}
	}, tierB, acts, "1.0", "HTTP version; 1.0C is 1.0 with Connection: close, h2c is HTTP/2 without TLS.").values("1.0", "1.1", "1.0C", "1.0c", "2", "h2c"),
	boolean("enable_sni", func(c *ck) *bool { return &c.EnableSNI }, tierA, acts, "off", "Send the server name in TLS."),
	text("sni_name", func(c *ck) *string { return &c.SNIName }, tierC, acts, "virtualhost", "This server name.").passed(),
	boolean("fast_recovery", func(c *ck) *bool { return &c.FastRecovery }, tierB, acts, "off", "Check all pages at once when starting or recovering."),
	boolean("tls_compliant", func(c *ck) *bool { return &c.TLSCompliant }, tierC, acts, "off", "A connection cut without close_notify is a failure."),
}, connection(), schedule(), judging(), httpMore, securing())

var urlTable = newTable("url", []row[URL]{
	text("path", func(u *URL) *string { return &u.Path }, tierA, acts, "required", "Path and query."),
	custom("digest", shapeWord, func(d *decoder, u *URL, n *node) {
		v, ok := d.wordArg(n, 0)
		if !ok {
			return
		}
		if len(v) != 32 || strings.IndexFunc(v, func(c rune) bool { return c > 0x7f || hexDigit(byte(c)) < 0 }) >= 0 {
			d.word(n, n.arg(0), Error, "bad-value", "compute it with: curl -s URL | md5sum", "digest is an MD5 sum of 32 hex digits, not %q", clip(v))
			return
		}
		u.Digest = strings.ToLower(v)
	}, tierA, acts, "not compared", "MD5 sum of the body."),
	custom("status_code", shapeWords, readStatus, tierA, acts, "200-299", "Codes and ranges that pass.").passed(),
	text("virtualhost", func(u *URL) *string { return &u.VirtualHost }, tierA, acts, "the check's", "Host header."),
	custom("regex", shapeText, func(d *decoder, u *URL, n *node) { u.Regex, _ = d.textArg(n) }, tierB, acts, "none", "Must be found in the answer."),
	flag("regex_no_match", func(u *URL) *bool { return &u.RegexNoMatch }, tierB, acts, "off", "Must not be found."),
	custom("regex_options", shapeWords, func(_ *decoder, u *URL, n *node) {
		for i := range n.args {
			u.RegexOptions = append(u.RegexOptions, n.args[i].text)
		}
	}, tierC, acts, "none", "PCRE2 options in lower case."),
	integer("regex_min_offset", 0, 1<<31-1, func(u *URL) *int { return &u.RegexMin }, tierC, acts, "0", "Search from this byte."),
	integer("regex_max_offset", 0, 1<<31-1, func(u *URL) *int { return &u.RegexMax }, tierC, acts, "none", "Search up to this byte."),
	known[URL]("regex_stack", shapeWords, tierC, moot, "", "Stack of the PCRE2 library."),
	boolean("tls_compliant", func(u *URL) *bool { return &u.TLSCompliant }, tierC, acts, "off", "As in the check."),
}, urlMore)

func readStatus(d *decoder, u *URL, n *node) {
	if !d.need(n, 0) {
		return
	}
	for i := range n.args {
		from, to, ranged := strings.Cut(n.args[i].text, "-")
		a, err := strconv.Atoi(from)
		b := a
		if ranged && err == nil {
			b, err = strconv.Atoi(to)
		}
		if err != nil || a < 100 || b > 599 || b < a {
			d.word(n, n.arg(i), Error, "bad-value", "write codes from 100 to 599 and ranges such as 200-299", "%q is not a status code", clip(n.args[i].text))
			return
		}
		u.StatusCodes = append(u.StatusCodes, CodeRange{a, b})
	}
}

var smtpTable = newTable("SMTP_CHECK", []row[ck]{
	text("helo_name", func(c *ck) *string { return &c.HeloName }, tierB, acts, "smtpchecker.keepalived.org", "Name in HELO."),
	block("host", hostTable, func(d *decoder, c *ck, n *node) {
		if !d.needBlock(n) {
			return
		}
		h := SMTPHost{Meta: Meta{Pos: n.pos()}}
		decode(d, hostTable, &h, &h.Meta, n.kids)
		c.Hosts = append(c.Hosts, h)
	}, tierB, acts, "", "Deprecated: another address to greet.").say("host is deprecated: write one SMTP_CHECK for each address").repeat(),
}, connection(), schedule(), judging())

var hostTable = newTable("host", []row[SMTPHost]{
	addr("connect_ip", func(c *SMTPHost) *netip.Addr { return &c.ConnectIP }, tierB, acts, "the real server's", "Address to connect to."),
	integer("connect_port", 1, 65535, func(c *SMTPHost) *uint16 { return &c.ConnectPort }, tierB, acts, "the real server's", "Port to connect to."),
	addr("bindto", func(c *SMTPHost) *netip.Addr { return &c.BindTo }, tierB, acts, "any", "Source address."),
	integer("bind_port", 1, 65535, func(c *SMTPHost) *uint16 { return &c.BindPort }, tierB, acts, "any", "Source port."),
	text("bind_if", func(c *SMTPHost) *string { return &c.BindIf }, tierB, acts, "any", "Interface to use."),
	seconds("connect_timeout", usec, longest, func(c *SMTPHost) *time.Duration { return &c.ConnectTimeout }, tierB, acts, "the check's", "Time to connect."),
	integer("fwmark", 0, 1<<32-1, func(c *SMTPHost) *uint32 { return &c.Fwmark }, tierB, acts, "none", "Firewall mark of the packets."),
})

var dnsTypes = []string{"A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA", "RRSIG", "DNSKEY"}

var dnsTable = newTable("DNS_CHECK", []row[ck]{
	custom("type", shapeEnum, func(d *decoder, c *ck, n *node) {
		if !d.need(n, 0) {
			return
		}
		n.args[0].text = strings.ToUpper(n.args[0].text)
		if v, ok := d.enumArg(n, 0, dnsTypes); ok {
			c.DNSType = v
		}
	}, tierB, acts, "SOA", "What is asked for: "+strings.Join(dnsTypes, ", ")+".").values(dnsTypes...),
	text("name", func(c *ck) *string { return &c.DNSName }, tierB, acts, ".", "The name."),
}, connection(), schedule(), judging(), dnsMore)

var miscTable = newTable("MISC_CHECK", []row[ck]{
	command("misc_path", func(c *ck) *Command { return &c.Command }, tierA, acts, "required", "The program; exit status 0 means up."),
	seconds("misc_timeout", 0, longest, func(c *ck) *time.Duration { return &c.miscTimeout }, tierA, acts, "as delay_loop", "Then it is killed and has failed; 0: after delay_loop."),
	flag("misc_dynamic", func(c *ck) *bool { return &c.Dynamic }, tierA, acts, "off", "Exit status 2 to 255 is the weight plus 2."),
	custom("user", shapeWords, func(d *decoder, c *ck, n *node) {
		if u, ok := d.wordArg(n, 0); ok {
			c.Command.User, c.Command.Group = u, n.text(1)
			d.account(n)
			d.extra(n, 2)
		}
	}, tierA, acts, "script_user", "User and group it runs as.").each(&entrySpec{first: []string{"user", "group"}}),
	known[ck]("connect_timeout", shapeWord, tierC, gone, "", "MISC_CHECK has misc_timeout instead.").say("MISC_CHECK has no connect_timeout: write misc_timeout"),
}, schedule(), judging())

var udpTable = newTable("UDP_CHECK", []row[ck]{
	custom("payload", shapeWords, func(d *decoder, c *ck, n *node) {
		b, mask, ok := d.hex(n)
		if !ok {
			return
		}
		for i := range mask {
			if mask[i] != 0xff {
				d.word(n, n.arg(0), Error, "bad-value", "", "a payload has no wildcards")
				return
			}
		}
		c.Payload = b
	}, tierB, acts, "a text", "Bytes to send, in hex."),
	custom("require_reply", shapeWords, func(d *decoder, c *ck, n *node) {
		c.RequireReply = true
		if len(n.args) > 0 {
			c.Reply, c.ReplyMask, _ = d.hex(n)
		}
	}, tierB, acts, "off", "An answer must come; hex, x is any half of a byte."),
	integer("min_reply_length", 0, 65535, func(c *ck) *int { return &c.MinReplyLen }, tierB, acts, "0", "Shortest answer."),
	integer("max_reply_length", 0, 65535, func(c *ck) *int { return &c.MaxReplyLen }, tierB, acts, "255", "Longest answer."),
}, connection(), schedule(), judging())

// hex reads pairs of hex digits as keepalived does: blanks are between bytes, a digit alone is a byte, and x is any half of a byte.
func (d *decoder) hex(n *node) (b, mask []byte, ok bool) {
	if !d.need(n, 0) {
		return nil, nil, false
	}
	for i := range n.args {
		for _, group := range strings.Fields(n.args[i].text) {
			for len(group) > 0 {
				two := group[:min(2, len(group))]
				group = group[len(two):]
				var v, m byte
				if len(two) == 1 {
					m = 0x0f // its first half is 0
				}
				for _, c := range []byte(two) {
					v, m = v<<4, m<<4
					if c == 'x' || c == 'X' {
						continue
					}
					digit := hexDigit(c)
					if digit < 0 {
						d.word(n, n.arg(i), Error, "bad-value", "write two hex digits for each byte", "%q is not hex", clip(two))
						return nil, nil, false
					}
					v, m = v|byte(digit), m|0x0f
				}
				b, mask = append(b, v), append(mask, m)
			}
		}
	}
	if len(b) == 0 || len(b) > 65535 {
		d.word(n, n.arg(0), Error, "bad-value", "write two hex digits for each byte", "%s has %d bytes, not 1 to 65535", n.key.text, len(b))
		return nil, nil, false
	}
	return b, mask, true
}

var fileTable = newTable("FILE_CHECK", []row[ck]{
	text("track_file", func(c *ck) *string { return &c.TrackFile }, tierB, acts, "required", "Name of a track_file."),
	custom("weight", shapeWords, func(d *decoder, c *ck, n *node) {
		v, ok := d.intArg(n, 0, -1<<31+1, 1<<31-1)
		if !ok {
			return
		}
		c.Check.Weight, c.raw.weight = int(v), 0
		if len(n.args) > 1 {
			s, ok := d.enumArg(n, 1, []string{"reverse", "noreverse"})
			c.Reverse = ok && s == "reverse"
		}
		d.extra(n, 2)
	}, tierB, acts, "the file's", "Value times weight is added to the server's weight; 0: a value other than 0 is down.").each(&entrySpec{first: []string{"weight"}, options: []option{{"reverse", 0, ""}, {"noreverse", 0, ""}}}),
})

var bfdCheckTable = newTable("BFD_CHECK", []row[ck]{
	text("name", func(c *ck) *string { return &c.BFDName }, tierB, idle, "required", "Name of a bfd_instance."),
	tri("alpha", func(c *ck) *Tri { return &c.alpha }, tierC, idle, "the real server's", "Down until the session is up."),
})

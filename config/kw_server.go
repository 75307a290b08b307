package config

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

var schedulers = []string{"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "mh", "dh", "fo", "ovf", "sed", "nq", "twos"}

// raw is what real servers and checks inherit, before it has been filled in. Negative means "not given".
type raw struct {
	retry                                                int
	delayBeforeRetry, warmup, connectTimeout, delayLoop  time.Duration
	alpha, inhibit, smtp, logAll                         Tri
	weight                                               int
	sorryMethod                                          Method
	sorryInhibit, familyGiven, portGiven, granularityNet bool
	miscTimeout                                          time.Duration
}

func noRaw() raw {
	return raw{retry: -1, delayBeforeRetry: -1, warmup: -1, connectTimeout: -1, delayLoop: -1, weight: -1, miscTimeout: -1}
}

// vsDraft, rsDraft and checkDraft are objects with what is only needed until inheritance is settled.
type vsDraft struct {
	VirtualServer
	raw
	seen  map[netip.AddrPort]bool
	draft *draft
}

type rsDraft struct {
	*RealServer
	raw
	checks []*checkDraft
	node   *node
}

type checkDraft struct {
	*Check
	raw
	node *node
}

var methodEntry = &entrySpec{first: []string{"method"}, options: []option{{"type", 1, "ipip, gue or gre"}, {"port", 1, "of gue"}, {"nocsum", 0, ""}, {"csum", 0, ""}, {"remcsum", 0, ""}}}

// method reads NAT, DR, TUN [type ipip|gue port N|gre] [nocsum|csum|remcsum] or FNAT.
func (d *decoder) method(n *node) (Method, bool) {
	v, ok := d.enumArg(n, 0, []string{"NAT", "DR", "TUN", "FNAT"})
	if !ok {
		if d.block != nil {
			d.block("the forwarding method is not understood")
		}
		return Method{}, false
	}
	m := Method{Forward: Forward(v)}
	for i := 1; i < len(n.args); i++ {
		w := n.arg(i)
		if m.Forward != TUN {
			d.extra(n, 1)
			break
		}
		switch w.text {
		case "type":
			i++
			m.TunType, _ = d.enumArg(n, i, []string{"ipip", "gue", "gre"})
		case "port":
			i++
			if d.need(n, i) {
				v, _ := d.number(n, n.arg(i), 1, 65535)
				m.TunPort = uint16(v)
			}
		case "nocsum", "csum", "remcsum":
			m.TunCsum = w.text
		default:
			d.word(n, w, Error, "bad-value", "the words are type, port, nocsum, csum, remcsum", "a tunnel has no option %q", clip(w.text))
		}
	}
	if m.TunType == "gue" && m.TunPort == 0 {
		d.word(n, n.arg(0), Error, "missing-argument", "write type gue port N", "a gue tunnel needs a port")
	}
	return m, true
}

func methodRow[T any](name string, f func(*T) *Method, t tier, def, doc string) row[T] {
	return custom(name, shapeWords, func(d *decoder, o *T, n *node) {
		if m, ok := d.method(n); ok {
			*f(o) = m
		}
	}, t, acts, def, doc).each(methodEntry)
}

// inherited are the keywords that virtual server, real server and checks share.
func inherited[T any](f func(*T) *raw) []row[T] {
	return []row[T]{
		integer("retry", 0, 1<<31-1, func(o *T) *int { return &f(o).retry }, tierA, acts, "1; DNS_CHECK 3, MISC_CHECK 0", "Further attempts after the first failure."),
		seconds("delay_before_retry", 0, longest*1000, func(o *T) *time.Duration { return &f(o).delayBeforeRetry }, tierA, acts, "1; HTTP_GET and SSL_GET 3, DNS_CHECK as delay_loop", "Pause before such an attempt."),
		seconds("warmup", 0, longest*1000, func(o *T) *time.Duration { return &f(o).warmup }, tierA, acts, "none; keepalived: delay_loop", "First checks are spread over this time. Without it they are made at once."),
		seconds("delay_loop", usec, longest*1000, func(o *T) *time.Duration { return &f(o).delayLoop }, tierA, acts, "60", "Time between checks."),
	}
}

var vsTable = newTable("virtual_server", []row[vsDraft]{
	custom("ip_family", shapeEnum, func(d *decoder, v *vsDraft, n *node) {
		if s, ok := d.enumArg(n, 0, []string{"inet", "inet6"}); ok {
			v.IPv6, v.familyGiven = s == "inet6", true
		}
	}, tierB, acts, "from the address", "Needed for a firewall mark of IPv6.").values("inet", "inet6"),
	custom("lb_algo", shapeEnum, func(d *decoder, v *vsDraft, n *node) {
		if s, ok := d.enumArg(n, 0, schedulers); ok {
			v.Scheduler = s
			d.extra(n, 1)
		}
	}, tierA, acts, "wlc", "Scheduler: "+strings.Join(schedulers, ", ")+".").also("lvs_sched").values(schedulers...),
	methodRow("lb_kind", func(v *vsDraft) *Method { return &v.VirtualServer.Method }, tierA, "NAT", "Forwarding: NAT, DR, TUN or FNAT (FULLNAT).").also("lvs_method"),
	custom("persistence_timeout", shapeWords, func(d *decoder, v *vsDraft, n *node) {
		v.PersistenceTimeout = 360 * time.Second
		if len(n.args) == 0 {
			return
		}
		if n.text(0) == "0" {
			v.PersistenceTimeout = 0
			d.word(n, n.arg(0), Warning, "persistence-zero", "remove the line", "persistence_timeout 0 is outside 1 to 2678400: there is no persistence")
			return
		}
		if t, ok := d.timeArg(n, 0, time.Second, time.Second, 2678400*time.Second); ok {
			v.PersistenceTimeout = t
			d.extra(n, 1)
		}
	}, tierA, acts, "off; without value 360", "A client stays with its server for this long.").clocked(),
	custom("persistence_granularity", shapeWord, readGranularity, tierB, acts, "/32, IPv6 /128", "Clients of one such network count as one."),
	text("persistence_engine", func(v *vsDraft) *string { return &v.PersistenceEngine }, tierB, acts, "none", "Persistence engine of the kernel, such as sip."),
	custom("protocol", shapeWords, func(d *decoder, v *vsDraft, n *node) {
		if !d.need(n, 0) {
			return
		}
		v.Protocol, v.AlsoProtocols = "", nil
		for i := range n.args {
			switch p := strings.ToLower(n.text(i)); {
			case p != "tcp" && p != "udp" && p != "sctp":
				d.word(n, n.arg(i), Error, "bad-value", d.suggest(n.text(i), []string{"TCP", "UDP", "SCTP"}), "protocol is TCP, UDP or SCTP, not %q", clip(n.text(i)))
				d.block("the protocol is not understood")
			case v.Protocol == "":
				v.Protocol = p
			case p != v.Protocol && !slices.Contains(v.AlsoProtocols, p):
				v.AlsoProtocols = append(v.AlsoProtocols, p)
			}
		}
	}, tierA, acts, "UDP", "TCP, UDP or SCTP; say it always. Several make a service for each, with one list of servers.").each(&entrySpec{first: []string{"first", "second", "third"}}),
	flag("ops", func(v *vsDraft) *bool { return &v.OPS }, tierB, acts, "off", "Schedule every UDP packet."),
	known[vsDraft]("hashed", shapeFlag, tierC, gone, "", "Without effect in keepalived too."),
	schedFlag("flag-1", tierC), schedFlag("flag-2", tierC), schedFlag("flag-3", tierC),
	schedFlag("sh-port", tierB), schedFlag("sh-fallback", tierB), schedFlag("mh-port", tierB), schedFlag("mh-fallback", tierB),
	text("virtualhost", func(v *vsDraft) *string { return &v.VirtualServer.VirtualHost }, tierA, acts, "the address", "Default Host of HTTP checks."),
	flag("ha_suspend", func(v *vsDraft) *bool { return &v.HASuspend }, tierB, acts, "off", "Check and serve only while the address is here."),
	boolean("alpha", func(v *vsDraft) *bool { return &v.VirtualServer.Alpha }, tierA, acts, "off", "Real servers start down until a check passes.").passed(),
	boolean("omega", func(v *vsDraft) *bool { return &v.Omega }, tierB, acts, "off", "Run notify_down and quorum_down at stop.").passed(),
	integer("quorum", 1, 1<<31-1, func(v *vsDraft) *int { return &v.Quorum }, tierA, acts, "1", "Total weight of living servers needed."),
	integer("hysteresis", 0, 1<<31-1, func(v *vsDraft) *int { return &v.Hysteresis }, tierA, acts, "0", "Quorum is won above quorum + hysteresis and lost below quorum - hysteresis."),
	seconds("drain_timeout", 0, longest, func(v *vsDraft) *time.Duration { return &v.DrainTimeout }, tierB, acts, "0", "A server that leaves the file keeps its connections for at most this time, without new ones; 0 deletes it at once."),
	seconds("slow_start", 0, longest, func(v *vsDraft) *time.Duration { return &v.SlowStart }, tierB, acts, "0", "The weight of a server that came back rises over this time."),
	integer("panic_threshold", 0, 100, func(v *vsDraft) *int { return &v.PanicThreshold }, tierB, acts, "0", "When fewer percent of the servers are up, failed ones serve too; 0: never."),
	custom("ipvs_when", shapeWords, func(d *decoder, v *vsDraft, n *node) {
		switch when, ok := d.enumArg(n, 0, []string{"always", "master"}); {
		case !ok:
			d.block("when to balance is not understood")
		case when == "always":
			v.MasterOf = ""
			d.extra(n, 1)
		case len(n.args) < 2:
			d.word(n, n.arg(0), Error, "bad-value", "write: ipvs_when master INSTANCE", "ipvs_when master needs the name of an instance")
			d.block("when to balance is not understood")
		default:
			v.MasterOf = n.text(1)
			d.extra(n, 2)
		}
	}, tierB, acts, "always", "With master INSTANCE the services are in the kernel only while that instance is MASTER: for directors that are also real servers.").each(&entrySpec{first: []string{"when", "instance"}}),
	command("quorum_up", func(v *vsDraft) *Command { return &v.QuorumUp }, tierA, acts, "none", "Run when quorum is won."),
	command("quorum_down", func(v *vsDraft) *Command { return &v.QuorumDown }, tierA, acts, "none", "Run when quorum is lost."),
	custom("sorry_server", shapeWords, func(d *decoder, v *vsDraft, n *node) {
		a, ok := d.addrArg(n, 0)
		if !ok {
			return
		}
		s := SorryServer{Addr: a, Pos: n.pos()}
		if len(n.args) > 1 {
			if p, ok := d.number(n, n.arg(1), 0, 65535); ok {
				s.Port = uint16(p)
			}
		}
		d.extra(n, 2)
		v.Sorry = &s
	}, tierA, acts, "none", "Address and port that serve while quorum is lost.").each(&entrySpec{first: []string{"address", "port"}}),
	flag("sorry_server_inhibit", func(v *vsDraft) *bool { return &v.sorryInhibit }, tierB, acts, "off", "The sorry server stays in the table with weight 0."),
	methodRow("sorry_server_lvs_method", func(v *vsDraft) *Method { return &v.sorryMethod }, tierC, "lb_kind", "Forwarding to the sorry server."),
	tri("smtp_alert", func(v *vsDraft) *Tri { return &v.smtp }, tierB, acts, "off", "Mail when quorum changes."),
	text("snmp_name", func(v *vsDraft) *string { return &v.VirtualServer.SNMPName }, tierC, idle, "none", "Name in SNMP."),
	integer("weight", 1, 1<<31-1, func(v *vsDraft) *int { return &v.VirtualServer.Weight }, tierB, acts, "1", "Default weight of real servers."),
	seconds("connect_timeout", usec, longest, func(v *vsDraft) *time.Duration { return &v.connectTimeout }, tierA, acts, "5", "Default time to connect."),
	tri("inhibit_on_failure", func(v *vsDraft) *Tri { return &v.inhibit }, tierA, acts, "off", "A failed server gets weight 0 instead of being removed.").passed(),
	tri("log_all_failures", func(v *vsDraft) *Tri { return &v.logAll }, tierB, acts, "off", "Log every failed attempt."),
	text("laddr_group_name", func(v *vsDraft) *string { return &v.VirtualServer.LocalAddressGroup }, tierC, acts, "none", "DPVS: source addresses of FULLNAT."),
	known[vsDraft]("nat_mask", shapeWord, tierC, gone, "", "Removed from keepalived.").say("nat_mask was removed from keepalived long ago: remove it"),
	known[vsDraft]("syn_proxy", shapeFlag, tierC, idle, "", "DPVS: SYN proxy."),
	known[vsDraft]("est_timeout", shapeWord, tierC, idle, "", "DPVS: timeout of established connections."),
	known[vsDraft]("bps", shapeWord, tierC, idle, "", "DPVS."),
	known[vsDraft]("establish_timeout", shapeWord, tierC, idle, "", "DPVS."),
	block("real_server", rsTable, readRealServer, tierA, acts, "", "A real server.").words("address", "port").repeat(),
}, inherited(func(v *vsDraft) *raw { return &v.raw }))

func schedFlag(name string, t tier) row[vsDraft] {
	return custom(name, shapeFlag, func(d *decoder, v *vsDraft, n *node) {
		v.Flags = append(v.Flags, name)
		d.extra(n, 0)
	}, t, acts, "off", "Flag of the scheduler.")
}

func readGranularity(d *decoder, v *vsDraft, n *node) {
	s, ok := d.wordArg(n, 0)
	if !ok {
		return
	}
	s = strings.TrimPrefix(s, "/")
	if a, err := netip.ParseAddr(s); err == nil && a.Is4() {
		ones, ok := maskBits(a)
		if !ok || ones == 0 {
			d.word(n, n.arg(0), Error, "bad-value", "write a mask such as 255.255.255.0", "%q is not a netmask", clip(s))
			return
		}
		v.PersistenceGranularity, v.granularityNet = ones, true
		return
	}
	b, err := strconv.Atoi(s)
	if err != nil || b < 1 || b > 128 {
		d.word(n, n.arg(0), Error, "bad-value", "write a mask such as 255.255.255.0, or for IPv6 a prefix length", "%q is not a netmask", clip(s))
		return
	}
	v.PersistenceGranularity, v.granularityNet = b, true
}

var rsTable = newTable("real_server", []row[rsDraft]{
	integer("weight", 0, 1<<31-1, func(r *rsDraft) *int { return &r.weight }, tierA, acts, "1", "Share of the load; 0 gets no new connections."),
	methodRow("lvs_method", func(r *rsDraft) *Method { return &r.RealServer.Method }, tierA, "the virtual server's", "Forwarding to this server.").also("lb_kind"),
	tri("inhibit_on_failure", func(r *rsDraft) *Tri { return &r.inhibit }, tierA, acts, "the virtual server's", "Weight 0 instead of removal when it fails.").passed(),
	integer("uthreshold", 0, 1<<32-1, func(r *rsDraft) *uint32 { return &r.UThreshold }, tierB, acts, "0", "No new connections above this many."),
	integer("lthreshold", 0, 1<<32-1, func(r *rsDraft) *uint32 { return &r.LThreshold }, tierB, acts, "0", "New connections again below this many."),
	command("notify_up", func(r *rsDraft) *Command { return &r.NotifyUp }, tierA, acts, "none", "Run when it comes up."),
	command("notify_down", func(r *rsDraft) *Command { return &r.NotifyDown }, tierA, acts, "none", "Run when it goes down."),
	tri("alpha", func(r *rsDraft) *Tri { return &r.alpha }, tierB, acts, "the virtual server's", "Starts down until its checks pass.").passed(),
	seconds("connect_timeout", usec, longest, func(r *rsDraft) *time.Duration { return &r.connectTimeout }, tierA, acts, "the virtual server's", "Default time to connect."),
	tri("smtp_alert", func(r *rsDraft) *Tri { return &r.smtp }, tierB, acts, "on", "Mail at every change."),
	tri("log_all_failures", func(r *rsDraft) *Tri { return &r.logAll }, tierB, acts, "off", "Log every failed attempt."),
	text("virtualhost", func(r *rsDraft) *string { return &r.RealServer.VirtualHost }, tierB, acts, "the virtual server's", "Default Host of its HTTP checks."),
	text("snmp_name", func(r *rsDraft) *string { return &r.RealServer.SNMPName }, tierC, idle, "none", "Name in SNMP."),
	checker("HTTP_GET", HTTPGet, httpTable, tierA, "Fetch pages over HTTP."),
	checker("SSL_GET", SSLGet, httpTable, tierA, "Fetch pages over HTTPS."),
	checker("TCP_CHECK", TCPCheck, tcpTable, tierA, "Connect."),
	checker("SMTP_CHECK", SMTPCheck, smtpTable, tierB, "Greet a mail server."),
	checker("DNS_CHECK", DNSCheck, dnsTable, tierB, "Ask a name server."),
	checker("MISC_CHECK", MiscCheck, miscTable, tierA, "Run a program."),
	checker("UDP_CHECK", UDPCheck, udpTable, tierB, "Send a datagram."),
	checker("PING_CHECK", PingCheck, tcpTable2, tierB, "ICMP echo."),
	checker("FILE_CHECK", FileCheck, fileTable, tierB, "The value of a track_file."),
	checker("GRPC_CHECK", GRPCCheck, grpcTable, tierC, "Ask a gRPC server's health service."),
	checker("AGENT_CHECK", AgentCheck, agentTable, tierC, "Ask an agent in HAProxy's agent-check protocol."),
	checker("BFD_CHECK", BFDCheck, bfdCheckTable, tierB, "A BFD session."),
}, inherited(func(r *rsDraft) *raw { return &r.raw }))

// checkKinds are the keywords that begin a check.
var checkKinds = map[string]bool{}

func checker(name string, kind CheckKind, sub *table[checkDraft], t tier, doc string) row[rsDraft] {
	checkKinds[name] = true
	u := acts
	if kind == BFDCheck {
		u = idle
	}
	r := block(name, sub, func(d *decoder, r *rsDraft, n *node) {
		c := d.drafts.check(kind, n)
		if n.block {
			decode(d, sub, c, &c.Meta, n.kids)
		} else if len(n.args) > 0 {
			d.extra(n, 0)
		} else if kind != TCPCheck && kind != PingCheck && kind != SMTPCheck && kind != DNSCheck && kind != UDPCheck && kind != GRPCCheck && kind != AgentCheck {
			d.needBlock(n)
			return
		}
		r.checks = append(r.checks, c)
	}, t, u, "", doc)
	return r.repeat()
}

// readRealServer reads and settles one real server; what it inherits has been read before.
func readRealServer(d *decoder, v *vsDraft, n *node) {
	a, port, given, ok := d.endpoint(n, 0)
	if !ok {
		return
	}
	if !n.block {
		d.bad(n, &n.key, "block-missing", "write real_server ADDRESS PORT { ... }", "real_server needs a block")
		return
	}
	last := len(v.RealServers)
	v.RealServers = slices.Grow(v.RealServers, 1)[:last+1]
	r := d.drafts.begin(&v.RealServers[last], n)
	r.Pos, r.Addr, r.Port, r.portGiven = n.pos(), a, port, given
	item := d.item
	d.item += " real_server " + n.args[0].text
	decode(d, rsTable, r, &r.Meta, n.kids)
	d.item = item
	if !v.take(d, r, n) {
		v.RealServers[last] = RealServer{}
		v.RealServers = v.RealServers[:last]
	}
}

// endpoint reads ADDR [PORT] from the words i and on.
func (d *decoder) endpoint(n *node, i int) (a netip.Addr, port uint16, given, ok bool) {
	if a, ok = d.addrArg(n, i); !ok {
		return a, 0, false, false
	}
	if len(n.args) > i+1 {
		p, good := d.number(n, n.arg(i+1), 0, 65535)
		if !good {
			return a, 0, false, false
		}
		port, given = uint16(p), true
	}
	d.extra(n, i+2)
	return a, port, given && port != 0, true
}

// endpoints reads ADDRESS [PORTS].
func (d *decoder) endpoints(n *node, i int) (a netip.Addr, port uint16, more []PortRange, ok bool) {
	if len(n.args) <= i+1 || !strings.ContainsAny(n.text(i+1), ",-") {
		a, port, _, ok = d.endpoint(n, i)
		return a, port, nil, ok
	}
	if a, ok = d.addrArg(n, i); !ok {
		return a, 0, nil, false
	}
	if port, more, ok = d.portList(n, n.arg(i+1)); !ok {
		return a, 0, nil, false
	}
	d.extra(n, i+2)
	return a, port, more, true
}

// portList reads ports and ranges with commas between them: 80,443,8000-8010.
func (d *decoder) portList(n *node, w *word) (first uint16, more []PortRange, ok bool) {
	for part := range strings.SplitSeq(w.text, ",") {
		from, to, ranged := strings.Cut(part, "-")
		a, err := strconv.ParseUint(from, 10, 16)
		b := a
		if ranged && err == nil {
			b, err = strconv.ParseUint(to, 10, 16)
		}
		if err != nil || a == 0 || b < a {
			d.word(n, w, Error, "bad-ports", "write ports from 1 to 65535 and ranges, as in 80,443,8000-8010", "%q is not a list of ports", clip(w.text))
			return 0, nil, false
		}
		if first == 0 {
			if first = uint16(a); a == b {
				continue
			}
			a++
		}
		more = append(more, PortRange{uint16(a), uint16(b)})
	}
	return first, more, true
}

// groupEntry reads ADDR[-END|/MASK] [PORT] or fwmark N [inet|inet6].
func (d *decoder) groupEntry(n *node) (GroupEntry, bool) {
	e := GroupEntry{Pos: n.pos()}
	if n.key.text == "fwmark" {
		v, ok := d.intArg(n, 0, 1, 1<<32-1)
		if !ok {
			return e, false
		}
		e.Fwmark = uint32(v)
		if len(n.args) > 1 {
			f, _ := d.enumArg(n, 1, []string{"inet", "inet6"})
			e.IPv6, e.Inet = f == "inet6", f == "inet"
		}
		return e, true
	}
	s := n.key.text
	switch {
	case strings.Contains(s, "/"):
		p, _, ok := d.prefix(n, &n.key)
		if !ok {
			return e, false
		}
		if p.Masked() != p {
			d.word(n, &n.key, Error, "bad-address", "write "+p.Masked().String(), "%s has host bits", s)
			return e, false
		}
		if p.Addr().BitLen()-p.Bits() > 16 {
			d.word(n, &n.key, Error, "too-large", "use a firewall mark", "%s has more than %d addresses", s, maxRangeAddrs)
			return e, false
		}
		e.First, e.Last = p.Addr(), lastOf(p)
	case strings.Contains(s, "-"):
		from, to, _ := strings.Cut(s, "-")
		a, err := netip.ParseAddr(from)
		if err != nil || a.Zone() != "" {
			d.word(n, &n.key, Error, "bad-address", "", "%q is not an address", clip(from))
			return e, false
		}
		b, ok := rangeEnd(a, to)
		if !ok || b.Less(a) {
			d.word(n, &n.key, Error, "bad-address", "write 10.0.0.1-5 or 10.0.0.1-10.0.0.5", "%q is not a range of addresses", clip(s))
			return e, false
		}
		if rangeSize(a, b) > maxRangeAddrs {
			d.word(n, &n.key, Error, "too-large", "use a firewall mark", "%s has more than %d addresses", s, maxRangeAddrs)
			return e, false
		}
		e.First, e.Last = a, b
	default:
		a, ok := d.addr(n, &n.key)
		if !ok {
			return e, false
		}
		e.First, e.Last = a, a
	}
	e.IPv6 = e.First.Is6()
	if len(n.args) > 0 && strings.ContainsAny(n.text(0), ",-") {
		var ok bool
		if e.Port, e.MorePorts, ok = d.portList(n, n.arg(0)); !ok {
			return e, false
		}
		d.extra(n, 1)
		count := uint64(0)
		for range e.Ports() {
			count++
		}
		if count*rangeSize(e.First, e.Last) > maxRangeAddrs {
			d.word(n, n.arg(0), Error, "too-large", "use a firewall mark", "these are more than %d services", maxRangeAddrs)
			return e, false
		}
	} else if len(n.args) > 0 {
		p, ok := d.number(n, n.arg(0), 0, 65535)
		if !ok {
			return e, false
		}
		e.Port = uint16(p)
		d.extra(n, 1)
	}
	return e, true
}

func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

func rangeEnd(a netip.Addr, to string) (netip.Addr, bool) {
	if b, err := netip.ParseAddr(to); err == nil && b.Is4() == a.Is4() && b.Zone() == "" {
		return b, true
	}
	base, width := 10, 8
	if a.Is6() {
		base, width = 16, 16
	}
	v, err := strconv.ParseUint(to, base, width)
	if err != nil {
		return a, false
	}
	b := a.AsSlice()
	b[len(b)-1] = byte(v)
	if a.Is6() {
		b[len(b)-2] = byte(v >> 8)
	}
	out, _ := netip.AddrFromSlice(b)
	return out, true
}

// rangeSize is the number of addresses from a to b, capped.
func rangeSize(a, b netip.Addr) uint64 {
	x, y := a.As16(), b.As16()
	lo, borrow := bits.Sub64(binary.BigEndian.Uint64(y[8:]), binary.BigEndian.Uint64(x[8:]), 0)
	hi, _ := bits.Sub64(binary.BigEndian.Uint64(y[:8]), binary.BigEndian.Uint64(x[:8]), borrow)
	if hi != 0 || lo == 1<<64-1 {
		return 1<<64 - 1
	}
	return lo + 1
}

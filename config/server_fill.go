package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// readVirtualServer decodes a virtual_server; inheritance is settled by fillServers.
func readVirtualServer(d *decoder, m *draft, n *node) {
	v := vsDraft{VirtualServer: VirtualServer{Meta: Meta{Pos: n.pos()}, Quorum: 1, Weight: 1}, raw: noRaw()}
	switch n.text(0) {
	case "fwmark":
		x, ok := d.intArg(n, 1, 1, 1<<32-1)
		if !ok {
			return
		}
		v.Fwmark = uint32(x)
		d.extra(n, 2)
	case "group":
		x, ok := d.wordArg(n, 1)
		if !ok {
			return
		}
		v.Group = x
		d.extra(n, 2)
	default:
		var ok bool
		if v.Addr, v.Port, v.MorePorts, ok = d.endpoints(n, 0); !ok {
			return
		}
		v.portGiven = v.Port != 0
		v.IPv6 = v.Addr.Is6()
	}
	if !n.block {
		d.bad(n, &n.key, "block-missing", "write virtual_server ADDRESS PORT { ... }", "virtual_server needs a block")
		return
	}
	family := v.IPv6
	d.within("virtual_server "+v.label(), setReason(&v.Blocked), func() {
		// The servers inherit what may stand below them: they come last.
		plain := d.drafts.plain[:0]
		for _, k := range n.kids {
			if k.key.text != "real_server" {
				plain = append(plain, k)
			}
		}
		d.drafts.plain = plain
		decode(d, vsTable, &v, &v.Meta, plain)
		if v.Addr.IsValid() && v.IPv6 != family {
			d.amend(n, "ip_family", "family", "remove ip_family", "ip_family contradicts the address, which counts")
			v.IPv6 = family
		}
		d.fillServer(m, &v, n)
		v.draft = m
		if servers := d.drafts.expect(n.kids); servers > 0 {
			v.RealServers = make([]RealServer, 0, servers)
			if servers > 1 {
				v.seen = make(map[netip.AddrPort]bool, servers)
			}
		}
		d.where = append(d.where, vsTable.info)
		for _, k := range n.kids {
			if k.key.text == "real_server" {
				one(d, vsTable, &v, nil, k)
			}
		}
		d.where = d.where[:len(d.where)-1]
		d.fillQuorum(&v, n)
	})
	m.VirtualServers = append(m.VirtualServers, v.VirtualServer)
}

// label names a virtual server as its head does.
func (v *VirtualServer) label() string {
	switch {
	case v.Fwmark != 0:
		return fmt.Sprintf("fwmark %d", v.Fwmark)
	case v.Group != "":
		return "group " + v.Group
	}
	return v.Addr.String() + " " + v.PortText()
}

func pick(values ...time.Duration) time.Duration {
	for _, v := range values {
		if v >= 0 {
			return v
		}
	}
	return 0
}

func pickInt(values ...int) int {
	for _, v := range values {
		if v >= 0 {
			return v
		}
	}
	return 0
}

func (t Tri) over(u Tri) Tri {
	if t == Unset {
		return u
	}
	return t
}

func (d *decoder) fillServer(m *draft, v *vsDraft, n *node) {
	g := &m.Global
	s := &v.VirtualServer
	if s.Protocol == "" && s.Fwmark == 0 && s.Blocked == "" {
		d.say(n, Warning, "", "protocol-default", "add protocol TCP", "no protocol: UDP is assumed, as in keepalived")
		s.Protocol = "udp"
	}
	if s.Scheduler == "" {
		if s.Has("lb_algo") {
			setReason(&s.Blocked)("the scheduler is not understood")
		} else {
			d.say(n, Note, "", "scheduler-default", "add lb_algo wlc", "no lb_algo: wlc is used")
		}
		s.Scheduler = "wlc"
	}
	if s.Method.Forward == "" {
		if !s.Has("lb_kind") {
			d.say(n, Note, "", "method-default", "add lb_kind NAT, DR or TUN", "no lb_kind: NAT is used")
		}
		s.Method.Forward = NAT
	}
	if s.PersistenceGranularity == 0 {
		s.PersistenceGranularity = 32
		if s.IPv6 {
			s.PersistenceGranularity = 128
		}
	} else if s.PersistenceTimeout == 0 && !s.Has("persistence_timeout") {
		s.PersistenceTimeout = 360 * time.Second
	}
	if s.PersistenceGranularity > 32 && !s.IPv6 && s.Group == "" {
		d.amend(n, "persistence_granularity", "bad-value", "write a mask such as 255.255.255.0", "an IPv4 network has at most 32 bits: 32 are used")
		s.PersistenceGranularity = 32
	}
	if s.Addr.IsValid() && s.Port == 0 && s.PersistenceTimeout == 0 {
		d.say(n, Warning, "", "port-zero", "add persistence_timeout", "a service on every port needs persistence: 360 seconds are used")
		s.PersistenceTimeout = 360 * time.Second
	}
	if s.OPS && s.Protocol != "udp" && !slices.Contains(s.AlsoProtocols, "udp") && s.Fwmark == 0 {
		d.say(n, Warning, "ops", "ops-udp", "remove it, or write protocol UDP", "ops is for UDP only: it is left out")
		s.OPS = false
	}
	s.InhibitOnFailure = v.inhibit.Or(false)
	s.SMTPAlert = v.smtp.over(g.SMTPAlertChecker).over(g.SMTPAlert).Or(false)
	s.DelayLoop = pick(v.delayLoop, 60*time.Second)
	if s.Sorry != nil {
		d.fillSorry(v, n)
	}
}

// take settles a real server; false when it is left out.
func (v *vsDraft) take(d *decoder, r *rsDraft, n *node) bool {
	if !d.fillReal(v.draft, v, r, n) {
		return false
	}
	id := netip.AddrPortFrom(r.Addr, r.Port)
	if v.seen[id] {
		d.say(n, Warning, "", "server-twice", "remove one of them", "real_server %s %d is there twice: the second one is left out", r.Addr, r.Port)
		return false
	}
	if v.seen != nil {
		v.seen[id] = true
	}
	return true
}

// fillQuorum compares quorum and hysteresis with the servers there are.
func (d *decoder) fillQuorum(v *vsDraft, n *node) {
	s := &v.VirtualServer
	var total int64
	for i := range s.RealServers {
		total += int64(s.RealServers[i].Weight)
	}
	if len(s.RealServers) == 0 {
		d.say(n, Warning, "", "no-servers", "add a real_server", "the virtual server has no real server: it is left out, as in keepalived")
		setReason(&s.Blocked)("it has no real server")
	}
	if int64(s.Quorum) > total && len(s.RealServers) > 0 && total > 0 {
		d.say(n, Warning, "quorum", "quorum-too-high", "", "quorum %d is more than all real servers together weigh: %d is used", s.Quorum, total)
		s.Quorum = int(total)
	}
	if s.Hysteresis >= s.Quorum && s.Hysteresis > 0 {
		d.say(n, Warning, "hysteresis", "hysteresis", "", "hysteresis must be below quorum: %d is used", s.Quorum-1)
		s.Hysteresis = s.Quorum - 1
	}
	if sum := int64(s.Quorum) + int64(s.Hysteresis); s.Hysteresis > 0 && total > 0 && sum > total {
		d.say(n, Warning, "hysteresis", "hysteresis-out-of-reach", "lower quorum or hysteresis", "the quorum is won at quorum + hysteresis = %d, and all real servers together weigh %d: the virtual server never has it, as in keepalived", sum, total)
	}
}

func (d *decoder) fillSorry(v *vsDraft, n *node) {
	s := v.Sorry
	if s.Port == 0 && v.MorePorts == nil {
		s.Port = v.Port
	}
	s.Inhibit = v.sorryInhibit
	s.Method = v.VirtualServer.Method
	if v.sorryMethod.Forward != "" {
		s.Method = v.sorryMethod
	}
	if s.Method.Forward != TUN && v.Addr.IsValid() && s.Addr.Is6() != v.IPv6 {
		d.amend(n, "sorry_server", "family", "use TUN, or an address of the same family", "the sorry server is of another family than the virtual server: it is left out")
		v.Sorry = nil
		return
	}
	if (s.Method.Forward == DR || s.Method.Forward == TUN) && v.Addr.IsValid() && v.Port != 0 && v.MorePorts == nil && s.Port != v.Port {
		d.say(n, Warning, "sorry_server", "port-differs", fmt.Sprintf("write port %d", v.Port), "%s keeps the port: the sorry server's %d becomes %d", s.Method.Forward, s.Port, v.Port)
		s.Port = v.Port
	}
}

func (d *decoder) fillReal(m *draft, v *vsDraft, r *rsDraft, n *node) bool {
	g := &m.Global
	s := r.RealServer
	if s.Method.Forward == "" {
		s.Method = v.VirtualServer.Method
	} else if k := child(n, "lb_kind"); k != nil {
		d.once(k, Note, "rs:lb_kind", "alias", "write lvs_method", "keepalived does not take lb_kind inside real_server")
	}
	if v.Addr.IsValid() && s.Addr.Is6() != v.IPv6 && s.Method.Forward != TUN {
		d.word(n, n.arg(0), Error, "family", "use TUN, or an address of the same family", "the real server is of another family than the virtual server: it is left out")
		return false
	}
	if s.Port == 0 && v.MorePorts == nil {
		s.Port = v.Port
	}
	if s.Port != 0 && v.MorePorts != nil && (s.Method.Forward == DR || s.Method.Forward == TUN) {
		d.word(n, n.arg(min(1, len(n.args)-1)), Warning, "port-differs", "leave the port out", "%s keeps the port: the real server's %d is that of each service", s.Method.Forward, s.Port)
		s.Port = 0
	}
	if (s.Method.Forward == DR || s.Method.Forward == TUN) && v.Addr.IsValid() && v.MorePorts == nil && s.Port != v.Port {
		d.word(n, n.arg(min(1, len(n.args)-1)), Warning, "port-differs", fmt.Sprintf("write port %d, or use NAT", v.Port),
			"%s keeps the port: the real server's %d becomes %d, as in keepalived", s.Method.Forward, s.Port, v.Port)
		s.Port = v.Port
	}
	s.Weight = pickInt(r.weight, v.VirtualServer.Weight)
	s.InhibitOnFailure = r.inhibit.Or(v.VirtualServer.InhibitOnFailure)
	s.Alpha = r.alpha.Or(v.VirtualServer.Alpha)
	s.SMTPAlert = r.smtp.over(v.smtp).over(g.SMTPAlertChecker).over(g.SMTPAlert).Or(true)
	if s.VirtualHost == "" {
		s.VirtualHost = v.VirtualServer.VirtualHost
	}
	// Both syntaxes give one order: YAML groups checks by their kind.
	if len(r.checks) > 1 {
		slices.SortStableFunc(r.checks, func(a, b *checkDraft) int { return kindRank[a.Kind] - kindRank[b.Kind] })
	}
	keep := 0
	for i, c := range r.checks {
		if d.fillCheck(m, v, r, c) {
			r.checks[keep], r.checks[i] = c, r.checks[keep]
			keep++
		}
	}
	s.Checks = d.drafts.settled(r.checks[:keep])
	return true
}

var kindRank = map[CheckKind]int{HTTPGet: 1, SSLGet: 2, TCPCheck: 3, SMTPCheck: 4, DNSCheck: 5, MiscCheck: 6, UDPCheck: 7, PingCheck: 8, FileCheck: 9, BFDCheck: 10, GRPCCheck: 11, AgentCheck: 12}

func child(n *node, keyword string) *node {
	for _, k := range n.kids {
		if k.key.text == keyword {
			return k
		}
	}
	return nil
}

// filled says that there is something in the block of a keyword, understood or not: what is wrong with it is said where it stands.
func filled(n *node, keyword string) bool {
	k := child(n, keyword)
	return k != nil && len(k.kids) > 0
}

func (d *decoder) fillCheck(m *draft, v *vsDraft, r *rsDraft, c *checkDraft) bool {
	k := c.Check
	n := c.node
	retry, before := 1, time.Second
	k.DelayLoop = pick(c.delayLoop, r.delayLoop, v.delayLoop, 60*time.Second)
	switch k.Kind {
	case HTTPGet, SSLGet:
		before = 3 * time.Second
	case DNSCheck:
		retry, before = 3, k.DelayLoop
	case MiscCheck:
		retry = 0
	}
	k.Retry = pickInt(c.retry, r.retry, v.retry, retry)
	k.DelayBeforeRetry = pick(c.delayBeforeRetry, r.delayBeforeRetry, v.delayBeforeRetry, before)
	k.Warmup = pick(c.warmup, r.warmup, v.warmup, k.DelayLoop)
	k.ConnectTimeout = pick(c.connectTimeout, r.connectTimeout, v.connectTimeout, 5*time.Second)
	k.Alpha = c.alpha.Or(r.RealServer.Alpha)
	k.LogAllFailures = c.logAll.over(r.logAll).over(v.logAll).Or(m.Global.CheckerLogAllFailures)
	switch k.Kind {
	case FileCheck:
		f := m.TrackFile(k.TrackFile)
		if f == nil {
			d.amend(n, "track_file", "not-defined", "define it with track_file NAME { file PATH }", "track_file %q is not defined: the check is left out", clip(k.TrackFile))
			return false
		}
		if c.weight < 0 {
			k.Weight, k.Reverse = f.Weight, f.Reverse
		}
		k.Retry = 0 // what the file says counts at once, whatever the servers say of retry: FILE_CHECK has no such keyword
		return true
	case BFDCheck:
		if m.BFD(k.BFDName) == nil {
			d.word(n, &n.key, Error, "not-defined", "define it with bfd_instance NAME { ... }", "bfd_instance %q is not defined: the check is left out", clip(k.BFDName))
			return false
		}
		return true
	case MiscCheck:
		if c.miscTimeout == 0 {
			c.miscTimeout = -1
		}
		k.Timeout = pick(c.miscTimeout, v.delayLoop, 60*time.Second)
		if k.Command.Line == "" {
			d.word(n, &n.key, Error, "missing-argument", `add misc_path "PROGRAM ARGUMENTS"`, "MISC_CHECK has no misc_path: the check is left out")
			return false
		}
		return true
	}
	if !k.ConnectIP.IsValid() {
		k.ConnectIP = r.Addr
	}
	if k.ConnectPort == 0 {
		k.ConnectPort = r.Port
	}
	if k.ConnectPort == 0 && v.MorePorts != nil {
		k.ConnectPort = v.Port // the first of the list
	}
	if k.ConnectPort == 0 && k.Kind != PingCheck && k.Via == "" {
		if k.Kind == DNSCheck {
			k.ConnectPort = 53
		} else {
			d.word(n, &n.key, Error, "port-missing", "add connect_port N", "the check has no port: real and virtual server have none either; it is left out")
			return false
		}
	}
	if k.Via == "" && k.BindTo.IsValid() && k.BindTo.Is6() != k.ConnectIP.Is6() {
		d.say(n, Error, "bindto", "family", "", "bindto is of another family than the address to check")
	}
	switch k.Kind {
	case HTTPGet, SSLGet:
		return d.fillHTTP(k, r, n)
	case SMTPCheck:
		if k.HeloName == "" {
			k.HeloName = "smtpchecker.keepalived.org"
		}
		for i := range k.Hosts {
			h := &k.Hosts[i]
			if !h.ConnectIP.IsValid() {
				h.ConnectIP = k.ConnectIP
			}
			if h.ConnectPort == 0 {
				h.ConnectPort = k.ConnectPort
			}
			if h.ConnectTimeout == 0 {
				h.ConnectTimeout = k.ConnectTimeout
			}
		}
	case DNSCheck:
		if k.DNSType == "" {
			k.DNSType = "SOA"
		}
		if k.DNSName == "" {
			k.DNSName = "."
		}
		if !goodDNSName(k.DNSName) {
			d.say(n, Error, "name", "bad-value", "a label has 1 to 63 bytes, a name 253", "%q is not a DNS name", clip(k.DNSName))
		}
	case UDPCheck:
		if k.MinReplyLen > k.MaxReplyLen {
			d.say(n, Error, "min_reply_length", "bad-value", "", "min_reply_length is above max_reply_length")
		}
	}
	return true
}

func (d *decoder) fillHTTP(k *Check, r *rsDraft, n *node) bool {
	if k.VirtualHost == "" {
		k.VirtualHost = r.RealServer.VirtualHost
	}
	if k.HTTPProtocol == "" {
		k.HTTPProtocol = "1.0"
	}
	if k.SNIName != "" {
		k.EnableSNI = true
	}
	if len(k.URLs) == 0 {
		d.word(n, &n.key, Error, "missing-argument", "add url { path / }", "%s has no url: the check is left out", k.Kind)
		return false
	}
	for i := range k.URLs {
		u := &k.URLs[i]
		if u.VirtualHost == "" {
			u.VirtualHost = k.VirtualHost
		}
		if u.Path == "" {
			d.word(n, &n.key, Error, "missing-argument", "add path /", "a url has no path: / is used")
			u.Path = "/"
		}
		if !strings.HasPrefix(u.Path, "/") {
			d.say(n, Warning, "url", "bad-value", "write path /"+clip(u.Path), "the path %q does not begin with /", clip(u.Path))
		}
		if strings.ContainsAny(u.Path, " \t") {
			d.say(n, Warning, "url", "bad-value", "write %20 for a blank", "the path %q has blanks: servers refuse such a request", clip(u.Path))
		}
		if u.Regex != "" {
			at := n
			for _, b := range n.kids {
				if b.key.text == "url" && b.pos() == u.Pos {
					at = b
					if r := child(b, "regex"); r != nil {
						at = r
					}
				}
			}
			d.goodRegex(at, u.Regex, u.RegexOptions)
		}
		if u.RegexMax > 0 && u.RegexMin > u.RegexMax {
			// keepalived forgets both then, without which a check that was meant to pass would never do so.
			d.say(n, Warning, "url", "bad-value", "", "regex_min_offset %d is above regex_max_offset %d: both are left out, as in keepalived", u.RegexMin, u.RegexMax)
			u.RegexMin, u.RegexMax = 0, 0
		}
		if len(u.StatusCodes) == 0 && u.Digest == "" && u.Regex == "" {
			u.StatusCodes = []CodeRange{{200, 299}}
		}
	}
	return true
}

// linkServers settles what needs all of the file: groups of addresses, two services on one address.
func (d *decoder) linkServers(m *draft, at []*node) {
	taken := make(map[kernelService]*VirtualServer, len(m.VirtualServers))
	for k := range m.VirtualServers {
		v := &m.VirtualServers[k]
		n := at[k]
		d.within("virtual_server "+v.label(), setReason(&v.Blocked), func() {
			if v.Group != "" {
				if g := m.VirtualServerGroup(v.Group); g == nil {
					d.fatal(n, n.arg(min(1, len(n.args)-1)), "not-defined", "define it with virtual_server_group "+v.Group+" { ... }", "virtual_server_group %q is not defined", clip(v.Group))
				} else if len(g.Entries) == 0 {
					d.fatal(n, &n.key, "group-empty", "add an address and port", "virtual_server_group %s is empty", v.Group)
				}
			}
			v.settleFamily(m.VirtualServerGroup(v.Group))
			if v.PersistenceGranularity == 32 && v.IPv6 && !v.Has("persistence_granularity") {
				v.PersistenceGranularity = 128
			}
			if v.fullNAT() && (v.Fwmark != 0 || v.Group != "" && m.VirtualServerGroup(v.Group).marked()) {
				d.fatal(n, &n.key, "fnat-mark", "balance an address, or use NAT, DR or TUN", "FNAT needs an address that its source rule can match: a firewall mark has none")
			}
			if v.MasterOf != "" && m.Instance(v.MasterOf) == nil {
				d.fatal(n, n.arg(min(1, len(n.args)-1)), "not-defined", "name a vrrp_instance of this file", "ipvs_when names the instance %q, which is not defined", clip(v.MasterOf))
			}
			if v.LocalAddressGroup != "" && m.LocalAddressGroup(v.LocalAddressGroup) == nil {
				d.say(n, Warning, "laddr_group_name", "not-defined", "define it with local_address_group", "local_address_group %q is not defined", clip(v.LocalAddressGroup))
			}
			if v.Blocked != "" {
				return
			}
			d.linkKernel(m, v, n)
			d.claimServices(m, v, n, taken)
			d.linkForward(m, v, n)
		})
	}
	d.linkMarks(m, at)
}

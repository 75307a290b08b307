package config

import (
	"net/netip"
	"time"
)

// trackEntry is a line of a track_ list.
var trackEntry = &entrySpec{first: []string{"name"}, options: []option{{"weight", 1, "added to or taken from the priority; 0: failure is a fault"}, {"reverse", 0, "turn the sense round"}, {"noreverse", 0, ""}}}

// tracks is a block of tracked things. A weight given twice in the words is from -limit to limit.
func tracks[T any](name string, limit int64, f func(*T) *[]Track, t tier, u use, doc string) row[T] {
	return lines(name, trackEntry, func(d *decoder, o *T, n *node) {
		tr := Track{Name: n.key.text, Pos: n.pos()}
		d.placeholder(n, &n.key)
		for i := 0; i < len(n.args); i++ {
			w := n.arg(i)
			switch w.text {
			case "weight":
				i++
				if i >= len(n.args) {
					d.bad(n, w, "missing-argument", "", "weight of %s needs a value", tr.Name)
					return
				}
				v, ok := d.number(n, n.arg(i), -limit, limit)
				if !ok {
					return
				}
				tr.Weight, tr.WeightSet = int(v), true
			case "reverse":
				tr.Reverse = true
			case "noreverse":
				tr.Reverse = false
			default:
				d.bad(n, w, "unknown-option", d.suggest(w.text, []string{"weight", "reverse", "noreverse"}), "%q is not an option of %s: write %s, and weight N after it", clip(w.text), tr.Name, "one name per line")
				return
			}
		}
		*f(o) = append(*f(o), tr)
	}, t, u, "none", doc).own()
}

// weighted reads N [reverse].
func weighted[T any](limit int64, w func(*T) *int, rev func(*T) *bool, use use, def, doc string) row[T] {
	r := custom("weight", shapeWords, func(d *decoder, o *T, n *node) {
		v, ok := d.intArg(n, 0, -limit, limit)
		if !ok {
			return
		}
		*w(o) = int(v)
		if len(n.args) > 1 {
			s, ok := d.enumArg(n, 1, []string{"reverse", "noreverse"})
			*rev(o) = ok && s == "reverse"
		}
		d.extra(n, 2)
	}, tierA, use, def, doc).each(&entrySpec{first: []string{"weight"}, options: []option{{"reverse", 0, ""}, {"noreverse", 0, ""}}})
	r.min, r.max = -limit, limit
	return r.own()
}

var scriptTable = newTable("vrrp_script", []row[VRRPScript]{
	command("script", func(s *VRRPScript) *Command { return &s.Script }, tierA, acts, "required", "Command; exit status 0 means fine."),
	seconds("interval", time.Millisecond, longest*1000, func(s *VRRPScript) *time.Duration { return &s.Interval }, tierA, acts, "1", "How often it runs."),
	seconds("timeout", time.Millisecond, longest*1000, func(s *VRRPScript) *time.Duration { return &s.Timeout }, tierA, acts, "as interval", "Then it is killed and counts as failed."),
	weighted(253, func(s *VRRPScript) *int { return &s.Weight }, func(s *VRRPScript) *bool { return &s.Reverse }, acts, "0", "0: failure is a fault. Otherwise added to the priority while fine (positive) or failed (negative)."),
	integer("rise", 1, 1<<31-1, func(s *VRRPScript) *int { return &s.Rise }, tierA, acts, "1", "Successes in a row to count as fine."),
	integer("fall", 1, 1<<31-1, func(s *VRRPScript) *int { return &s.Fall }, tierA, acts, "1", "Failures in a row to count as failed."),
	custom("user", shapeWords, func(d *decoder, s *VRRPScript, n *node) {
		if u, ok := d.wordArg(n, 0); ok {
			s.Script.User, s.Script.Group = u, n.text(1)
			d.account(n)
			d.extra(n, 2)
		}
	}, tierA, acts, "script_user", "User and group it runs as.").each(&entrySpec{first: []string{"user", "group"}}),
	flag("init_fail", func(s *VRRPScript) *bool { return &s.InitFail }, tierC, gone, "off", "Without effect in keepalived too."),
})

var trackFileTable = newTable("track_file", []row[TrackFile]{
	text("file", func(f *TrackFile) *string { return &f.File }, tierB, acts, "required", "The file whose first number is the value; missing is 0."),
	weighted(254, func(f *TrackFile) *int { return &f.Weight }, func(f *TrackFile) *bool { return &f.Reverse }, acts, "1", "Value times weight is added to the priority; 0: a value other than 0 is a fault."),
	custom("init_file", shapeWords, func(d *decoder, f *TrackFile, n *node) {
		f.Init = true
		for i := range n.args {
			if n.args[i].text == "overwrite" {
				f.InitOverwrite = true
			} else if v, ok := d.number(n, n.arg(i), -1<<31, 1<<31-1); ok {
				f.InitValue = int(v)
			}
		}
	}, tierC, acts, "off", "Create the file at start with this value.").each(&entrySpec{first: []string{"value"}, options: []option{{"overwrite", 0, ""}}}),
})

var trackProcessTable = newTable("vrrp_track_process", []row[TrackProcess]{
	custom("process", shapeWords, func(d *decoder, p *TrackProcess, n *node) {
		if v, ok := d.wordArg(n, 0); ok {
			p.Process = v
			for i := 1; i < len(n.args); i++ {
				p.Params = append(p.Params, n.args[i].text)
			}
		}
	}, tierB, acts, "required", "Name of the program, with its parameters if they matter.").own(),
	custom("param_match", shapeWords, func(d *decoder, p *TrackProcess, n *node) {
		p.ParamMatch = "exact"
		if len(n.args) > 0 {
			if v, ok := d.enumArg(n, 0, []string{"initial", "partial", "exact"}); ok {
				p.ParamMatch = v
			}
		}
	}, tierC, acts, "not compared", "How parameters are compared: exactly, initial or partial."),
	weighted(254, func(p *TrackProcess) *int { return &p.Weight }, func(p *TrackProcess) *bool { return &p.Reverse }, acts, "0", "As for scripts."),
	integer("quorum", 1, 65535, func(p *TrackProcess) *int { return &p.Quorum }, tierB, acts, "1", "How many must run."),
	integer("quorum_max", 0, 65535, func(p *TrackProcess) *int { return &p.QuorumMax }, tierB, acts, "no limit", "How many may run."),
	seconds("delay", usec, 3600*time.Second, func(p *TrackProcess) *time.Duration { return &p.ForkDelay }, tierC, acts, "0", "Both delays."),
	seconds("fork_delay", usec, 3600*time.Second, func(p *TrackProcess) *time.Duration { return &p.ForkDelay }, tierC, acts, "0", "Believe a start after this long."),
	seconds("terminate_delay", usec, 3600*time.Second, func(p *TrackProcess) *time.Duration { return &p.TerminateDelay }, tierC, acts, "0", "Believe an end after this long."),
	flag("full_command", func(p *TrackProcess) *bool { return &p.FullCommand }, tierC, acts, "off", "Compare the command line, not the name."),
})

var bfdTable = newTable("bfd_instance", []row[BFDInstance]{
	addr("neighbor_ip", func(b *BFDInstance) *netip.Addr { return &b.Neighbor }, tierB, idle, "required", "The other end.").also("neighbour_ip"),
	addr("source_ip", func(b *BFDInstance) *netip.Addr { return &b.Source }, tierB, idle, "any", "Our end."),
	timed("min_rx", time.Millisecond, time.Millisecond, 1000*time.Second, func(b *BFDInstance) *time.Duration { return &b.MinRx }, tierB, idle, "10", "Shortest interval we can receive at, in milliseconds."),
	timed("min_tx", time.Millisecond, time.Millisecond, 1000*time.Second, func(b *BFDInstance) *time.Duration { return &b.MinTx }, tierB, idle, "10", "Shortest interval we send at, in milliseconds."),
	timed("idle_tx", time.Millisecond, time.Second, 1000*time.Second, func(b *BFDInstance) *time.Duration { return &b.IdleTx }, tierB, idle, "1000", "Interval while the session is down, in milliseconds."),
	integer("multiplier", 1, 255, func(b *BFDInstance) *int { return &b.Multiplier }, tierB, idle, "5", "Packets that may be missed."),
	flag("passive", func(b *BFDInstance) *bool { return &b.Passive }, tierC, idle, "off", "Send nothing until the neighbour does."),
	integer("ttl", 1, 255, func(b *BFDInstance) *int { return &b.TTL }, tierC, idle, "255, IPv6 64", "TTL of what we send.").also("hoplimit"),
	integer("max_hops", -1, 255, func(b *BFDInstance) *int { return &b.MaxHops }, tierC, idle, "0", "Routers allowed between the ends."),
	boolean("multihop", func(b *BFDInstance) *bool { return &b.Multihop }, tierC, idle, "off", "Use port 4784."),
	weighted(253, func(b *BFDInstance) *int { return &b.Weight }, func(b *BFDInstance) *bool { return &b.Reverse }, acts, "0", "As for scripts."),
	flag("vrrp", func(b *BFDInstance) *bool { return &b.ForVRRP }, tierC, idle, "both", "Only VRRP is told."),
	flag("checker", func(b *BFDInstance) *bool { return &b.ForCheck }, tierC, idle, "both", "Only checks are told."),
})

var garpGroupTable = newTable("garp_group", []row[GarpGroup]{
	seconds("garp_interval", 0, longest, func(g *GarpGroup) *time.Duration { return &g.GarpInterval }, tierC, idle, "0", "Shortest gap between gratuitous ARPs."),
	seconds("gna_interval", 0, longest, func(g *GarpGroup) *time.Duration { return &g.GnaInterval }, tierC, idle, "0", "Shortest gap between neighbour advertisements."),
	custom("interface", shapeWord, func(d *decoder, g *GarpGroup, n *node) {
		if v, ok := d.wordArg(n, 0); ok {
			g.Interfaces = append(g.Interfaces, v)
		}
	}, tierC, idle, "", "One interface.").repeat(),
	names("interfaces", func(g *GarpGroup) *[]string { return &g.Interfaces }, tierC, idle, "", "Interfaces that share the limit."),
})

var trackGroupTable = newTable("track_group", []row[TrackGroup]{
	names("group", func(g *TrackGroup) *[]string { return &g.Members }, tierC, idle, "required", "Instances."),
})

var sslTable = newTable("SSL", []row[SSL]{
	text("password", func(s *SSL) *string { return &s.Password }, tierC, acts, "none", "Passphrase of the key."),
	text("ca", func(s *SSL) *string { return &s.CA }, tierC, acts, "the system's", "Certificates to trust, where tls_verify asks for it."),
	text("certificate", func(s *SSL) *string { return &s.Certificate }, tierC, acts, "none", "Client certificate of every check over TLS."),
	text("key", func(s *SSL) *string { return &s.Key }, tierC, acts, "none", "Its key."),
})

package config

import (
	"strings"
	"time"
)

// draft is the Model while it is being decoded.
type draft struct {
	Model
	meta Meta
	// blocked is why an object that instances track cannot be used, by "kind name".
	blocked map[string]string
	// order is the line at which each tracked object was defined, counted in root nodes.
	defined map[string]int
	index   int
	at      map[*node]int
}

var rootTable = newTable("", []row[draft]{
	block("global_defs", globalTable, func(d *decoder, m *draft, n *node) {
		if d.needBlock(n) {
			d.within("global_defs", d.allBlocked, func() { decode(d, globalTable, &m.Global, &m.Global.Meta, n.kids) })
		}
	}, tierA, acts, "", "What holds for everything."),
	text("net_namespace", func(m *draft) *string { return &m.NetNamespace }, tierB, acts, "none", "Run in this network namespace (a name below /run/netns). Read at the start only.").own(),
	custom("net_namespace_ipvs", shapeWords, func(_ *decoder, m *draft, n *node) {
		m.NetNamespaceIPVS, m.NetNamespaceIPVSSet = n.text(0), true
	}, tierC, idle, "as net_namespace", "Network namespace of IPVS."),
	known[draft]("namespace_with_ipsets", shapeFlag, tierC, moot, "off", "For kernels before 3.13."),
	text("instance", func(m *draft) *string { return &m.InstanceName }, tierB, idle, "none", "Name in pid files."),
	flag("use_pid_dir", func(m *draft) *bool { return &m.UsePidDir }, tierB, idle, "off", "Pid files in /run/keepalived."),
	flag("linkbeat_use_polling", func(m *draft) *bool { return &m.LinkPollAll }, tierC, idle, "off", "Poll the state of links."),
	seconds("child_wait_time", 0, 86400*time.Second, func(m *draft) *time.Duration { return &m.ChildWaitTime }, tierC, moot, "5", "How long a stop waits for keepalived's processes."),
	lines("linkbeat_interfaces", &entrySpec{first: []string{"interface"}, options: []option{{"MII", 0, ""}, {"ETHTOOL", 0, ""}, {"IOCTL", 0, ""}}}, func(_ *decoder, m *draft, n *node) {
		m.LinkPolling = append(m.LinkPolling, LinkPoll{Interface: n.key.text, Method: n.text(0), Pos: n.pos()})
	}, tierC, idle, "none", "Interfaces whose state is polled."),
	lines("interface_up_down_delays", &entrySpec{first: []string{"interface", "down", "up"}}, func(d *decoder, m *draft, n *node) {
		if len(n.args) == 0 { // keepalived passes over it
			d.word(n, &n.key, Warning, "missing-argument", "write "+clip(n.key.text)+" DOWN [UP] in seconds", "%s has no delay: the line is ignored", clip(n.key.text))
			return
		}
		down, ok := d.timeArg(n, 0, time.Second, 0, 255*time.Second)
		if !ok {
			return
		}
		l := LinkDelay{Interface: n.key.text, Down: down, Pos: n.pos()}
		if len(n.args) > 1 {
			l.Up, _ = d.timeArg(n, 1, time.Second, 0, 255*time.Second)
		}
		m.LinkDelays = append(m.LinkDelays, l)
	}, tierB, idle, "0", "How long a link must be down or up before it counts.").clocked(),
	block("garp_group", garpGroupTable, func(d *decoder, m *draft, n *node) {
		if d.needBlock(n) {
			g := GarpGroup{Meta: Meta{Pos: n.pos()}}
			decode(d, garpGroupTable, &g, &g.Meta, n.kids)
			m.GarpGroups = append(m.GarpGroups, g)
		}
	}, tierC, idle, "", "Interfaces that share a limit of gratuitous ARP.").repeat(),
	block("track_group", trackGroupTable, func(d *decoder, m *draft, n *node) {
		if name, ok := d.name(n, "track_group", len(m.TrackGroups), func(i int) string { return m.TrackGroups[i].Name }); ok {
			g := TrackGroup{Meta: Meta{Pos: n.pos()}, Name: name}
			decode(d, trackGroupTable, &g, &g.Meta, n.kids)
			m.TrackGroups = append(m.TrackGroups, g)
		}
	}, tierC, idle, "", "Instances that suffer when a static item's interface fails.").words("name").repeat(),
	addresses("static_ipaddress", func(m *draft) *[]Address { return &m.StaticAddresses }, tierB, acts, "Addresses that are always there."),
	routes("static_routes", func(m *draft) *[]Route { return &m.StaticRoutes }, tierB, acts, "Routes that are always there."),
	rules("static_rules", func(m *draft) *[]Rule { return &m.StaticRules }, tierB, acts, "Routing rules that are always there."),
	block("vrrp_script", scriptTable, readScript, tierA, acts, "", "A script whose result counts.").words("name").repeat().own(),
	block("track_file", trackFileTable, readTrackFile, tierB, acts, "", "A file whose value counts.").words("name").repeat().also("vrrp_track_file").own(),
	block("vrrp_track_process", trackProcessTable, readTrackProcess, tierB, acts, "", "A process that must run.").words("name").repeat().also("track_process").own(),
	block("bfd_instance", bfdTable, readBFD, tierB, idle, "", "A BFD session.").words("name").repeat(),
	block("vrrp_sync_group", groupTable, readGroup, tierA, acts, "", "Instances that change state together.").words("name").repeat().own(),
	block("vrrp_instance", instanceTable, readInstance, tierA, acts, "", "A virtual router.").words("name").repeat().own(),
	block("SSL", sslTable, func(d *decoder, m *draft, n *node) {
		if d.needBlock(n) {
			decode(d, sslTable, &m.SSL, &m.SSL.Meta, n.kids)
		}
	}, tierC, acts, "", "Client certificate of SSL_GET."),
	custom("virtual_server_group", shapeLines, func(d *decoder, m *draft, n *node) {
		if name, ok := d.name(n, "virtual_server_group", len(m.VirtualServerGroups), func(i int) string { return m.VirtualServerGroups[i].Name }); ok {
			m.VirtualServerGroups = append(m.VirtualServerGroups, VirtualServerGroup{Meta: Meta{Pos: n.pos()}, Name: name, Entries: d.entries(n)})
		}
	}, tierA, acts, "", "Addresses and ports that share one virtual_server.").words("name").repeat().each(serviceEntry),
	custom("local_address_group", shapeLines, func(d *decoder, m *draft, n *node) {
		if name, ok := d.name(n, "local_address_group", len(m.LocalAddressGroups), func(i int) string { return m.LocalAddressGroups[i].Name }); ok {
			m.LocalAddressGroups = append(m.LocalAddressGroups, LocalAddressGroup{Meta: Meta{Pos: n.pos()}, Name: name, Entries: d.entries(n)})
		}
	}, tierC, acts, "", "DPVS: source addresses of FULLNAT.").words("name").repeat().each(serviceEntry),
	block("virtual_server", vsTable, readVirtualServer, tierA, acts, "", "A service that is balanced.").words("address", "port").or("fwmark", "group").repeat(),
})

// serviceEntry is a line of virtual_server_group: ADDR[-END|/MASK] [PORT], or fwmark N [inet6].
var serviceEntry = &entrySpec{first: []string{"address", "port"}, anyWord: true, options: []option{{"fwmark", 1, ""}}}

func (d *decoder) entries(n *node) []GroupEntry {
	var out []GroupEntry
	for _, k := range n.kids {
		if d.badLine(k) {
			continue
		}
		if e, ok := d.groupEntry(k); ok {
			out = append(out, e)
		}
	}
	return out
}

// name reads the name of a named block, which must be new.
func (d *decoder) name(n *node, kind string, count int, get func(int) string) (string, bool) {
	if !n.block {
		d.fatal(n, &n.key, "block-missing", "write "+kind+" NAME { ... }", "%s needs a block", kind)
		return "", false
	}
	if len(n.args) == 0 {
		d.fatal(n, &n.key, "missing-argument", "write "+kind+" NAME { ... }", "%s needs a name", kind)
		return "", false
	}
	d.extra(n, 1)
	name := n.args[0].text
	for i := 0; i < count; i++ {
		if get(i) == name {
			const hint, text = "choose another name, or remove one", "%s %s is defined twice: the second one is skipped"
			if kind == "virtual_server_group" { // decides nothing about who owns an address, and keepalived runs such files
				d.word(n, n.arg(0), Warning, "defined-twice", hint, text, kind, clip(name))
			} else {
				d.fatal(n, n.arg(0), "defined-twice", hint, text, kind, clip(name))
			}
			return "", false
		}
	}
	return name, true
}

func readScript(d *decoder, m *draft, n *node) {
	name, ok := d.name(n, "vrrp_script", len(m.Scripts), func(i int) string { return m.Scripts[i].Name })
	if !ok {
		return
	}
	s := VRRPScript{Meta: Meta{Pos: n.pos()}, Name: name, Rise: 1, Fall: 1, Interval: time.Second}
	d.within("vrrp_script "+name, m.blocker("script "+name), func() {
		decode(d, scriptTable, &s, &s.Meta, n.kids)
		if !s.Has("script") {
			d.say(n, Error, "", "missing-argument", `add script "PROGRAM ARGUMENTS"`, "vrrp_script %s has no script", clip(name))
		}
	})
	if s.Timeout == 0 {
		s.Timeout = s.Interval
	}
	m.define("script "+name, len(m.Scripts))
	m.Scripts = append(m.Scripts, s)
}

func readTrackFile(d *decoder, m *draft, n *node) {
	name, ok := d.name(n, "track_file", len(m.TrackFiles), func(i int) string { return m.TrackFiles[i].Name })
	if !ok {
		return
	}
	f := TrackFile{Meta: Meta{Pos: n.pos()}, Name: name, Weight: 1}
	d.within("track_file "+name, m.blocker("file "+name), func() {
		decode(d, trackFileTable, &f, &f.Meta, n.kids)
		if !f.Has("file") {
			d.say(n, Error, "", "missing-argument", "add file PATH", "track_file %s names no file", clip(name))
		}
	})
	m.define("file "+name, len(m.TrackFiles))
	m.TrackFiles = append(m.TrackFiles, f)
}

func readTrackProcess(d *decoder, m *draft, n *node) {
	name, ok := d.name(n, "vrrp_track_process", len(m.TrackProcesses), func(i int) string { return m.TrackProcesses[i].Name })
	if !ok {
		return
	}
	p := TrackProcess{Meta: Meta{Pos: n.pos()}, Name: name, Quorum: 1, QuorumMax: -1}
	d.within("vrrp_track_process "+name, m.blocker("process "+name), func() {
		decode(d, trackProcessTable, &p, &p.Meta, n.kids)
		if !p.Has("process") {
			d.say(n, Error, "", "missing-argument", "add process NAME", "vrrp_track_process %s names no process", clip(name))
		}
	})
	if p.Has("delay") && !p.Has("terminate_delay") {
		p.TerminateDelay = p.ForkDelay
	}
	m.define("process "+name, len(m.TrackProcesses))
	m.TrackProcesses = append(m.TrackProcesses, p)
}

func readBFD(d *decoder, m *draft, n *node) {
	name, ok := d.name(n, "bfd_instance", len(m.BFDs), func(i int) string { return m.BFDs[i].Name })
	if !ok {
		return
	}
	b := BFDInstance{Meta: Meta{Pos: n.pos()}, Name: name, MinRx: 10 * time.Millisecond, MinTx: 10 * time.Millisecond, IdleTx: time.Second, Multiplier: 5}
	d.within("bfd_instance "+name, m.blocker("bfd "+name), func() { decode(d, bfdTable, &b, &b.Meta, n.kids) })
	if !b.ForVRRP && !b.ForCheck {
		b.ForVRRP, b.ForCheck = true, true
	}
	m.define("bfd "+name, len(m.BFDs))
	m.BFDs = append(m.BFDs, b)
}

func readGroup(d *decoder, m *draft, n *node) {
	name, ok := d.name(n, "vrrp_sync_group", len(m.Groups), func(i int) string { return m.Groups[i].Name })
	if !ok {
		return
	}
	g := SyncGroup{Meta: Meta{Pos: n.pos()}, Name: name, NotifyPriorityChanges: m.Global.NotifyPriorityChanges}
	g.SMTPAlert = m.Global.SMTPAlertVRRP.Or(m.Global.SMTPAlert.Or(false))
	d.within("vrrp_sync_group "+name, setReason(&g.Blocked), func() { decode(d, groupTable, &g, &g.Meta, n.kids) })
	m.Groups = append(m.Groups, g)
}

func setReason(s *string) func(string) {
	return func(reason string) {
		if *s == "" {
			*s = reason
		}
	}
}

func (m *draft) blocker(key string) func(string) {
	return func(reason string) {
		if m.blocked[key] == "" {
			m.blocked[key] = strings.TrimSpace(reason)
		}
	}
}

func (m *draft) define(key string, _ int) { m.defined[key] = m.index }

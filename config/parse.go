package config

import (
	"io/fs"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Parse reads the file name of fsys, which is rooted at "/", with everything it includes. A relative name starts at opts.Dir.
// The Model is never nil; whether it may run is told by the Diagnostics (HasErrors, RefuseStart).
func Parse(fsys fs.FS, name string, host Host, opts Options) (*Model, Diagnostics) {
	d, m, _ := parse(fsys, name, host, opts, false)
	return m, d
}

// parse also gives the tree, with comments if keep.
func parse(fsys fs.FS, name string, host Host, opts Options, keep bool) (Diagnostics, *Model, *node) {
	rep := &reporter{sources: map[string]*source{}}
	id := opts.ConfigID
	if id == "" {
		id, _, _ = strings.Cut(host.Hostname, ".")
	}
	r := &reader{reporter: rep, fsys: fsys, host: host, opts: opts, id: id, keep: keep, defs: map[string]*definition{}, undef: map[string]bool{}, refused: map[string]bool{}, odd: map[*source]bool{}}
	if opts.IncludeChecks {
		r.checks = allChecks
	}
	empty := func() *Model { return &Model{Files: []string{name}, ConfigID: id} }
	text, err := readText(fsys, r.locate(name), false)
	if err != nil {
		rep.add(&source{name: name}, 0, 0, 0, Error, "unreadable", "", "cannot read the configuration: %v", err)
		return rep.list, empty(), nil
	}
	src := &source{name: name, text: text}
	if d := notAConfiguration(rep, src); d {
		return rep.list, empty(), nil
	}
	syntax := "keepalived"
	var root *node
	if looksLikeYAML(text) {
		syntax, src.yaml = "yaml", true
		r.files, r.stack = append(r.files, name), append(r.stack, name)
		r.total = len(text)
		root = readYAML(r, src)
	} else {
		r.files, r.stack = append(r.files, name), append(r.stack, name)
		r.total = len(text)
		r.root.src = src
		r.read(src)
		r.finish()
		root = &r.root
		if r.unfilledTemplate() {
			return rep.list, empty(), nil
		}
	}
	d := &decoder{reporter: rep, host: host, open: &files{fsys, r.locate}, opts: opts, refused: r.refused, said: map[string]bool{}}
	d.said["line"] = r.lines > 0
	m := &draft{blocked: map[string]string{}, defined: map[string]int{}}
	m.Syntax, m.Files, m.ConfigID = syntax, r.files, id
	if root != nil && !r.stopped {
		d.all(m, root)
	}
	d.prose()
	rep.list.sort(r.files)
	return rep.list, &m.Model, root
}

func defaults(host Host) GlobalDefs {
	return GlobalDefs{
		RouterID: host.Hostname, SMTPHeloName: host.Hostname, SMTPConnectTimeout: 30 * time.Second, DefaultInterface: "eth0", SMTPPort: 25,
		StartupScriptTimeout: 10 * time.Second, ShutdownScriptTimeout: 10 * time.Second,
		LVSSync:         LVSSyncDaemon{ID: -1},
		VRRPMcastGroup4: netip.AddrFrom4([4]byte{224, 0, 0, 18}), VRRPMcastGroup6: netip.MustParseAddr("ff02::12"), VRRPVersion: 2,
		GarpMasterDelay: 5 * time.Second, GarpMasterRepeat: 5, GarpMasterRefreshRepeat: 1, DownTimerAdverts: 3,
		MinAutoPriorityDelay: time.Second, JSONVersion: 1, Umask: -1, NFTablesIPVSStartFwmark: 1000, BalancerDownFault: 30 * time.Second, TransitionWindow: time.Minute,
		ForwardMarks: DefaultForwardMarks, VRRPPriority: -20,
	}
}

// all decodes the whole tree: global_defs first, wherever they stand, then the rest in order, then what links one to another.
func (d *decoder) all(m *draft, root *node) {
	m.Global = defaults(d.host)
	m.ChildWaitTime = 5 * time.Second
	var rest []*node
	for _, n := range root.kids {
		if n.key.text == "global_defs" {
			decode(d, rootTable, m, &m.meta, []*node{n})
		} else {
			rest = append(rest, n)
		}
	}
	g := &m.Global
	if !g.Has("vrrp_garp_lower_prio_delay") {
		g.GarpLowerPrioDelay = g.GarpMasterDelay
	}
	if !g.Has("vrrp_garp_lower_prio_repeat") {
		g.GarpLowerPrioRepeat = g.GarpMasterRepeat
	}
	if g.SMTPConnectTimeout == 0 {
		g.SMTPConnectTimeout = time.Second
	}
	byName := map[string]*node{}
	var servers []*node
	m.at = map[*node]int{}
	// virtual servers come last: their checks refer to track_file and bfd_instance, which YAML may give in any order.
	for _, late := range []bool{false, true} {
		for i, n := range rest {
			if (n.key.text == "virtual_server") != late {
				continue
			}
			m.index = i
			count, instances := len(m.VirtualServers), len(m.Instances)+len(m.Groups)
			decode(d, rootTable, m, &m.meta, []*node{n})
			if len(m.VirtualServers) > count {
				servers = append(servers, n)
			}
			if len(m.Instances)+len(m.Groups) > instances {
				byName[n.key.text+" "+n.text(0)] = n
				m.at[n] = i
			}
		}
	}
	d.linkVRRP(m, byName)
	d.linkServers(m, servers)
	d.reason(&m.Model)
	if len(root.kids) == 0 && len(d.list) == 0 {
		// Conditions and patterns without matches may leave nothing; a file that never held anything is a mistake, such as one cut off while
		// it was written, and a reload with it would take everything away.
		if len(m.Files) == 1 && !d.said["line"] {
			d.add(root.src, 0, 0, 0, Error, "empty", "is this the right file? was it cut off?", "the configuration is empty")
		} else {
			d.add(root.src, 0, 0, 0, Warning, "empty", "", "the configuration is empty")
		}
	}
}

// where is the place of a root node in the order of the file.
func (m *draft) where(n *node) int { return m.at[n] }

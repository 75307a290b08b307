package config

import (
	"fmt"
	"io/fs"
	"net/netip"
	"path"
	"slices"
	"sort"
	"strings"
	"time"
)

// point reports something at a place of the Model.
func (d *decoder) point(p Pos, sev Severity, code, hint, format string, args ...any) {
	src := d.sources[p.File]
	if src == nil {
		src = &source{name: p.File}
	}
	x := d.add(src, p.Line, p.Col, 0, sev, code, hint, format, args...)
	x.Item, x.Confined = d.item, sev == Error
}

// reason looks at the whole Model for what is legal and yet will not do what its author wants.
func (d *decoder) reason(m *Model) {
	if m.NetNamespace != "" && (d.host.InNamespace == nil || !d.host.InNamespace(m.NetNamespace)) {
		d.host.Interfaces, d.host.NextHop = nil, nil // those of another namespace say nothing
	}
	d.places = newPlaces(m, d.host.Interfaces)
	users := map[string]bool{}
	for i := range m.Instances {
		d.item = "vrrp_instance " + m.Instances[i].Name
		d.reasonInstance(m, &m.Instances[i])
		d.reasonTracks(m, &m.Instances[i], users)
	}
	d.item = ""
	for i := range m.Groups {
		for _, t := range m.Groups[i].TrackScripts {
			users["script "+t.Name] = true
		}
		for _, t := range m.Groups[i].TrackFiles {
			users["file "+t.Name] = true
		}
		for _, t := range m.Groups[i].TrackProcesses {
			users["process "+t.Name] = true
		}
		d.reasonGroup(m, &m.Groups[i])
	}
	d.reasonAddresses(m)
	d.reasonRouterIDs(m)
	d.reasonVirtualMACs(m)
	for i := range m.VirtualServers {
		d.item = "virtual_server " + m.VirtualServers[i].label()
		d.reasonServer(m, &m.VirtualServers[i], users)
	}
	d.item = ""
	d.reasonStale(m)
	d.reasonForwarding(m)
	for i := range m.Scripts {
		s := &m.Scripts[i]
		if !users["script "+s.Name] {
			d.point(s.Pos, Note, "unused", "add track_script { "+s.Name+" } to an instance", "vrrp_script %s is never used", clip(s.Name))
		}
		if s.Timeout > s.Interval && s.Has("timeout") {
			d.point(s.At("timeout"), Note, "timeout-interval", "", "the timeout of %s is longer than its interval: a run that hangs delays the next ones", clip(s.Name))
		}
	}
	for i := range m.TrackFiles {
		f := &m.TrackFiles[i]
		if !users["file "+f.Name] {
			d.point(f.Pos, Note, "unused", "", "track_file %s is never used", clip(f.Name))
		}
	}
	for i := range m.TrackProcesses {
		p := &m.TrackProcesses[i]
		if !users["process "+p.Name] {
			d.point(p.Pos, Note, "unused", "", "vrrp_track_process %s is never used", clip(p.Name))
		}
	}
	d.reasonScripts(m)
}

func (d *decoder) reasonInstance(m *Model, i *VRRPInstance) {
	host := d.host.Interfaces
	if host != nil && i.Interface != "" {
		dev, ok := host[i.Interface]
		switch {
		case !ok:
			d.point(i.At("interface"), Note, "no-interface", "the instance waits in FAULT until it appears", "there is no interface %s on this machine", clip(i.Interface))
		case dev.Type == 32:
			d.point(i.At("interface"), Error, "infiniband", "", "%s is InfiniBand: gratuitous ARP is not built for it", clip(i.Interface))
		case i.SrcIP.IsValid() && !d.places.here[i.SrcIP]:
			d.point(i.At("unicast_src_ip"), Note, "no-address", "", "the source address %s is not on this machine", i.SrcIP)
		}
		for _, p := range i.UnicastPeers {
			if ok && d.places.here[p.Addr] {
				d.point(p.Pos, Warning, "peer-self", "name the other directors only", "peer %s is this machine itself", p.Addr)
			}
		}
	}
	d.reasonIPv6(i)
	seen := map[netip.Addr]bool{}
	for _, list := range [][]Address{i.VIPs, i.ExcludedVIPs} {
		for k := range list {
			a := &list[k]
			seen[a.Prefix.Addr()] = true
			if a.Prefix.Addr().IsUnspecified() || a.Prefix.Addr().IsMulticast() || a.Prefix.Addr().IsLoopback() {
				d.point(a.Pos, Warning, "odd-address", "", "%s is no address that a virtual router can have", a.Prefix.Addr())
			}
			if host != nil && a.Dev != "" && host[i.Interface].Addrs != nil {
				if _, ok := host[a.Dev]; !ok {
					d.point(a.Pos, Note, "no-interface", "", "there is no interface %s on this machine", clip(a.Dev))
				}
			}
		}
	}
	if i.Strict {
		for k := range m.VirtualServers {
			if v := &m.VirtualServers[k]; v.Addr.IsValid() && seen[v.Addr] {
				d.point(i.Pos, Warning, "strict-servers", "remove vrrp_strict", "strict mode drops packets to the virtual addresses, and %s is the address of a virtual server: nobody will reach it", v.Addr)
				break
			}
		}
	}
}

// reasonTracks finds weights that can never move the address.
func (d *decoder) reasonTracks(m *Model, i *VRRPInstance, users map[string]bool) {
	var weighted []Track
	for kind, list := range map[string][]Track{"script ": i.TrackScripts, "file ": i.TrackFiles, "process ": i.TrackProcesses, "": i.TrackInterfaces} {
		for _, t := range list {
			users[kind+t.Name] = true
			if t.Weight != 0 {
				weighted = append(weighted, t)
			}
		}
	}
	for _, t := range i.TrackInterfaces {
		if t.Name == i.Interface && t.Weight == 0 && !i.DontTrackPrimary {
			d.point(t.Pos, Note, "tracked-anyway", "", "%s is the interface of the instance and tracked anyway", clip(t.Name))
		}
	}
	if len(weighted) == 0 {
		return
	}
	sort.Slice(weighted, func(a, b int) bool { return weighted[a].Pos.Line < weighted[b].Pos.Line })
	t := weighted[0]
	switch {
	case i.Priority == 255:
		d.point(t.Pos, Warning, "weight-owner", "give a priority below 255", "weights do nothing: the priority of an owner, 255, never changes")
	case i.NoPreempt:
		d.point(t.Pos, Warning, "weight-nopreempt", "remove the weight: a failure is then a FAULT and the other director takes over", "weights cannot move the address: with nopreempt on the other director too, a lower priority does not lose to a living peer")
	default:
		for _, t := range weighted {
			if t.Weight > 0 && !t.Reverse && i.Priority >= 254 {
				d.point(t.Pos, Warning, "weight-clamped", "lower the priority", "weight %+d does nothing: the priority is %d and cannot rise above 254", t.Weight, i.Priority)
			}
		}
	}
}

func (d *decoder) reasonGroup(m *Model, g *SyncGroup) {
	var one *VRRPInstance
	for _, name := range g.Members {
		i := m.Instance(name)
		if i == nil {
			continue
		}
		if one == nil {
			one = i
			continue
		}
		if i.AdvertInt != one.AdvertInt {
			d.point(i.At("advert_int"), Warning, "group-interval", "give every member of a sync group the same advert_int", "%s and %s are in one sync group and have different advert_int", one.Name, i.Name)
		}
		if i.Priority != one.Priority {
			d.point(i.At("priority"), Note, "group-priority", "give every member of a sync group the same priority", "%s and %s are in one sync group and have different priorities", one.Name, i.Name)
		}
		if i.NoPreempt != one.NoPreempt {
			d.point(i.Pos, Warning, "group-preempt", "write nopreempt in every member or in none", "%s and %s are in one sync group and only one has nopreempt", one.Name, i.Name)
		}
	}
}

// reasonAddresses finds one address in two instances.
func (d *decoder) reasonAddresses(m *Model) {
	type at struct {
		addr netip.Addr
		dev  string
	}
	owner := map[at]string{}
	for i := range m.Instances {
		in := &m.Instances[i]
		for _, list := range [][]Address{in.VIPs, in.ExcludedVIPs} {
			for k := range list {
				a := &list[k]
				key := at{addr: a.Prefix.Addr()}
				if a.Prefix.Addr().IsLinkLocalUnicast() {
					key.dev = devOf(a, in)
				}
				if first, ok := owner[key]; ok && first != in.Name {
					d.point(a.Pos, Error, "address-in-two", "keep it in one", "%s is also an address of %s: two instances would fight about it", a.Prefix.Addr(), clip(first))
					setReason(&in.Blocked)(fmt.Sprintf("%s is also an address of %s", a.Prefix.Addr(), first))
					continue
				}
				owner[key] = in.Name
			}
		}
	}
}

func devOf(a *Address, i *VRRPInstance) string {
	if a.Dev != "" {
		return a.Dev
	}
	return i.Interface
}

// reasonRouterIDs finds one virtual router in two instances.
func (d *decoder) reasonRouterIDs(m *Model) {
	type id struct {
		dev  string
		vrid int
		six  bool
		dst  netip.Addr
	}
	first := map[id][]*VRRPInstance{}
	for i := range m.Instances {
		in := &m.Instances[i]
		if in.VRID == 0 || in.Interface == "" {
			continue
		}
		key := id{in.Interface, in.VRID, in.IPv6, in.McastDst}
		if in.Unicast {
			key.dst = netip.Addr{}
		}
		// Unicast instances may share it if what they hear can be told apart: by the peer or by their own address.
		k := slices.IndexFunc(first[key], func(o *VRRPInstance) bool {
			return !in.Unicast || in.SrcIP == o.SrcIP && overlap(in.UnicastPeers, o.UnicastPeers)
		})
		if k < 0 {
			first[key] = append(first[key], in)
			continue
		}
		other := first[key][k]
		d.point(in.At("virtual_router_id"), Error, "vrid-clash", "choose a number that is not used on this network", "virtual_router_id %d is also that of %s on %s", in.VRID, clip(other.Name), clip(in.Interface))
		setReason(&in.Blocked)(fmt.Sprintf("virtual_router_id %d is also that of %s", in.VRID, other.Name))
	}
}

func overlap(a, b []UnicastPeer) bool {
	for i := range a {
		for j := range b {
			if a[i].Addr == b[j].Addr {
				return true
			}
		}
	}
	return false
}

func (d *decoder) reasonServer(m *Model, v *VirtualServer, users map[string]bool) {
	hash := v.Scheduler == "sh" || v.Scheduler == "mh" || v.Scheduler == "dh"
	fallback := false
	for _, f := range v.Flags {
		fallback = fallback || strings.HasSuffix(f, "-fallback")
		if want, _, ok := strings.Cut(f, "-"); ok && (want == "sh" || want == "mh") && want != v.Scheduler {
			d.point(v.At(f), Warning, "scheduler-flag", "", "%s does nothing with lb_algo %s", f, v.Scheduler)
		}
	}
	zero := false
	for k := range v.RealServers {
		r := &v.RealServers[k]
		zero = zero || r.InhibitOnFailure || r.Weight == 0
		for c := range r.Checks {
			d.reasonCheck(m, &r.Checks[c], users)
		}
		if d.places.here[r.Addr] && !r.Addr.IsLoopback() {
			d.point(r.Pos, Note, "server-here", "a backup that is also a real server must not balance: packets would go in circles", "real server %s is this machine itself", r.Addr)
		}
		if r.Addr == v.Addr && v.Addr.IsValid() {
			d.point(r.Pos, Warning, "server-is-vip", "write the server's own address", "the real server has the virtual address")
		}
	}
	d.reasonFullNAT(m, v)
	if hash && zero && !fallback {
		way := "add " + v.Scheduler + "-fallback"
		if v.Scheduler == "dh" {
			way = "use sh or mh with their -fallback"
		}
		d.point(v.At("lb_algo"), Warning, "hash-weight-zero", way+", or remove inhibit_on_failure and weight 0", "with lb_algo %s a server of weight 0 still gets its clients: their connections fail", v.Scheduler)
	}
	if len(m.Instances) > 0 && v.Addr.IsValid() && v.Blocked == "" && !d.places.owned(v.Addr) {
		d.point(v.Pos, Note, "vip-nowhere", "add it to virtual_ipaddress of an instance", "no vrrp_instance brings the address %s", v.Addr)
	}
}

// reasonStale names the kernel settings without which clients of UDP and persistent clients stay with a server that is gone.
func (d *decoder) reasonStale(m *Model) {
	if d.host.Sysctl == nil || m.Global.ManageIPVSSysctls {
		return
	}
	off := func(name string) bool { v := d.host.Sysctl(name); return v == "" || v == "0" }
	const hint = "write manage_ipvs_sysctls in global_defs, or set it to 1 yourself"
	udp, persistent := false, false
	for i := range m.VirtualServers {
		v := &m.VirtualServers[i]
		if v.Blocked != "" {
			continue
		}
		const nodest, quiescent = "net.ipv4.vs.expire_nodest_conn", "net.ipv4.vs.expire_quiescent_template"
		if !udp && !v.OPS && (v.Protocol == "udp" || slices.Contains(v.AlsoProtocols, "udp")) && off(nodest) {
			udp = true
			d.point(v.Pos, Note, "udp-stale", hint, "clients of UDP stay with a server that has left the table until they pause for the UDP timeout: %s is 0", nodest)
		}
		if !persistent && v.PersistenceTimeout > 0 && off(quiescent) {
			persistent = true
			d.point(v.At("persistence_timeout"), Note, "persistent-stale", hint, "persistent clients stay with a server of weight 0 (drained, inhibited) for the whole persistence_timeout: %s is 0", quiescent)
		}
	}
}

func (d *decoder) reasonCheck(m *Model, c *Check, users map[string]bool) {
	switch c.Kind {
	case FileCheck:
		users["file "+c.TrackFile] = true
	case BFDCheck:
	case MiscCheck:
		if c.Timeout > c.DelayLoop {
			d.point(c.At("misc_timeout"), Note, "timeout-interval", "", "misc_timeout %s s is longer than delay_loop %s s: a run that hangs delays the next ones", timeText(c.Timeout, time.Second), timeText(c.DelayLoop, time.Second))
		}
	default:
		d.reasonTLS(c)
		d.reasonSilence(c)
		if c.ConnectTimeout > c.DelayLoop {
			d.once2(c.At("connect_timeout"), "timeout-interval", "make delay_loop longer or connect_timeout shorter", "connect_timeout %s s is longer than delay_loop %s s: checks of a dead server come later than delay_loop says", timeText(c.ConnectTimeout, time.Second), timeText(c.DelayLoop, time.Second))
		}
	}
}

// once2 says something about many alike objects only where it is new.
func (d *decoder) once2(p Pos, code, hint, format string, args ...any) {
	key := d.item + code
	if d.said[key] {
		return
	}
	d.said[key] = true
	d.point(p, Warning, code, hint, format, args...)
}

// reasonForwarding looks at DR servers out of reach and at NAT without an inner address that moves along.
func (d *decoder) reasonForwarding(m *Model) {
	apart := map[[2]*VRRPInstance]bool{}
	for i := range m.VirtualServers {
		v := &m.VirtualServers[i]
		if v.Blocked != "" {
			continue
		}
		outer := d.places.holder[v.Addr]
		director := d.isDirector(m, v)
		d.item = "virtual_server " + v.label()
		for k := range v.RealServers {
			r := &v.RealServers[k]
			switch {
			case r.Method.Forward == DR && director:
				d.reasonReach(r.Addr, r.Pos)
			case r.Method.Forward == NAT && v.Addr.IsValid():
				inner := d.places.gateway(r.Addr)
				if outer == nil || inner == nil || inner == outer || apart[[2]*VRRPInstance{outer, inner}] || d.places.together(inner.Name, outer.Name) {
					continue
				}
				apart[[2]*VRRPInstance{outer, inner}] = true
				d.once2(inner.Pos, "nat-sync", fmt.Sprintf("add vrrp_sync_group { group { %s %s } }", outer.Name, inner.Name),
					"NAT needs the addresses of %s and %s on one director: they are in no common sync group", outer.Name, inner.Name)
			}
		}
		if v.Sorry != nil && v.Sorry.Method.Forward == DR && director {
			d.reasonReach(v.Sorry.Addr, v.Sorry.Pos)
		}
	}
	d.item = ""
}

// isDirector says that this machine looks like one that balances the virtual server: then its networks and routes tell what can be reached. A file may
// be checked anywhere.
func (d *decoder) isDirector(m *Model, v *VirtualServer) bool {
	if d.host.Interfaces == nil {
		return false
	}
	at := func(in *VRRPInstance) bool { return len(d.host.Interfaces[in.Interface].Addrs) > 0 }
	addr := v.Addr
	if g := m.VirtualServerGroup(v.Group); v.Group != "" && g != nil {
		for i := range g.Entries {
			if addr = g.Entries[i].First; addr.IsValid() {
				break
			}
		}
	}
	if addr.IsValid() {
		if in := d.places.holder[addr]; in != nil {
			return at(in)
		}
		return d.places.connected(addr)
	}
	return slices.ContainsFunc(m.Instances, func(in VRRPInstance) bool { return at(&in) })
}

// reasonReach names a DR server that is not on a network of the director: the packet keeps the virtual address, so a router that gets it sends it back.
func (d *decoder) reasonReach(server netip.Addr, at Pos) {
	if d.places.here[server] || server.IsLoopback() || d.places.gateway(server) != nil {
		return
	}
	const hint = "use TUN or NAT, or give the director an address in the server's network"
	if d.host.NextHop != nil {
		if router, known := d.host.NextHop(server); known {
			if router.IsValid() {
				d.once2(at, "dr-not-connected", hint, "DR reaches servers on the same network only, and packets to %s go to the router %s, which sends them back to whoever has the virtual address", server, router)
			}
			return
		}
	}
	if !d.places.connected(server) {
		d.once2(at, "dr-not-connected", hint, "DR reaches servers on the same network only, and %s is on none of this machine's networks", server)
	}
}

// reasonScripts looks at every command: is the program there, and could someone else change what runs as root.
func (d *decoder) reasonScripts(m *Model) {
	if d.host.Stat == nil {
		return
	}
	seen := map[string]bool{}
	one := func(c *Command, what string) {
		if c.Line == "" || len(c.Argv) == 0 {
			return
		}
		p := c.Argv[0]
		user := c.User
		if user == "" {
			user = m.Global.ScriptUser
		}
		if seen[p+"\x00"+user] {
			return
		}
		seen[p+"\x00"+user] = true
		if !strings.HasPrefix(p, "/") {
			d.point(c.Pos, Note, "relative-path", "write an absolute path", "the program of %s is not an absolute path: %q", what, clip(p))
			return
		}
		info, err := d.host.Stat(path.Clean(p))
		if err != nil {
			d.point(c.Pos, Note, "no-program", "install it before the daemon starts; a script that cannot run counts as failed", "%s: there is no program %s on this machine", what, clip(p))
			return
		}
		if info.Mode&0o111 == 0 {
			d.point(c.Pos, Warning, "not-executable", "run chmod +x on it", "%s: %s is not executable", what, clip(p))
			return
		}
		if user != "" && user != "root" && user != "0" || user == "" && d.host.UserExists != nil && d.host.UserExists("keepalived_script") {
			return
		}
		if bad := insecure(d.host, path.Clean(p)); bad != "" {
			if m.Global.EnableScriptSecurity {
				d.point(c.Pos, Warning, "script-security", "correct owner and mode, or name another user", "%s would be refused by script security: %s", what, bad)
			} else {
				d.point(c.Pos, Note, "script-security", "correct owner and mode, or set script_user", "%s runs as root and could be changed by others: %s", what, bad)
			}
		}
	}
	eachCommand(m, one)
}

// insecure names the first component of a path that someone other than root may write.
func insecure(h Host, p string) string {
	for at := p; ; at = path.Dir(at) {
		i, err := h.Stat(at)
		if err != nil {
			return ""
		}
		sticky := i.Mode&fs.ModeSticky != 0 && at != p
		switch {
		case i.UID != 0:
			return fmt.Sprintf("%s belongs to user %d (mode %04o)", at, i.UID, i.Mode.Perm())
		case i.Mode&0o002 != 0 && !sticky:
			return fmt.Sprintf("%s may be written by everyone (mode %04o)", at, i.Mode.Perm())
		case i.Mode&0o020 != 0 && i.GID != 0 && !sticky:
			return fmt.Sprintf("%s may be written by group %d (mode %04o)", at, i.GID, i.Mode.Perm())
		}
		if at == "/" {
			return ""
		}
	}
}

type namedCommand struct {
	what    string
	command *Command
}

// eachCommand visits every command of the Model.
func eachCommand(m *Model, f func(c *Command, what string)) {
	g := &m.Global
	f(&g.StartupScript, "startup_script")
	f(&g.ShutdownScript, "shutdown_script")
	f(&g.NotifyFIFOScript, "notify_fifo_script")
	f(&g.VRRPFIFOScript, "vrrp_notify_fifo_script")
	f(&g.LVSFIFOScript, "lvs_notify_fifo_script")
	for i := range m.Scripts {
		f(&m.Scripts[i].Script, "vrrp_script "+m.Scripts[i].Name)
	}
	for i := range m.Instances {
		n := &m.Instances[i]
		for _, c := range []namedCommand{{"notify_master", &n.NotifyMaster}, {"notify_backup", &n.NotifyBackup}, {"notify_fault", &n.NotifyFault}, {"notify_stop", &n.NotifyStop},
			{"notify_deleted", &n.NotifyDeleted}, {"notify", &n.Notify}, {"notify_master_rx_lower_pri", &n.NotifyRxLower}} {
			f(c.command, c.what+" of "+n.Name)
		}
	}
	for i := range m.Groups {
		n := &m.Groups[i]
		for _, c := range []namedCommand{{"notify_master", &n.NotifyMaster}, {"notify_backup", &n.NotifyBackup}, {"notify_fault", &n.NotifyFault}, {"notify_stop", &n.NotifyStop}, {"notify", &n.Notify}} {
			f(c.command, c.what+" of "+n.Name)
		}
	}
	for i := range m.VirtualServers {
		v := &m.VirtualServers[i]
		f(&v.QuorumUp, "quorum_up")
		f(&v.QuorumDown, "quorum_down")
		for k := range v.RealServers {
			r := &v.RealServers[k]
			f(&r.NotifyUp, "notify_up")
			f(&r.NotifyDown, "notify_down")
			for c := range r.Checks {
				f(&r.Checks[c].Command, "misc_path")
			}
		}
	}
}

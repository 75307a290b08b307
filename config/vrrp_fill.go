package config

import (
	"net/netip"
	"strings"
	"time"
)

// readInstance decodes a vrrp_instance and fills in what global_defs says.
func readInstance(d *decoder, m *draft, n *node) {
	name, ok := d.name(n, "vrrp_instance", len(m.Instances), func(i int) string { return m.Instances[i].Name })
	if !ok {
		return
	}
	g := &m.Global
	i := VRRPInstance{
		Meta: Meta{Pos: n.pos()}, Name: name, AdvertInt: time.Second, UnicastTTL: 255, Accept: true,
		DownTimerAdverts: g.DownTimerAdverts, GarpMasterDelay: g.GarpMasterDelay, GarpMasterRepeat: g.GarpMasterRepeat,
		GarpMasterRefresh: g.GarpMasterRefresh, GarpMasterRefreshRepeat: g.GarpMasterRefreshRepeat,
		GarpExtraIf: g.GarpExtraIf, GarpExtraIfAll: g.GarpExtraIfAll,
		LowerPrioNoAdvert: g.LowerPrioNoAdvert.Or(false), HigherPrioSendAdvert: g.HigherPrioSendAdvert.Or(false), OwnerIgnoreAdverts: g.OwnerIgnoreAdverts.Or(false),
		CheckUnicastSrc: g.CheckUnicastSrc, SkipCheckAdvAddr: g.SkipCheckAdvAddr, Strict: g.Strict, V3ChecksumAsV2: g.V3ChecksumAsV2,
		NotifyPriorityChanges: g.NotifyPriorityChanges, SMTPAlert: g.SMTPAlertVRRP.Or(g.SMTPAlert.Or(false)),
	}
	d.within("vrrp_instance "+name, setReason(&i.Blocked), func() {
		decode(d, instanceTable, &i, &i.Meta, n.kids)
		d.fillInstance(m, &i, n)
	})
	if s := &m.Global.LVSSync; i.LVSSyncInterface != "" && s.Interface == "" {
		*s = LVSSyncDaemon{Interface: i.LVSSyncInterface, Instance: i.Name, ID: -1, Pos: i.At("lvs_sync_daemon_interface")}
	}
	m.Instances = append(m.Instances, i)
}

// say reports something about a keyword of an object, or about its head when the keyword is a default.
func (d *decoder) say(n *node, sev Severity, keyword, code, hint, format string, args ...any) {
	w, at := placeOf(n, keyword)
	if sev == Error {
		d.fatal(at, w, code, hint, format, args...)
		return
	}
	d.word(at, w, sev, code, hint, format, args...)
}

// amend is say for an error that is mended here, so that the object runs: what is wrong is left out, or the nearest that can be is taken.
func (d *decoder) amend(n *node, keyword, code, hint, format string, args ...any) {
	w, at := placeOf(n, keyword)
	d.word(at, w, Error, code, hint, format, args...)
}

// placeOf is the word of a keyword of an object, or of its head when the keyword is a default.
func placeOf(n *node, keyword string) (w *word, at *node) {
	w, at = &n.key, n
	if len(n.args) > 0 {
		w = n.arg(0)
	}
	for _, k := range n.kids {
		if k.key.text == keyword {
			w, at = &k.key, k
			if len(k.args) > 0 {
				w = k.arg(0)
			}
			break
		}
	}
	return w, at
}

// fillInstance settles the values that depend on one another.
func (d *decoder) fillInstance(m *draft, i *VRRPInstance, n *node) {
	g := &m.Global
	i.PrioritySet = i.Has("priority")
	if i.Priority == 0 {
		i.Priority = 100
		if i.State == "MASTER" {
			i.Priority = 255
			d.say(n, Warning, "state", "priority-default", "give a priority", "state MASTER without priority means priority 255: the owner of the addresses")
		}
	}
	if i.State == "" {
		i.State = "BACKUP"
		if i.Priority == 255 {
			i.State = "MASTER"
		}
	}
	if i.VRID == 0 && !i.Has("virtual_router_id") {
		d.say(n, Error, "", "vrid-missing", "add virtual_router_id N, the same on every director", "virtual_router_id is missing")
	}
	d.fillFamily(i, n)
	d.fillVersion(g, i, n)
	d.fillAuth(i, n)
	d.fillHMAC(i, n)
	d.fillAdvert(i, n)
	d.fillUnicast(g, i, n)
	d.fillVirtual(i, n)
	if i.Interface == "" && i.VRF == "" && (!i.Unicast || !i.SrcIP.IsValid()) && !i.Has("interface") {
		d.say(n, Error, "", "interface-missing", "add interface NAME", "interface is missing")
	}
	if i.Strict {
		d.fillStrict(i, n)
	}
	d.fillPreempt(i, n)
	d.fillGarp(g, i)
	if len(i.VIPs) == 0 && !i.NoVirtualIPAddress && !filled(n, "virtual_ipaddress") {
		d.say(n, Warning, "virtual_ipaddress", "no-addresses", "add virtual_ipaddress { ADDRESS }, or no_virtual_ipaddress if none is meant", "the instance has no virtual address")
	}
}

func (d *decoder) fillFamily(i *VRRPInstance, n *node) {
	switch {
	case i.IPv6: // native_ipv6
	case len(i.VIPs) > 0:
		i.IPv6 = i.VIPs[0].Prefix.Addr().Is6()
	case i.SrcIP.IsValid():
		i.IPv6 = i.SrcIP.Is6()
	case len(i.UnicastPeers) > 0:
		i.IPv6 = i.UnicastPeers[0].Addr.Is6()
	case len(i.ExcludedVIPs) > 0:
		i.IPv6 = i.ExcludedVIPs[0].Prefix.Addr().Is6()
	}
	seen := map[netip.Addr]bool{}
	once := func(list []Address) []Address {
		out := list[:0:0]
		for _, a := range list {
			if seen[a.Prefix.Addr()] {
				d.point(a.Pos, Warning, "address-twice", "remove one", "%s is there twice in the instance: the second one is left out", a.Prefix.Addr())
				continue
			}
			seen[a.Prefix.Addr()] = true
			out = append(out, a)
		}
		return out
	}
	i.VIPs = once(i.VIPs)
	i.ExcludedVIPs = once(i.ExcludedVIPs)
	var own []Address
	for _, a := range i.VIPs {
		if a.Prefix.Addr().Is6() == i.IPv6 {
			own = append(own, a)
			continue
		}
		d.say(n, Warning, "virtual_ipaddress", "mixed-family", "put it in virtual_ipaddress_excluded, or in an instance of its own",
			"%s is of another family than the first address: it is not advertised, as if it were in virtual_ipaddress_excluded", a.Prefix)
		i.ExcludedVIPs = append(i.ExcludedVIPs, a)
	}
	i.VIPs = own
	if i.IPv6 && len(own) > 0 && !own[0].Prefix.Addr().IsLinkLocalUnicast() {
		d.say(n, Note, "virtual_ipaddress", "link-local-first", "add a link-local address as the first one", "the first address of an IPv6 instance should be link-local (RFC 9568 5.2.9)")
	}
}

func (d *decoder) fillVersion(g *GlobalDefs, i *VRRPInstance, n *node) {
	if i.Version == 0 {
		i.Version = g.VRRPVersion
		if i.IPv6 {
			i.Version = 3
		}
	}
	if i.Version == 2 {
		if whole := (i.AdvertInt + 500*time.Millisecond).Truncate(time.Second); whole != i.AdvertInt {
			whole = max(whole, time.Second)
			d.say(n, Warning, "advert_int", "advert-fraction", "write version 3 in every director for fractions of a second", "version 2 knows whole seconds only: advert_int %s becomes %s", timeText(i.AdvertInt, time.Second), timeText(whole, time.Second))
			i.AdvertInt = whole
		}
		return
	}
	const step = 10 * time.Millisecond
	if r := i.AdvertInt.Round(step); r != i.AdvertInt {
		d.say(n, Warning, "advert_int", "advert-fraction", "", "advert_int is rounded to %s s: adverts count in 10 ms", timeText(r, time.Second))
		i.AdvertInt = r
	}
	if i.AdvertInt > 4095*step {
		d.say(n, Error, "advert_int", "out-of-range", "write at most 40.95", "advert_int of version 3 is at most 40.95 seconds")
		i.AdvertInt = 4095 * step
	}
}

func (d *decoder) fillAuth(i *VRRPInstance, n *node) {
	switch {
	case i.AuthType == "" && i.AuthPass != "":
		d.say(n, Warning, "authentication", "auth-half", "add auth_type PASS", "auth_pass without auth_type: the adverts are not authenticated")
		i.AuthPass = ""
	case i.AuthType != "" && i.AuthPass == "" && i.Blocked == "":
		d.say(n, Warning, "authentication", "auth-half", "add auth_pass", "auth_type without auth_pass: the adverts are not authenticated")
		i.AuthType = ""
	}
	if i.AuthType == "" {
		return
	}
	if i.Version == 3 {
		d.say(n, Warning, "authentication", "auth-version", "remove it", "version 3 has no authentication: the block is ignored, as in keepalived")
		i.AuthType, i.AuthPass = "", ""
	} else if i.AuthType == "AH" && i.IPv6 {
		d.say(n, Error, "authentication", "auth-family", "remove it", "AH is for IPv4 only")
	}
}

func (d *decoder) fillUnicast(g *GlobalDefs, i *VRRPInstance, n *node) {
	i.Unicast = i.Has("unicast_peer")
	if i.SrcIP.IsValid() && i.SrcIP.Is6() != i.IPv6 {
		d.say(n, Error, "unicast_src_ip", "family", "", "the source address %s is of another family than the instance", i.SrcIP)
	}
	seen := map[netip.Addr]bool{}
	peers := i.UnicastPeers[:0:0]
	for _, p := range i.UnicastPeers {
		switch {
		case p.Addr.Is6() != i.IPv6:
			d.say(n, Error, "unicast_peer", "family", "", "peer %s is of another family than the instance", p.Addr)
		case seen[p.Addr]:
			d.say(n, Warning, "unicast_peer", "peer-twice", "remove one", "peer %s is given twice", p.Addr)
		case p.Addr == i.SrcIP:
			d.say(n, Warning, "unicast_peer", "peer-self", "name the other directors only", "peer %s is our own source address: left out", p.Addr)
		default:
			seen[p.Addr] = true
			if p.MinTTL >= 0 || p.MaxTTL >= 0 {
				i.CheckUnicastSrc = true
			}
			peers = append(peers, p)
		}
	}
	i.UnicastPeers = peers
	if i.Unicast && len(peers) == 0 && !i.UnicastFaultNoPeer && !filled(n, "unicast_peer") {
		d.say(n, Warning, "unicast_peer", "no-peer", "name the other director, or add unicast_fault_no_peer", "unicast_peer names nobody: adverts go to the multicast group, as in keepalived")
		i.Unicast = false
	}
	if !i.McastDst.IsValid() {
		i.McastDst = g.VRRPMcastGroup4
		if i.IPv6 {
			i.McastDst = g.VRRPMcastGroup6
		}
	} else if i.McastDst.Is6() != i.IPv6 || !i.McastDst.IsMulticast() {
		d.say(n, Error, "mcast_dst_ip", "bad-address", "", "%s is not a multicast address of the instance's family", i.McastDst)
	}
}

// fillStrict does what strict mode does to the other keywords (reference 3.9).
func (d *decoder) fillStrict(i *VRRPInstance, n *node) {
	if i.AuthType != "" {
		d.say(n, Warning, "authentication", "strict", "remove vrrp_strict or the authentication", "strict mode removes the authentication: peers that use it will not be heard")
		i.AuthType, i.AuthPass = "", ""
	}
	if i.Unicast {
		d.say(n, Error, "unicast_peer", "strict", "remove vrrp_strict", "strict mode does not allow unicast peers")
	}
	if i.PreemptDelay != 0 {
		d.say(n, Warning, "preempt_delay", "strict", "", "strict mode removes preempt_delay")
		i.PreemptDelay = 0
	}
	if i.DownTimerAdverts != 3 {
		d.say(n, Warning, "down_timer_adverts", "strict", "", "strict mode sets down_timer_adverts to 3")
		i.DownTimerAdverts = 3
	}
	if len(i.VIPs) == 0 && !i.NoVirtualIPAddress && !filled(n, "virtual_ipaddress") {
		d.say(n, Error, "virtual_ipaddress", "strict", "add an address", "strict mode needs a virtual address")
	}
	if i.State == "MASTER" && i.Priority != 255 || i.State == "BACKUP" && i.Has("state") && i.Priority == 255 {
		d.say(n, Note, "state", "strict", "", "in strict mode only the owner, priority 255, has state MASTER")
	}
	i.LowerPrioNoAdvert, i.OwnerIgnoreAdverts, i.Accept = true, true, i.Has("accept")
	i.GarpLowerPrioRepeat = 0
}

func (d *decoder) fillPreempt(i *VRRPInstance, n *node) {
	// Who writes nopreempt wants it, whatever the hint of the state says: keepalived switches it off, so that the router that returns preempts.
	if i.State == "MASTER" && i.Priority != 255 {
		const hint = "write state BACKUP on every director"
		if i.NoPreempt {
			d.say(n, Warning, "nopreempt", "nopreempt-master", hint, "nopreempt holds, and state MASTER changes nothing: keepalived would switch nopreempt off")
		}
		if i.PreemptDelay != 0 {
			d.say(n, Warning, "preempt_delay", "nopreempt-master", hint, "preempt_delay holds, and state MASTER changes nothing: keepalived would switch preempt_delay off")
		}
	}
	if i.NoPreempt && i.Priority == 255 {
		d.say(n, Warning, "nopreempt", "nopreempt-owner", "choose a lower priority", "an owner (priority 255) always preempts")
		i.NoPreempt = false
	}
	if i.PreemptDelay != 0 && i.Priority == 255 {
		d.say(n, Warning, "preempt_delay", "nopreempt-owner", "choose a lower priority", "an owner (priority 255) does not wait before it preempts")
		i.PreemptDelay = 0
	}
	if i.NoPreempt && i.PreemptDelay != 0 {
		d.say(n, Warning, "preempt_delay", "preempt-both", "remove one of them", "preempt_delay means nothing with nopreempt")
		i.PreemptDelay = 0
	}
	if i.TimerExpiredBackup != 0 && !i.NoPreempt {
		d.say(n, Warning, "timer_expired_backup", "needs-nopreempt", "add nopreempt", "timer_expired_backup needs nopreempt")
		i.TimerExpiredBackup = 0
	}
}

func (d *decoder) fillGarp(g *GlobalDefs, i *VRRPInstance) {
	if g.MinGarp {
		if !i.Has("garp_master_delay") && !g.Has("vrrp_garp_master_delay") {
			i.GarpMasterDelay = 0
		}
		if !i.Has("garp_master_repeat") && !g.Has("vrrp_garp_master_repeat") {
			i.GarpMasterRepeat = 1
		}
		if !i.Has("garp_master_refresh_repeat") && !g.Has("vrrp_garp_master_refresh_repeat") {
			i.GarpMasterRefreshRepeat = 0
		}
	} else {
		i.GarpMasterRefreshRepeat = max(i.GarpMasterRefreshRepeat, 1)
	}
	i.GarpMasterRepeat = max(i.GarpMasterRepeat, 1)
	if !i.Has("garp_lower_prio_delay") {
		i.GarpLowerPrioDelay = i.GarpMasterDelay
		if g.Has("vrrp_garp_lower_prio_delay") {
			i.GarpLowerPrioDelay = g.GarpLowerPrioDelay
		}
	}
	if !i.Has("garp_lower_prio_repeat") && !i.Strict {
		i.GarpLowerPrioRepeat = i.GarpMasterRepeat
		if g.Has("vrrp_garp_lower_prio_repeat") {
			i.GarpLowerPrioRepeat = g.GarpLowerPrioRepeat
		}
	}
}

// link settles what needs all of the file: tracked things, sync groups.
func (d *decoder) linkVRRP(m *draft, nodes map[string]*node) {
	for k := range m.Instances {
		i := &m.Instances[k]
		n := nodes["vrrp_instance "+i.Name]
		d.within("vrrp_instance "+i.Name, setReason(&i.Blocked), func() {
			d.linkTracked(m, n, i.TrackScripts, i.TrackFiles, i.TrackProcesses, i.TrackBFDs, i.TrackVirtualServers)
		})
		if d.blockAll != "" && i.Blocked == "" {
			i.Blocked = d.blockAll
		}
	}
	for k := range m.Groups {
		g := &m.Groups[k]
		n := nodes["vrrp_sync_group "+g.Name]
		d.within("vrrp_sync_group "+g.Name, setReason(&g.Blocked), func() {
			d.linkTracked(m, n, g.TrackScripts, g.TrackFiles, g.TrackProcesses, g.TrackBFDs, g.TrackVirtualServers)
			d.linkGroup(m, n, g)
		})
	}
	for k := range m.Groups {
		g := &m.Groups[k]
		for _, name := range g.Members {
			if i := m.Instance(name); i != nil && g.Blocked != "" && i.Blocked == "" {
				i.Blocked = "sync group " + g.Name + ": " + g.Blocked
			}
		}
	}
}

// linkVirtualServers finds what track_virtual_server names.
func (d *decoder) linkVirtualServers(m *draft, n *node, list []Track) {
	for _, t := range list {
		var all []string
		found := false
		for k := range m.VirtualServers {
			name := m.VirtualServers[k].TrackName()
			all = append(all, name)
			found = found || name == t.Name
		}
		if found {
			continue
		}
		at, w := n, &n.key
		for _, block := range n.kids {
			for _, line := range block.kids {
				if block.key.text == "track_virtual_server" && line.key.text == t.Name {
					at, w = line, &line.key
				}
			}
		}
		hint := d.suggest(t.Name, all)
		if hint == "" {
			hint = "write ADDRESS:PORT, fwmark:N or the name of a group, as a virtual_server of this file has it"
		}
		d.fatal(at, w, "not-defined", hint, "track_virtual_server names %q, which is no virtual server of this file", clip(t.Name))
	}
}

// linkTracked looks for everything that an instance or a group tracks.
func (d *decoder) linkTracked(m *draft, n *node, scripts, files, processes, bfds, servers []Track) {
	d.linkTracks(m, n, scripts, "script", "track_script", "vrrp_script")
	d.linkTracks(m, n, files, "file", "track_file", "track_file")
	d.linkTracks(m, n, processes, "process", "track_process", "vrrp_track_process")
	d.linkTracks(m, n, bfds, "bfd", "track_bfd", "bfd_instance")
	d.linkVirtualServers(m, n, servers)
}

func (d *decoder) linkTracks(m *draft, n *node, list []Track, kind, keyword, block string) {
	var block2 *node
	for _, k := range n.kids {
		if k.key.text == keyword {
			block2 = k
		}
	}
	for k := range list {
		t := &list[k]
		at, w := n, &n.key
		if block2 != nil {
			for _, line := range block2.kids {
				if line.key.text == t.Name {
					at, w = line, &line.key
				}
			}
		}
		key := kind + " " + t.Name
		index, defined := m.defined[key]
		if !defined {
			all := []string{}
			for name := range m.defined {
				if strings.HasPrefix(name, kind+" ") {
					all = append(all, name[len(kind)+1:])
				}
			}
			hint := d.suggest(t.Name, all)
			if hint == "" {
				hint = "define it with " + block + " " + t.Name + " { ... }"
			}
			d.fatal(at, w, "not-defined", hint, "%s %q is not defined", strings.TrimSuffix(keyword, "s"), clip(t.Name))
			continue
		}
		if m.Syntax == "keepalived" && index > m.where(n) {
			d.word(at, w, Note, "defined-later", "define it above the instance", "%s %s is defined further down: keepalived would ignore it here", block, t.Name)
		}
		if reason := m.blocked[key]; reason != "" {
			d.block(block + " " + t.Name + ": " + reason)
		}
		if !t.WeightSet {
			switch kind {
			case "script":
				s := m.Script(t.Name)
				t.Weight, t.Reverse = s.Weight, t.Reverse || s.Reverse
			case "file":
				f := m.TrackFile(t.Name)
				t.Weight, t.Reverse = f.Weight, t.Reverse || f.Reverse
			case "process":
				p := m.TrackProcess(t.Name)
				t.Weight, t.Reverse = p.Weight, t.Reverse || p.Reverse
			case "bfd":
				b := m.BFD(t.Name)
				t.Weight, t.Reverse = b.Weight, t.Reverse || b.Reverse
			}
		}
	}
}

func (d *decoder) linkGroup(m *draft, n *node, g *SyncGroup) {
	if len(g.Members) == 0 {
		d.say(n, Error, "group", "group-empty", "name its instances: group { A B }", "the sync group has no members")
		return
	}
	seen := map[string]bool{}
	for _, name := range g.Members {
		i := m.Instance(name)
		if seen[name] {
			d.say(n, Warning, "group", "member-twice", "name it once", "%s is named twice", clip(name))
			continue
		}
		seen[name] = true
		if i == nil {
			all := make([]string, 0, len(m.Instances))
			for k := range m.Instances {
				all = append(all, m.Instances[k].Name)
			}
			d.say(n, Error, "group", "not-defined", d.suggest(name, all), "the sync group names %q, which is no vrrp_instance", clip(name))
			continue
		}
		for k := range m.Groups {
			o := &m.Groups[k]
			if o == g {
				break
			}
			for _, other := range o.Members {
				if other == name {
					d.say(n, Error, "group", "two-groups", "keep it in one", "%s is in the sync groups %s and %s", name, o.Name, g.Name)
				}
			}
		}
		if !g.TrackingWeight {
			d.dropWeights(i, g)
		}
	}
	if len(seen) == 1 {
		d.say(n, Note, "group", "group-of-one", "", "a sync group of one instance does nothing")
	}
}

// dropWeights does to a member what its sync group does to weighted trackers (reference 3.6).
func (d *decoder) dropWeights(i *VRRPInstance, g *SyncGroup) {
	drop := func(list []Track, what string) []Track {
		out := list[:0:0]
		for _, t := range list {
			if t.Weight != 0 {
				d.point(t.Pos, Warning, "group-weight", "add sync_group_tracking_weight to "+g.Name, "%s %s has a weight and is ignored: %s is in sync group %s", what, t.Name, i.Name, g.Name)
				continue
			}
			out = append(out, t)
		}
		return out
	}
	i.TrackScripts = drop(i.TrackScripts, "track_script")
	i.TrackBFDs = drop(i.TrackBFDs, "track_bfd")
	i.TrackVirtualServers = drop(i.TrackVirtualServers, "track_virtual_server")
	for k := range i.TrackInterfaces {
		t := &i.TrackInterfaces[k]
		if t.Weight != 0 {
			d.point(t.Pos, Warning, "group-weight", "add sync_group_tracking_weight to "+g.Name, "the weight of track_interface %s becomes 0 (down is a fault): %s is in sync group %s", t.Name, i.Name, g.Name)
			t.Weight = 0
		}
	}
	for k := range i.TrackFiles {
		if i.TrackFiles[k].Weight == 1 {
			i.TrackFiles[k].Weight = 0
		}
	}
}

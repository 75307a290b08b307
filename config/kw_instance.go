package config

import (
	"net/netip"
	"time"
)

type vi = VRRPInstance

var authTable = newTable("authentication", []row[vi]{
	enum("auth_type", []string{"PASS", "AH"}, func(i *vi) *string { return &i.AuthType }, tierA, acts, "none", "PASS: the password travels in clear. AH: a keyed digest.").own(),
	custom("auth_pass", shapeWord, readAuthPass, tierA, acts, "none", "Password; 8 bytes count.").own(),
})

var hmacTable = newTable("auth_hmac", []row[AuthHMAC]{
	custom("key", shapeWords, func(d *decoder, h *AuthHMAC, n *node) {
		if v, ok := d.intArg(n, 0, 1, 255); ok && d.need(n, 1) {
			h.Keys = append(h.Keys, HMACKey{ID: int(v), Value: n.text(1), Pos: n.pos()})
		}
	}, tierC, acts, "required", "Number and value: hex:DIGITS, file:PATH (which holds the same) or the key itself; 32 to 64 bytes. Several for a rotation.").repeat().own(),
	integer("active_key", 1, 255, func(h *AuthHMAC) *int { return &h.ActiveKey }, tierC, acts, "required", "Which key signs. Every key is accepted.").own(),
	seconds("time_window", time.Second, 300*time.Second, func(h *AuthHMAC) *time.Duration { return &h.TimeWindow }, tierC, acts, "max(3 x advert_int, 5)", "How far the sender's clock may be from this router's, in whole seconds; with anti_replay time.").own(),
	enum("anti_replay", []string{"time", "monotonic"}, func(h *AuthHMAC) *string { return &h.AntiReplay }, tierC, acts, "time", "time: sequences rise and are near this router's clock. monotonic: they rise.").own(),
	enum("mode", []string{"enforce", "permissive", "receive-only"}, func(h *AuthHMAC) *string { return &h.Mode }, tierC, acts, "enforce", "receive-only: neither sent nor demanded. permissive: sent, not demanded. enforce: both. A trailer that is there is always verified.").own(),
})

var peerEntry = &entrySpec{first: []string{"address"}, options: []option{{"min_ttl", 1, ""}, {"max_ttl", 1, ""}}}

func seti(f func(*vi)) func(*decoder, *vi, *node) {
	return func(d *decoder, i *vi, n *node) { f(i); d.extra(n, 0) }
}

var instanceTable = newTable("vrrp_instance", []row[vi]{
	enum("state", []string{"MASTER", "BACKUP"}, func(i *vi) *string { return &i.State }, tierA, acts, "BACKUP", "A hint only: who is master is settled by priority."),
	text("interface", func(i *vi) *string { return &i.Interface }, tierA, acts, "required", "Where adverts go and addresses are put.").own(),
	integer("virtual_router_id", 1, 255, func(i *vi) *int { return &i.VRID }, tierA, acts, "required", "Number of the virtual router, the same on every director.").own(),
	integer("priority", 1, 255, func(i *vi) *int { return &i.Priority }, tierA, acts, "100", "The highest wins; 255 is the owner of the addresses.").own(),
	integer("version", 2, 3, func(i *vi) *int { return &i.Version }, tierA, acts, "vrrp_version", "Protocol version.").own(),
	seconds("advert_int", 10*time.Millisecond, 255*time.Second, func(i *vi) *time.Duration { return &i.AdvertInt }, tierA, acts, "1", "Time between adverts: whole seconds in version 2, steps of 10 ms up to 40.95 in version 3.").own(),
	block("authentication", authTable, func(d *decoder, i *vi, n *node) {
		if d.needBlock(n) {
			var m Meta
			decode(d, authTable, i, &m, n.kids)
		}
	}, tierA, acts, "none", "Version 2 only.").own(),
	block("auth_hmac", hmacTable, func(d *decoder, i *vi, n *node) {
		if d.needBlock(n) {
			var m Meta
			i.AuthHMAC = AuthHMAC{Given: true, Pos: n.pos(), ActiveKey: -1}
			decode(d, hmacTable, &i.AuthHMAC, &m, n.kids)
		}
	}, tierC, acts, "none", "Signed adverts: an HMAC-SHA256 trailer with protection from replays, for both versions and families, as keepalived 2.4 has it.").own(),
	addresses("virtual_ipaddress", func(i *vi) *[]Address { return &i.VIPs }, tierA, acts, "The virtual addresses, listed in the adverts.").own(),
	addresses("virtual_ipaddress_excluded", func(i *vi) *[]Address { return &i.ExcludedVIPs }, tierA, acts, "More addresses that move along, not listed in the adverts.").own(),
	routes("virtual_routes", func(i *vi) *[]Route { return &i.Routes }, tierA, acts, "Routes that exist while master."),
	rules("virtual_rules", func(i *vi) *[]Rule { return &i.Rules }, tierB, acts, "Routing rules that exist while master."),
	flag("no_virtual_ipaddress", func(i *vi) *bool { return &i.NoVirtualIPAddress }, tierC, acts, "off", "An instance without addresses is meant."),
	flag("promote_secondaries", func(i *vi) *bool { return &i.PromoteSecondaries }, tierB, idle, "off", "Set promote_secondaries on the interface."),
	tracks("track_interface", 253, func(i *vi) *[]Track { return &i.TrackInterfaces }, tierA, acts, "Interfaces that must be up."),
	tracks("track_script", 253, func(i *vi) *[]Track { return &i.TrackScripts }, tierA, acts, "Scripts that must succeed."),
	tracks("track_file", 254, func(i *vi) *[]Track { return &i.TrackFiles }, tierB, acts, "Files whose value counts."),
	tracks("track_process", 254, func(i *vi) *[]Track { return &i.TrackProcesses }, tierB, acts, "Processes that must run."),
	tracks("track_virtual_server", 253, func(i *vi) *[]Track { return &i.TrackVirtualServers }, tierC, acts,
		"Virtual servers that must have their quorum: ADDRESS:PORT, fwmark:N or the name of a group."),
	tracks("track_bfd", 253, func(i *vi) *[]Track { return &i.TrackBFDs }, tierB, idle, "BFD sessions that must be up."),
	flag("track_src_ip", func(i *vi) *bool { return &i.TrackSrcIP }, tierC, acts, "off", "FAULT while the source address is missing.").own(),
	flag("dont_track_primary", func(i *vi) *bool { return &i.DontTrackPrimary }, tierB, acts, "off", "The state of interface does not matter.").own(),
	known[vi]("linkbeat_use_polling", shapeFlag, tierC, gone, "", "Deprecated."),
	custom("nopreempt", shapeFlag, seti(func(i *vi) { i.NoPreempt = true }), tierA, acts, "off", "Do not take over from a master of lower priority that works.").own(),
	custom("preempt", shapeFlag, seti(func(i *vi) { i.NoPreempt = false }), tierA, acts, "on", "Take over from a master of lower priority.").own(),
	seconds("preempt_delay", 0, 1000*time.Second, func(i *vi) *time.Duration { return &i.PreemptDelay }, tierA, acts, "0", "Wait this long before preempting.").own(),
	custom("timer_expired_backup", shapeWords, func(d *decoder, i *vi, n *node) {
		i.TimerExpiredBackup = 254
		if len(n.args) > 0 {
			if v, ok := d.intArg(n, 0, 1, 254); ok {
				i.TimerExpiredBackup = int(v)
			}
		}
	}, tierC, acts, "off", "A MASTER that was silent for so long that a router of this priority (254 without a number) may have taken over goes to BACKUP, though nobody is heard; needs nopreempt.").also("thread_timer_expired").own(),
	integer("down_timer_adverts", 1, 100, func(i *vi) *int { return &i.DownTimerAdverts }, tierB, acts, "3", "Adverts that may be missed before a takeover.").own(),
	seconds("garp_master_delay", 0, intMax, func(i *vi) *time.Duration { return &i.GarpMasterDelay }, tierA, acts, "5", "Second gratuitous ARP burst; 0 = none."),
	integer("garp_master_repeat", 0, 1<<31-1, func(i *vi) *int { return &i.GarpMasterRepeat }, tierA, acts, "5", "Gratuitous ARPs per burst."),
	seconds("garp_master_refresh", 0, intMax, func(i *vi) *time.Duration { return &i.GarpMasterRefresh }, tierA, acts, "0", "Repeat while master; 0 = off."),
	integer("garp_master_refresh_repeat", 0, 1<<31-1, func(i *vi) *int { return &i.GarpMasterRefreshRepeat }, tierB, acts, "1", "Gratuitous ARPs per refresh."),
	seconds("garp_lower_prio_delay", 0, intMax, func(i *vi) *time.Duration { return &i.GarpLowerPrioDelay }, tierB, acts, "as garp_master_delay", "Second burst after an advert of lower priority."),
	integer("garp_lower_prio_repeat", 0, 1<<31-1, func(i *vi) *int { return &i.GarpLowerPrioRepeat }, tierB, acts, "as garp_master_repeat", "Gratuitous ARPs after an advert of lower priority."),
	custom("garp_extra_if", shapeWords, func(d *decoder, i *vi, n *node) { i.GarpExtraIfAll, i.GarpExtraIf = d.extraIf(n, 0) }, tierC, acts, "global", "Gratuitous ARP on other interfaces too.").also("vmac_garp_intvl").clocked(),
	boolean("lower_prio_no_advert", func(i *vi) *bool { return &i.LowerPrioNoAdvert }, tierB, acts, "off", "Do not answer an advert of lower priority.").own(),
	boolean("higher_prio_send_advert", func(i *vi) *bool { return &i.HigherPrioSendAdvert }, tierB, acts, "off", "Send one more advert when giving way.").own(),
	boolean("owner_ignore_adverts", func(i *vi) *bool { return &i.OwnerIgnoreAdverts }, tierC, acts, "off", "An owner ignores adverts.").own(),
	addr("unicast_src_ip", func(i *vi) *netip.Addr { return &i.SrcIP }, tierA, acts, "interface's first", "Source address of the adverts.").also("mcast_src_ip").own(),
	lines("unicast_peer", peerEntry, readPeer, tierA, acts, "multicast", "Send adverts to these directors instead of the multicast group.").own(),
	flag("unicast_fault_no_peer", func(i *vi) *bool { return &i.UnicastFaultNoPeer }, tierC, acts, "off", "An empty unicast_peer is FAULT, not multicast.").own(),
	integer("unicast_ttl", 0, 255, func(i *vi) *int { return &i.UnicastTTL }, tierB, acts, "255", "TTL of unicast adverts."),
	boolean("check_unicast_src", func(i *vi) *bool { return &i.CheckUnicastSrc }, tierB, acts, "off", "Drop unicast adverts that are not from a peer.").own(),
	custom("old_unicast_checksum", shapeWords, func(d *decoder, i *vi, n *node) {
		i.OldChecksum = "yes"
		if len(n.args) > 0 {
			_, ok := d.enumArg(n, 0, []string{"never"})
			if ok {
				i.OldChecksum = "never"
			}
		}
	}, tierC, acts, "off", "Checksum of unicast adverts of version 3 as keepalived before 1.3.6 has it, over the multicast group.").own(),
	addr("mcast_dst_ip", func(i *vi) *netip.Addr { return &i.McastDst }, tierC, acts, "vrrp_mcast_group4 or 6", "Where the adverts go.").own(),
	boolean("skip_check_adv_addr", func(i *vi) *bool { return &i.SkipCheckAdvAddr }, tierA, acts, "off", "Do not compare the address list of the master's adverts again."),
	boolean("strict_mode", func(i *vi) *bool { return &i.Strict }, tierB, acts, "vrrp_strict", "Keep to the RFC.").own(),
	boolean("v3_checksum_as_v2", func(i *vi) *bool { return &i.V3ChecksumAsV2 }, tierC, acts, "off", "Version 3 checksum without the pseudo header.").own(),
	custom("native_ipv6", shapeFlag, seti(func(i *vi) { i.IPv6 = true }), tierC, acts, "from the addresses", "An IPv6 instance."),
	custom("accept", shapeFlag, seti(func(i *vi) { i.Accept = true }), tierA, acts, "on", "Accept packets to the addresses."),
	custom("no_accept", shapeFlag, seti(func(i *vi) { i.Accept = false }), tierA, acts, "off", "Drop packets to the addresses unless owner.").own(),
	custom("use_vmac", shapeWords, readVMAC, tierB, acts, "off", "Put the addresses on a macvlan with the virtual MAC.").own(),
	flag("use_vmac_addr", func(i *vi) *bool { return &i.UseVMACAddr }, tierC, acts, "off", "A virtual MAC for addresses on other interfaces too.").own(),
	flag("vmac_xmit_base", func(i *vi) *bool { return &i.VMACXmitBase }, tierB, acts, "off", "Send adverts from the base interface."),
	custom("use_ipvlan", shapeWords, readIPVLAN, tierC, acts, "off", "Put the addresses on an ipvlan.").own(),
	text("vrf", func(i *vi) *string { return &i.VRF }, tierC, acts, "none", "Unicast over a VRF device.").own(),
	command("notify_master", func(i *vi) *Command { return &i.NotifyMaster }, tierA, acts, "none", "Run when becoming MASTER."),
	command("notify_backup", func(i *vi) *Command { return &i.NotifyBackup }, tierA, acts, "none", "Run when becoming BACKUP."),
	command("notify_fault", func(i *vi) *Command { return &i.NotifyFault }, tierA, acts, "none", "Run when entering FAULT."),
	command("notify_stop", func(i *vi) *Command { return &i.NotifyStop }, tierA, acts, "none", "Run at stop."),
	custom("notify_deleted", shapeCommand, func(d *decoder, i *vi, n *node) {
		i.ReportDeleted = true
		if len(n.args) > 0 {
			i.NotifyDeleted, _ = d.commandArg(n)
		}
	}, tierA, acts, "none", "A reload that removes the instance reports DELETED, and runs this."),
	command("notify", func(i *vi) *Command { return &i.Notify }, tierA, acts, "none", "Run at every transition, with INSTANCE, name, state and priority."),
	command("notify_master_rx_lower_pri", func(i *vi) *Command { return &i.NotifyRxLower }, tierB, acts, "none", "Run when a master hears a lower priority."),
	boolean("notify_priority_changes", func(i *vi) *bool { return &i.NotifyPriorityChanges }, tierC, acts, "global", "Tell about every change of the effective priority."),
	boolean("smtp_alert", func(i *vi) *bool { return &i.SMTPAlert }, tierA, acts, "off", "Mail at every transition."),
	text("lvs_sync_daemon_interface", func(i *vi) *string { return &i.LVSSyncInterface }, tierC, acts, "none", "Deprecated form of lvs_sync_daemon.").say("lvs_sync_daemon_interface is deprecated: use lvs_sync_daemon in global_defs"),
	integer("kernel_rx_buf_size", 0, 1<<31-1, func(i *vi) *int { return &i.KernelRxBuf }, tierC, idle, "kernel's", "Receive buffer in bytes."),
	known[vi]("debug", shapeWord, tierC, gone, "0", "Without effect in keepalived too."),
	known[vi]("mcast_src_interface", shapeWord, tierC, gone, "", "Removed from keepalived."),
})

func readAuthPass(d *decoder, i *vi, n *node) {
	v, ok := d.wordArg(n, 0)
	if !ok {
		return
	}
	if len(n.args) > 1 {
		d.word(n, n.arg(1), Warning, "extra-words", "put a password with blanks in double quotes", "only the first word of the password counts")
	}
	if v == "" {
		d.bad(n, n.arg(0), "missing-argument", "", "the password is empty")
		return
	}
	if len(v) > 8 {
		d.word(n, n.arg(0), Warning, "auth-pass-long", "write 8 bytes; every director must cut it alike", "the password has %d bytes: only the first 8 count", len(v))
		v = v[:8]
	}
	i.AuthPass = v
}

func readPeer(d *decoder, i *vi, n *node) {
	a, ok := d.addr(n, &n.key)
	if !ok {
		return
	}
	p := UnicastPeer{Addr: a, MinTTL: -1, MaxTTL: -1, Pos: n.pos()}
	for k := 0; k < len(n.args); k++ {
		w := n.arg(k)
		to := &p.MinTTL
		switch w.text {
		case "min_ttl":
		case "max_ttl":
			to = &p.MaxTTL
		default:
			hint := d.suggest(w.text, []string{"min_ttl", "max_ttl"})
			if validAddr(w.text) {
				hint = "write one peer per line"
			}
			d.bad(n, w, "unknown-option", hint, "%q is not an option of a peer", clip(w.text))
			return
		}
		k++
		if k >= len(n.args) {
			d.bad(n, w, "missing-argument", "", "%s needs a value", w.text)
			return
		}
		v, ok := d.number(n, n.arg(k), 0, 255)
		if !ok {
			return
		}
		*to = int(v)
	}
	i.UnicastPeers = append(i.UnicastPeers, p)
}

type sg = SyncGroup

var groupTable = newTable("vrrp_sync_group", []row[sg]{
	names("group", func(g *sg) *[]string { return &g.Members }, tierA, acts, "required", "Instances that change state together.").own(),
	tracks("track_interface", 253, func(g *sg) *[]Track { return &g.TrackInterfaces }, tierB, acts, "Interfaces that count for every member."),
	tracks("track_script", 253, func(g *sg) *[]Track { return &g.TrackScripts }, tierB, acts, "Scripts that count for every member."),
	tracks("track_file", 254, func(g *sg) *[]Track { return &g.TrackFiles }, tierB, acts, "Files that count for every member."),
	tracks("track_process", 254, func(g *sg) *[]Track { return &g.TrackProcesses }, tierB, acts, "Processes that count for every member."),
	tracks("track_virtual_server", 253, func(g *sg) *[]Track { return &g.TrackVirtualServers }, tierC, acts, "Virtual servers that count for every member."),
	tracks("track_bfd", 253, func(g *sg) *[]Track { return &g.TrackBFDs }, tierB, idle, "BFD sessions that count for every member."),
	flag("sync_group_tracking_weight", func(g *sg) *bool { return &g.TrackingWeight }, tierB, acts, "off", "Members keep their weighted trackers.").also("global_tracking").own(),
	command("notify_master", func(g *sg) *Command { return &g.NotifyMaster }, tierA, acts, "none", "Run when the group becomes MASTER."),
	command("notify_backup", func(g *sg) *Command { return &g.NotifyBackup }, tierA, acts, "none", "Run when the group becomes BACKUP."),
	command("notify_fault", func(g *sg) *Command { return &g.NotifyFault }, tierA, acts, "none", "Run when the group enters FAULT."),
	command("notify_stop", func(g *sg) *Command { return &g.NotifyStop }, tierA, acts, "none", "Run at stop."),
	command("notify", func(g *sg) *Command { return &g.Notify }, tierA, acts, "none", "Run at every transition, with GROUP, name, state and 0."),
	boolean("notify_priority_changes", func(g *sg) *bool { return &g.NotifyPriorityChanges }, tierC, idle, "global", "Tell about every change of the effective priority."),
	boolean("smtp_alert", func(g *sg) *bool { return &g.SMTPAlert }, tierA, acts, "off", "Mail at every transition."),
})

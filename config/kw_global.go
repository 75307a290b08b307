package config

import (
	"net/netip"
	"strings"
	"time"
)

type gd = GlobalDefs

const (
	usec    = time.Microsecond
	hour24  = 86400 * time.Second
	longest = 4294967295 * time.Microsecond
	intMax  = 1<<31*time.Second - time.Second
)

var globalTable = newTable("global_defs", []row[gd]{
	text("router_id", func(g *gd) *string { return &g.RouterID }, tierA, acts, "host name", "Name of this director in mails and dumps."),
	names("notification_email", func(g *gd) *[]string { return &g.NotificationEmail }, tierA, acts, "none", "Who gets mail. Without it there is none."),
	text("notification_email_from", func(g *gd) *string { return &g.NotificationEmailFrom }, tierA, acts, "user@hostname", "Sender of mails."),
	custom("smtp_server", shapeWords, readSMTPServer, tierA, acts, "none, port 25", "Mail relay, as host and optional port.").each(&entrySpec{first: []string{"host", "port"}}),
	text("smtp_helo_name", func(g *gd) *string { return &g.SMTPHeloName }, tierB, acts, "host name", "Name in HELO.").passed(),
	seconds("smtp_connect_timeout", 0, intMax, func(g *gd) *time.Duration { return &g.SMTPConnectTimeout }, tierA, acts, "30", "Time to connect to the relay and for each answer."),
	enum("smtp_tls", []string{"off", "opportunistic", "starttls", "tls"}, func(g *gd) *string { return &g.SMTPTLS }, tierC, acts, "off",
		"Holdfast: encryption of mail: STARTTLS where the relay offers it, STARTTLS or no mail, or TLS from the first byte on."),
	text("smtp_tls_ca", func(g *gd) *string { return &g.SMTPTLSCA }, tierC, acts, "the system's", "Holdfast: file with the certificates (PEM) that may sign the relay's."),
	text("smtp_user", func(g *gd) *string { return &g.SMTPUser }, tierC, acts, "none", "Holdfast: name to log in to the relay with."),
	text("smtp_password", func(g *gd) *string { return &g.SMTPPassword }, tierC, acts, "none", "Holdfast: password for the relay, or file:PATH to read it from when a mail is sent."),
	tri("smtp_alert", func(g *gd) *Tri { return &g.SMTPAlert }, tierB, acts, "unset", "Default of every smtp_alert."),
	tri("smtp_alert_vrrp", func(g *gd) *Tri { return &g.SMTPAlertVRRP }, tierB, acts, "unset", "Default of smtp_alert for VRRP."),
	tri("smtp_alert_checker", func(g *gd) *Tri { return &g.SMTPAlertChecker }, tierB, acts, "unset", "Default of smtp_alert for virtual and real servers."),
	flag("no_email_faults", func(g *gd) *bool { return &g.NoEmailFaults }, tierC, acts, "off", "No mail when an instance is in FAULT."),
	flag("no_checker_emails", func(g *gd) *bool { return &g.NoCheckerEmails }, tierB, idle, "off", "Mail only when a real server changes, not for each of its checks."),
	boolean("checker_log_all_failures", func(g *gd) *bool { return &g.CheckerLogAllFailures }, tierB, acts, "off", "Default of log_all_failures."),
	flag("enable_script_security", func(g *gd) *bool { return &g.EnableScriptSecurity }, tierA, acts, "off", "Do not run a script as root if someone else could change it."),
	custom("script_user", shapeWords, readScriptUser, tierA, acts, "keepalived_script if it exists", "User and optional group that scripts run as.").each(&entrySpec{first: []string{"user", "group"}}),
	boolean("use_symlink_paths", func(g *gd) *bool { return &g.UseSymlinkPaths }, tierC, moot, "off", "Run scripts by the path as written."),
	boolean("set_supplementary_groups", func(g *gd) *bool { return &g.SetSupplementaryGroups }, tierC, acts, "off", "Give scripts the other groups of their user."),
	flag("process_names", func(g *gd) *bool { return &g.ProcessNames }, tierC, moot, "off", "Rename keepalived's processes."),
	known[gd]("process_name", shapeWord, tierC, moot, "keepalived", "Name of keepalived's main process."),
	known[gd]("vrrp_process_name", shapeWord, tierC, moot, "", "Name of keepalived's VRRP process."),
	known[gd]("checker_process_name", shapeWord, tierC, moot, "", "Name of keepalived's checker process.").also("lvs_process_name"),
	known[gd]("bfd_process_name", shapeWord, tierC, moot, "", "Name of keepalived's BFD process."),
	command("startup_script", func(g *gd) *Command { return &g.StartupScript }, tierB, acts, "none", "Run before anything starts."),
	command("shutdown_script", func(g *gd) *Command { return &g.ShutdownScript }, tierB, acts, "none", "Run after everything has stopped."),
	seconds("startup_script_timeout", time.Second, 1000*time.Second, func(g *gd) *time.Duration { return &g.StartupScriptTimeout }, tierC, acts, "10", "Limit of startup_script."),
	seconds("shutdown_script_timeout", time.Second, 1000*time.Second, func(g *gd) *time.Duration { return &g.ShutdownScriptTimeout }, tierC, acts, "10", "Limit of shutdown_script."),
	custom("dynamic_interfaces", shapeWords, func(d *decoder, g *gd, n *node) {
		g.DynamicInterfaces = true
		if len(n.args) > 0 {
			_, g.DynamicInterfacesChange = d.enumArg(n, 0, []string{"allow_if_changes"})
		}
	}, tierA, acts, "always on in Holdfast", "Interfaces may be missing at start and come and go.").each(&entrySpec{options: []option{{"allow_if_changes", 0, ""}}}),
	text("default_interface", func(g *gd) *string { return &g.DefaultInterface }, tierB, acts, "eth0", "Interface of static addresses without dev."),
	flag("disable_local_igmp", func(g *gd) *bool { return &g.DisableLocalIGMP }, tierC, idle, "off", "No IGMP reports for link-local groups."),
	custom("lvs_timeouts", shapeWords, readLVSTimeouts, tierB, acts, "kernel's", "IPVS timeouts in seconds.").each(&entrySpec{options: []option{{"tcp", 1, "established TCP"}, {"tcpfin", 1, "TCP after FIN"}, {"udp", 1, "UDP"}}}),
	flag("lvs_flush", func(g *gd) *bool { return &g.LVSFlush }, tierA, acts, "off", "Empty the whole IPVS table at start, other people's services too."),
	boolean("manage_ipvs_sysctls", func(g *gd) *bool { return &g.ManageIPVSSysctls }, tierB, acts, "off", "Set the kernel so that UDP and persistent clients leave a dead server at once; put back at stop."),
	custom("lvs_flush_on_stop", shapeWords, func(d *decoder, g *gd, n *node) {
		g.LVSFlushOnStop = "all"
		if len(n.args) > 0 {
			if _, ok := d.enumArg(n, 0, []string{"VS"}); ok {
				g.LVSFlushOnStop = "vs"
			}
		}
	}, tierB, acts, "off", "At stop empty the whole table, or with VS delete virtual servers at once.").also("lvs_flush_onstop").each(&entrySpec{options: []option{{"VS", 0, ""}}}),
	custom("lvs_sync_daemon", shapeWords, readSyncDaemon, tierB, acts, "off", "Let the kernel copy IPVS connections to the peer.").each(&entrySpec{first: []string{"interface"},
		options: []option{{"inst", 1, "VRRP instance to follow"}, {"id", 1, "0 to 255"}, {"maxlen", 1, ""}, {"port", 1, ""}, {"ttl", 1, ""}, {"group", 1, "multicast group"}}, anyWord: true}),
	addr("vrrp_mcast_group4", func(g *gd) *netip.Addr { return &g.VRRPMcastGroup4 }, tierB, acts, "224.0.0.18", "Where IPv4 adverts go.").own(),
	addr("vrrp_mcast_group6", func(g *gd) *netip.Addr { return &g.VRRPMcastGroup6 }, tierB, acts, "ff02::12", "Where IPv6 adverts go.").own(),
	integer("vrrp_version", 2, 3, func(g *gd) *int { return &g.VRRPVersion }, tierA, acts, "2", "Default protocol version.").own(),
	seconds("vrrp_garp_master_delay", 0, intMax, func(g *gd) *time.Duration { return &g.GarpMasterDelay }, tierA, acts, "5", "Second gratuitous ARP burst after becoming master; 0 = none."),
	integer("vrrp_garp_master_repeat", 0, 1<<31-1, func(g *gd) *int { return &g.GarpMasterRepeat }, tierA, acts, "5", "Gratuitous ARPs per burst."),
	seconds("vrrp_garp_master_refresh", 0, intMax, func(g *gd) *time.Duration { return &g.GarpMasterRefresh }, tierA, acts, "0", "Repeat gratuitous ARPs while master; 0 = off."),
	integer("vrrp_garp_master_refresh_repeat", 0, 1<<31-1, func(g *gd) *int { return &g.GarpMasterRefreshRepeat }, tierB, acts, "1", "Gratuitous ARPs per refresh."),
	seconds("vrrp_garp_lower_prio_delay", 0, intMax, func(g *gd) *time.Duration { return &g.GarpLowerPrioDelay }, tierB, acts, "as vrrp_garp_master_delay", "Second burst after an advert of lower priority."),
	integer("vrrp_garp_lower_prio_repeat", 0, 1<<31-1, func(g *gd) *int { return &g.GarpLowerPrioRepeat }, tierB, acts, "as vrrp_garp_master_repeat", "Gratuitous ARPs after an advert of lower priority."),
	seconds("vrrp_garp_interval", 0, longest, func(g *gd) *time.Duration { return &g.GarpInterval }, tierB, acts, "0", "Shortest gap between gratuitous ARPs on one interface."),
	seconds("vrrp_gna_interval", 0, longest, func(g *gd) *time.Duration { return &g.GnaInterval }, tierB, acts, "0", "Shortest gap between unsolicited neighbour advertisements on one interface."),
	boolean("vrrp_min_garp", func(g *gd) *bool { return &g.MinGarp }, tierB, acts, "off", "One gratuitous ARP, no second burst, no refresh."),
	custom("vrrp_garp_extra_if", shapeWords, func(d *decoder, g *gd, n *node) { g.GarpExtraIfAll, g.GarpExtraIf = d.extraIf(n, time.Second) }, tierC, acts, "0", "Gratuitous ARP on other interfaces too, this often.").also("vrrp_vmac_garp_intvl").clocked(),
	integer("vrrp_down_timer_adverts", 1, 100, func(g *gd) *int { return &g.DownTimerAdverts }, tierB, acts, "3", "Adverts that may be missed before a takeover.").own(),
	tri("vrrp_lower_prio_no_advert", func(g *gd) *Tri { return &g.LowerPrioNoAdvert }, tierB, acts, "off", "Do not answer an advert of lower priority.").own(),
	tri("vrrp_higher_prio_send_advert", func(g *gd) *Tri { return &g.HigherPrioSendAdvert }, tierB, acts, "off", "Send one more advert when giving way.").own(),
	tri("vrrp_owner_ignore_adverts", func(g *gd) *Tri { return &g.OwnerIgnoreAdverts }, tierC, acts, "off", "An owner (priority 255) ignores adverts.").own(),
	flag("vrrp_check_unicast_src", func(g *gd) *bool { return &g.CheckUnicastSrc }, tierB, acts, "off", "Drop unicast adverts that are not from a peer.").own(),
	boolean("vrrp_skip_check_adv_addr", func(g *gd) *bool { return &g.SkipCheckAdvAddr }, tierA, acts, "off", "Do not compare the address list of the master's adverts again."),
	flag("vrrp_strict", func(g *gd) *bool { return &g.Strict }, tierA, acts, "off", "Keep to the RFC: no authentication, no unicast, no_accept.").own(),
	boolean("v3_checksum_as_v2", func(g *gd) *bool { return &g.V3ChecksumAsV2 }, tierC, acts, "off", "Version 3 checksum without the pseudo header.").own().passed(),
	integer("vrrp_priority", -20, 19, func(g *gd) *int { return &g.VRRPPriority }, tierB, acts, "-20", "Nice value of the router; without the keyword -20 if it may and was started with 0."),
	integer("checker_priority", -20, 19, func(g *gd) *int { return &g.CheckerPriority }, tierB, idle, "0", "Nice value of the balancer."),
	integer("bfd_priority", -20, 19, func(g *gd) *int { return &g.BFDPriority }, tierB, moot, "0", "Nice value of keepalived's BFD process."),
	flag("vrrp_no_swap", func(g *gd) *bool { return &g.VRRPNoSwap }, tierB, acts, "off", "Keep the router in memory."),
	flag("checker_no_swap", func(g *gd) *bool { return &g.CheckerNoSwap }, tierB, idle, "off", "Keep the balancer in memory."),
	flag("bfd_no_swap", func(g *gd) *bool { return &g.BFDNoSwap }, tierB, moot, "off", "Keep keepalived's BFD process in memory."),
	integer("vrrp_rt_priority", 1, 99, func(g *gd) *int { return &g.VRRPRTPriority }, tierB, acts, "off", "Real-time priority of the router; without any keyword about priorities 1 where an instance sends adverts every 100 ms or more often."),
	integer("checker_rt_priority", 1, 99, func(g *gd) *int { return &g.CheckerRTPriority }, tierB, idle, "off", "Real-time priority of the balancer."),
	integer("bfd_rt_priority", 1, 99, func(g *gd) *int { return &g.BFDRTPriority }, tierB, moot, "off", "Real-time priority of keepalived's BFD process."),
	custom("vrrp_cpu_affinity", shapeWords, func(d *decoder, g *gd, n *node) {
		for k := range n.args {
			if v, ok := d.intArg(n, k, 0, 1023); ok {
				g.VRRPCPUs = append(g.VRRPCPUs, int(v))
			}
		}
	}, tierC, acts, "all", "CPUs of the router."),
	known[gd]("checker_cpu_affinity", shapeWords, tierC, idle, "all", "CPUs of the balancer."),
	known[gd]("bfd_cpu_affinity", shapeWords, tierC, moot, "all", "CPUs of keepalived's BFD process."),
	known[gd]("vrrp_rlimit_rttime", shapeWord, tierC, moot, "10000", "Limit of keepalived's real-time runs.").also("vrrp_rlimit_rtime"),
	known[gd]("checker_rlimit_rttime", shapeWord, tierC, moot, "10000", "Limit of keepalived's real-time runs.").also("checker_rlimit_rtime"),
	known[gd]("bfd_rlimit_rttime", shapeWord, tierC, moot, "10000", "Limit of keepalived's real-time runs.").also("bfd_rlimit_rtime"),
	custom("max_auto_priority", shapeWords, func(d *decoder, g *gd, n *node) {
		g.MaxAutoPriority = 99
		if len(n.args) > 0 {
			if v, ok := d.intArg(n, 0, -1, 99); ok {
				g.MaxAutoPriority = int(v)
			}
		}
	}, tierB, acts, "0", "Raise the real-time priority when timers run late, up to this; 0 and -1: never."),
	timed("min_auto_priority_delay", time.Microsecond, usec, 10*time.Second, func(g *gd) *time.Duration { return &g.MinAutoPriorityDelay }, tierC, acts, "1000000", "How late counts as late, in microseconds."),
	fifo("notify_fifo", func(g *gd) *FIFO { return &g.NotifyFIFO }, "Named pipe for every event."),
	fifo("vrrp_notify_fifo", func(g *gd) *FIFO { return &g.VRRPNotifyFIFO }, "Named pipe for VRRP events."),
	fifo("lvs_notify_fifo", func(g *gd) *FIFO { return &g.LVSNotifyFIFO }, "Named pipe for virtual and real server events."),
	command("notify_fifo_script", func(g *gd) *Command { return &g.NotifyFIFOScript }, tierB, acts, "none", "Program that reads notify_fifo; its path is the last argument."),
	command("vrrp_notify_fifo_script", func(g *gd) *Command { return &g.VRRPFIFOScript }, tierB, acts, "none", "Program that reads vrrp_notify_fifo."),
	command("lvs_notify_fifo_script", func(g *gd) *Command { return &g.LVSFIFOScript }, tierB, acts, "none", "Program that reads lvs_notify_fifo."),
	boolean("vrrp_notify_priority_changes", func(g *gd) *bool { return &g.NotifyPriorityChanges }, tierB, acts, "off", "Tell scripts and pipes about every change of the effective priority."),
	flag("fifo_write_vrrp_states_on_reload", func(g *gd) *bool { return &g.FIFOWriteStatesOnReload }, tierB, acts, "off", "Write every state to the pipes again after a reload."),
	seconds("vrrp_startup_delay", time.Millisecond, intMax, func(g *gd) *time.Duration { return &g.StartupDelay }, tierA, acts, "0", "After start ignore adverts and delay all timers.").own(),
	seconds("vrrp_delay_after_boot", 0, intMax, func(g *gd) *time.Duration { return &g.DelayAfterBoot }, tierC, acts, "0", "The same, counted from the machine's boot; the later of the two counts.").own(),
	flag("log_unknown_vrids", func(g *gd) *bool { return &g.LogUnknownVRIDs }, tierC, idle, "off", "Log adverts of unknown virtual routers."),
	custom("vrrp_iptables", shapeWords, func(_ *decoder, g *gd, _ *node) { g.VRRPIPTables = true }, tierC, moot, "", "Use iptables; Holdfast uses nftables."),
	known[gd]("vrrp_ipsets", shapeWords, tierC, moot, "", "Use ipsets; Holdfast uses nftables."),
	custom("nftables", shapeWords, func(_ *decoder, g *gd, n *node) { g.NFTables, g.NFTablesTable = true, n.text(0) }, tierC, moot, "keepalived", "Use nftables in a table of this name; Holdfast's is holdfast_vrrp."),
	known[gd]("nftables_priority", shapeWord, tierC, idle, "-1", "Priority of the chains."),
	known[gd]("nftables_ifindex", shapeFlag, tierC, moot, "off", "Match interfaces by number."),
	known[gd]("nftables_counters", shapeFlag, tierC, idle, "off", "Counters in the rules."),
	custom("nftables_ipvs", shapeWords, func(_ *decoder, g *gd, n *node) { g.NFTablesIPVS, g.NFTablesIPVSTable = true, n.text(0) }, tierC, idle, "keepalived_ipvs", "One firewall mark for each virtual_server_group."),
	known[gd]("nftables_ipvs_priority", shapeWord, tierC, idle, "-1", "Priority of its chain."),
	integer("nftables_ipvs_start_fwmark", 1, 1<<32-1, func(g *gd) *uint32 { return &g.NFTablesIPVSStartFwmark }, tierC, idle, "1000", "First firewall mark."),
	text("vmac_prefix", func(g *gd) *string { return &g.VMACPrefix }, tierC, acts, "vrrp", "Prefix of VMAC interface names."),
	text("vmac_addr_prefix", func(g *gd) *string { return &g.VMACAddrPrefix }, tierC, acts, "as vmac_prefix", "Prefix of the VMAC interfaces of addresses."),
	known[gd]("vrrp_netlink_cmd_rcv_bufs", shapeWord, tierC, moot, "", "Socket buffer."),
	known[gd]("vrrp_netlink_monitor_rcv_bufs", shapeWord, tierC, moot, "", "Socket buffer."),
	known[gd]("lvs_netlink_cmd_rcv_bufs", shapeWord, tierC, moot, "", "Socket buffer."),
	known[gd]("lvs_netlink_monitor_rcv_bufs", shapeWord, tierC, moot, "", "Socket buffer."),
	known[gd]("process_monitor_rcv_bufs", shapeWord, tierC, moot, "", "Socket buffer."),
	known[gd]("vrrp_netlink_cmd_rcv_bufs_force", shapeBool, tierC, moot, "", "Force the buffer size."),
	known[gd]("vrrp_netlink_monitor_rcv_bufs_force", shapeBool, tierC, moot, "", "Force the buffer size."),
	known[gd]("lvs_netlink_cmd_rcv_bufs_force", shapeBool, tierC, moot, "", "Force the buffer size."),
	known[gd]("lvs_netlink_monitor_rcv_bufs_force", shapeBool, tierC, moot, "", "Force the buffer size."),
	known[gd]("process_monitor_rcv_bufs_force", shapeBool, tierC, moot, "", "Force the buffer size."),
	known[gd]("vrrp_rx_bufs_policy", shapeWords, tierC, moot, "", "Size of VRRP receive buffers."),
	known[gd]("vrrp_rx_bufs_multiplier", shapeWord, tierC, moot, "3", "Factor of that size."),
	flag("rs_init_notifies", func(g *gd) *bool { return &g.RSInitNotifies }, tierB, acts, "off", "Run notify_up and notify_down for the first state too."),
	known[gd]("snmp_socket", shapeWord, tierC, idle, "", "AgentX socket."),
	known[gd]("enable_traps", shapeFlag, tierC, idle, "off", "SNMP traps."),
	flag("enable_snmp_vrrp", func(g *gd) *bool { return &g.EnableSNMPVRRP }, tierC, idle, "off", "SNMP for VRRP.").also("enable_snmp_keepalived"),
	flag("enable_snmp_rfc", func(g *gd) *bool { return &g.EnableSNMPRFC }, tierC, idle, "off", "Both RFC MIBs."),
	known[gd]("enable_snmp_rfcv2", shapeFlag, tierC, idle, "off", "VRRP-MIB."),
	known[gd]("enable_snmp_rfcv3", shapeFlag, tierC, idle, "off", "VRRPv3-MIB."),
	flag("enable_snmp_checker", func(g *gd) *bool { return &g.EnableSNMPChecker }, tierC, idle, "off", "SNMP for virtual servers."),
	known[gd]("snmp_vs_stats_update_interval", shapeWord, tierC, idle, "5", "Age of SNMP statistics."),
	known[gd]("snmp_rs_stats_update_interval", shapeWord, tierC, idle, "5", "Age of SNMP statistics."),
	flag("enable_dbus", func(g *gd) *bool { return &g.EnableDBus }, tierC, idle, "off", "D-Bus interface."),
	text("dbus_service_name", func(g *gd) *string { return &g.DBusServiceName }, tierC, idle, "org.keepalived.Vrrp1", "D-Bus name."),
	known[gd]("dbus_no_interface_name", shapeWord, tierC, idle, "none", "Name in D-Bus paths of instances without interface."),
	custom("umask", shapeWords, readUmask, tierC, idle, "0177", "Mode bits that dump files do not get."),
	known[gd]("random_seed", shapeWord, tierC, moot, "time", "Seed of random numbers."),
	custom("reload_check_config", shapeWords, func(_ *decoder, g *gd, n *node) { g.ReloadCheckConfig, g.ReloadCheckConfigLog = true, n.text(0) }, tierA, moot, "always on in Holdfast", "Check the file before a reload."),
	known[gd]("reload_time_file", shapeWord, tierC, idle, "none", "File with the time of the next reload."),
	known[gd]("reload_repeat", shapeFlag, tierC, idle, "off", "Reload daily."),
	custom("reload_file", shapeWords, func(_ *decoder, g *gd, n *node) {
		g.ReloadFile = "/run/keepalived.reload"
		if len(n.args) > 0 {
			g.ReloadFile = n.text(0)
		}
	}, tierC, acts, "none", "File that exists while the configuration is read at a reload: created or emptied before, removed after."),
	known[gd]("config_save_dir", shapeWord, tierC, idle, "none", "Keep a copy of what was read."),
	known[gd]("tmp_config_directory", shapeWord, tierC, moot, "", "Where keepalived keeps its copy of the file."),
	text("state_dump_file", func(g *gd) *string { return &g.StateDumpFile }, tierB, acts, "/tmp/keepalived.data", "Where SIGUSR1 writes."),
	text("stats_dump_file", func(g *gd) *string { return &g.StatsDumpFile }, tierB, acts, "/tmp/keepalived.stats", "Where SIGUSR2 writes."),
	text("json_dump_file", func(g *gd) *string { return &g.JSONDumpFile }, tierB, acts, "/tmp/keepalived.json", "Where signal 36 writes."),
	boolean("data_use_instance", func(g *gd) *bool { return &g.DataUseInstance }, tierC, idle, "off", "Instance name in dump file names."),
	integer("json_version", 1, 2, func(g *gd) *int { return &g.JSONVersion }, tierB, acts, "1", "Form of the JSON dump."),
	known[gd]("iproute_usr_dir", shapeWord, tierC, moot, "", "Where rt_tables is."),
	known[gd]("iproute_etc_dir", shapeWord, tierC, moot, "", "Where rt_tables is."),
	known[gd]("lvs_id", shapeWord, tierC, gone, "", "Old name of router_id.").say("lvs_id is from keepalived 1.0: use router_id"),
	seconds("transition_window", 0, hour24, func(g *gd) *time.Duration { return &g.TransitionWindow }, tierC, acts, "60", "Holdfast: how long the former form of adverts is sent and accepted besides after a reload that changes authentication, version, transport or peers; 0 = not at all."),
	custom("forward_check_marks", shapeWords, func(d *decoder, g *gd, n *node) {
		first, ok := d.intArg(n, 0, 1, 1<<32-1)
		if !ok {
			return
		}
		last, ok := d.intArg(n, 1, 1, 1<<32-1)
		if !ok {
			return
		}
		d.extra(n, 2)
		if last < first {
			d.word(n, n.arg(1), Error, "bad-value", "write the lower mark first", "the range of marks ends before it begins")
			return
		}
		g.ForwardMarks = MarkRange{First: uint32(first), Last: uint32(last)}
	}, tierC, acts, "1212547072 1212612607", "Firewall marks, FIRST LAST, that check_via forward may use.").each(&entrySpec{first: []string{"first", "last"}}),
	seconds("balancer_down_fault", 0, hour24, func(g *gd) *time.Duration { return &g.BalancerDownFault }, tierC, acts, "30", "Holdfast: how long an instance stays master without a working balancer; 0 = for ever."),
})

func fifo(name string, f func(*gd) *FIFO, doc string) row[gd] {
	return custom(name, shapeWords, func(d *decoder, g *gd, n *node) {
		if v, ok := d.wordArg(n, 0); ok {
			*f(g) = FIFO{Path: v, User: n.text(1), Group: n.text(2), Pos: n.pos()}
			d.extra(n, 3)
			if !strings.HasPrefix(v, "/") {
				d.word(n, n.arg(0), Warning, "relative-path", "write an absolute path", "%q is not an absolute path", clip(v))
			}
		}
	}, tierA, acts, "none", doc).each(&entrySpec{first: []string{"path", "user", "group"}})
}

func readSMTPServer(d *decoder, g *gd, n *node) {
	host, ok := d.wordArg(n, 0)
	if !ok {
		return
	}
	g.SMTPServer, g.SMTPPort = host, 25
	if len(n.args) > 1 {
		if v, ok := d.number(n, n.arg(1), 1, 65535); ok {
			g.SMTPPort = uint16(v)
		}
	}
	d.extra(n, 2)
}

func readScriptUser(d *decoder, g *gd, n *node) {
	u, ok := d.wordArg(n, 0)
	if !ok {
		return
	}
	g.ScriptUser, g.ScriptGroup = u, n.text(1)
	d.extra(n, 2)
	d.account(n)
}

func readLVSTimeouts(d *decoder, g *gd, n *node) {
	for i := 0; i < len(n.args); i += 2 {
		var to *time.Duration
		switch n.args[i].text {
		case "tcp":
			to = &g.LVSTimeoutTCP
		case "tcpfin":
			to = &g.LVSTimeoutTCPFin
		case "udp":
			to = &g.LVSTimeoutUDP
		default:
			d.word(n, n.arg(i), Error, "bad-value", "write lvs_timeouts tcp 900 tcpfin 120 udp 300", "lvs_timeouts does not know %q", clip(n.args[i].text))
			return
		}
		if !d.need(n, i+1) {
			return
		}
		if v, ok := d.number(n, n.arg(i+1), 1, 2147483); ok {
			*to = time.Duration(v) * time.Second
		}
	}
}

func readSyncDaemon(d *decoder, g *gd, n *node) {
	dev, ok := d.wordArg(n, 0)
	if !ok {
		return
	}
	s := LVSSyncDaemon{Interface: dev, ID: -1, Pos: n.pos()}
	positional := 0
	for i := 1; i < len(n.args); i++ {
		w := n.arg(i)
		num := func(min, max int64) int64 {
			i++
			if !d.need(n, i) {
				return 0
			}
			v, _ := d.number(n, n.arg(i), min, max)
			return v
		}
		switch w.text {
		case "inst":
			i++
			s.Instance, _ = d.wordArg(n, i)
		case "id":
			s.ID = int(num(0, 255))
		case "maxlen":
			s.MaxLen = int(num(1, 65507))
		case "port":
			s.Port = uint16(num(1, 65535))
		case "ttl":
			s.TTL = int(num(1, 255))
		case "group":
			i++
			s.Group, _ = d.addrArg(n, i)
		default:
			switch {
			case positional == 0 && s.Instance == "":
				s.Instance = w.text
			case s.ID < 0:
				v, _ := d.number(n, w, 0, 255)
				s.ID = int(v)
			default:
				d.word(n, w, Error, "bad-value", "the words are inst, id, maxlen, port, ttl, group", "lvs_sync_daemon does not know %q", clip(w.text))
			}
			positional++
		}
	}
	g.LVSSync = s
}

func readUmask(d *decoder, g *gd, n *node) {
	v, ok := d.wordArg(n, 0)
	if !ok {
		return
	}
	bits := map[string]int{"S_IXUSR": 0o100, "S_IWUSR": 0o200, "S_IRUSR": 0o400, "S_IXGRP": 0o10, "S_IWGRP": 0o20, "S_IRGRP": 0o40, "S_IXOTH": 1, "S_IWOTH": 2, "S_IROTH": 4,
		"S_IRWXU": 0o700, "S_IRWXG": 0o70, "S_IRWXO": 7}
	mask := 0
	if v[:min(1, len(v))] >= "0" && v[:min(1, len(v))] <= "9" {
		for _, c := range []byte(v) {
			if c < '0' || c > '7' || mask > 0o777 {
				d.word(n, n.arg(0), Error, "bad-number", "write an octal number such as 0177", "umask %q is not an octal number up to 0777", clip(v))
				return
			}
			mask = mask<<3 | int(c-'0')
		}
		g.Umask = mask
		return
	}
	for i := range n.args {
		for _, part := range strings.FieldsFunc(n.args[i].text, func(c rune) bool { return c == '|' }) {
			b, ok := bits[part]
			if !ok {
				d.word(n, n.arg(i), Error, "bad-value", "write an octal number such as 0177", "umask does not know %q", clip(part))
				return
			}
			mask |= b
		}
	}
	g.Umask = mask
}

// extraIf reads [all] SECONDS.
func (d *decoder) extraIf(n *node, min time.Duration) (all bool, t time.Duration) {
	i := 0
	if n.text(0) == "all" {
		all, i = true, 1
	}
	t, _ = d.timeArg(n, i, time.Second, min, hour24)
	return all, t
}

// account warns of a user and a group that this machine has not got.
func (d *decoder) account(n *node) {
	if user := n.text(0); d.host.UserExists != nil && !d.host.UserExists(user) {
		d.word(n, n.arg(0), Warning, "no-such-user", "create the account, or name another one", "there is no user %q on this machine", clip(user))
	}
	if group := n.text(1); group != "" && d.host.GroupExists != nil && !d.host.GroupExists(group) {
		d.word(n, n.arg(1), Warning, "no-such-group", "create the group, or name another one", "there is no group %q on this machine", clip(group))
	}
}

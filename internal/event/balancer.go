package event

// What the balancer tells about itself, the configuration and operators' requests.
var (
	LogLost = define("log.lost", Warn, "log lines were lost",
		"The reader of the log (journald, a pipe) did not read for a while and these lines found no room, or the file or the system log refused them (a full disk). Nothing else waited for it.", "lines")
	DaemonStarted = define("daemon.started", Info, "holdfast started",
		"A process of the daemon starts.", "process", "version", "pid", "config", "run_dir")
	DaemonStopped = define("daemon.stopped", Info, "holdfast stopped",
		"The process has let go of what it owned and ends.", "process", "reason")
	DaemonBeside = define("daemon.beside_keepalived", Warn, "keepalived runs here too",
		"Told at the start: two daemons that own the same address or fill the same IPVS table fight. Stop and disable one of them.", "pid", "hint")
	DaemonFailed = define("daemon.failed", Error, "holdfast cannot run",
		"The daemon ends because of this error: at the start nothing was changed.", "error", "hint")
	DaemonReady = define("daemon.ready", Info, "this director can serve",
		"The first reconcile is done and every check ran once; a better router may take over from now on.", "virtual_servers", "checks", "after")
	DaemonLasting = define("daemon.no_ipvs", Error, "this director cannot balance",
		"The kernel has no IPVS or refuses it. VRRP runs, but a living MASTER is left alone. Load the module ip_vs (modprobe ip_vs), then reload.", "reason")
	ConfigLoaded = define("config.loaded", Info, "configuration in force",
		"A configuration was read, checked and applied, at the start or by a reload.", "file", "generation", "instances", "virtual_servers", "checks", "changes")
	ConfigRejected = define("config.rejected", Error, "configuration refused",
		"The file has errors. At a reload nothing changes and what ran before runs on. 'holdfast check FILE' shows all of them.", "file", "position", "error", "hint", "errors")
	ConfigWarning = define("config.warning", Warn, "configuration is accepted, but",
		"A keyword is unknown, has no effect or means less than one may think.", "position", "warning", "hint")
	ConfigBlocked = define("config.blocked", Error, "left out until its configuration is mended",
		"The configuration has an error because of which this instance stays in FAULT, or this virtual server is not balanced; the rest of the file runs.", "instance", "position", "error", "hint")
	ConfigLastGood = define("config.last_good", Warn, "the last good configuration goes on",
		"The balancer was started anew while the file has errors: what ran before runs on, as it would have without the restart. Mend the file and reload.", "file")
	ConfigReload = define("config.reload", Info, "reload requested",
		"SIGHUP or 'holdfast reload'.", "by")
	ConfigChange = define("config.change", Info, "the reload changes",
		"One operation of the list that 'holdfast plan OLD NEW' shows for this reload.", "operation", "object", "consequence")
	ConfigUnchanged = define("config.unchanged", Info, "reload without changes",
		"The file says what already runs; nothing was written anywhere.", "file", "generation")
	ConfigProblem = define("config.problem", Warn, "part of the configuration waits for something",
		"The router applied the configuration but this part of it cannot act yet (interface missing, for instance). It heals by itself.", "problem")
	RouterLost = define("daemon.router_lost", Error, "the router process is gone",
		"The balancer touches nothing, waits for a new router, and releases the recorded addresses if none comes in time.", "error")
	RouterReleased = define("daemon.released", Warn, "addresses of a dead router released",
		"No router came back before the master-down interval had passed; its addresses were removed, because an address without advertisements is worse than none.", "addresses", "error")
	StateUnreadable = define("daemon.state", Warn, "a state file could not be used",
		"Verdicts or operators' intent of an earlier run were not read or written; checks start anew.", "file", "error")
	ControlRefused = define("control.refused", Warn, "request on the control socket refused",
		"A request was too long, not understood, or failed.", "request", "error")
	OperatorDrain = define("operator.drain", Info, "operator changed what a real server gets",
		"'holdfast drain' or 'holdfast undrain'. The intent is kept over restarts.", "virtual_server", "real_server", "state", "by")
	OperatorHandover = define("operator.handover", Info, "operator asked for a hand-over",
		"'holdfast handover': the instance gives its addresses to a successor, or takes the wish back.", "instance", "by", "error")
	ScriptRan = define("daemon.script", Info, "startup or shutdown script has run",
		"startup_script runs before anything else at the start, shutdown_script after everything has stopped; what they answer changes nothing.", "script", "command", "result", "ok")
	DumpWritten = define("daemon.dump", Debug, "dump files written",
		"A signal that keepalived's exporters use (USR1, USR2, 36, 63) was received, as it is every few seconds.", "kind", "files")
	DumpFailed = define("daemon.dump_failed", Warn, "dump files not written",
		"A signal that keepalived's exporters use was received, and the files they read could not be written: they show what is old, or nothing.", "kind", "files", "error")
	EventsLost = define("daemon.events_lost", Warn, "events of the router were lost",
		"The balancer did not read for a while; a fresh snapshot of all instances followed.", "events")
)

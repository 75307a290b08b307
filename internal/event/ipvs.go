package event

// What the owner of IPVS tells, and what happens to a pool.
var (
	IPVSApplied = define("ipvs.apply", Info, "IPVS changed",
		"Operations were written to the kernel because of a verdict, a reload, the start or a person. failed counts those that the kernel refused; each has its own ipvs.failed line.",
		"cause", "pool", "services", "operations", "failed", "ms")
	IPVSAdopted = define("ipvs.adopted", Info, "IPVS tables found and kept",
		"At start services of this configuration were there already; what differed was changed in place. left counts services of other owners, which stay untouched.",
		"services", "servers", "left")
	IPVSRepaired = define("ipvs.repaired", Warn, "IPVS differed from what it should hold and was repaired",
		"Somebody else changed the tables: twice in a row the read-back showed the same difference. first is the first operation that repaired it.",
		"services", "operations", "first")
	IPVSOverride = define("ipvs.override", Warn, "a weight set by hand is kept",
		"Somebody changed the weight of a server in the kernel. It stays until the next verdict on that server, a reload or `holdfast reconcile`.",
		"service", "server", "weight", "wanted")
	IPVSContended = define("ipvs.contended", Error, "another program keeps changing a service of ours",
		"The same service was repaired three times within a minute. Repairs of it pause; find and stop the other writer. writers names programs that run here and write to IPVS.",
		"service", "repairs", "pause", "writers")
	IPVSMissing = define("ipvs.missing", Error, "the kernel offers no IPVS",
		"The module is not there, or the kernel refuses or does not answer; hint says what to do. It is looked for again every few seconds; VRRP goes on.",
		"error", "hint")
	IPVSBack = define("ipvs.back", Info, "the kernel offers IPVS again",
		"After ipvs.missing: the tables are being filled.", "after")
	IPVSFailed = define("ipvs.failed", Error, "the kernel refused an operation",
		"It is tried again every few seconds. Logged once for the same operation and error.", "operation", "error")
	IPVSFullNAT = define("ipvs.fullnat", Info, "FULLNAT table written",
		"The owned nftables table was created, changed, restored or removed.", "rules", "cause")
	IPVSSysctl = define("ipvs.sysctl", Info, "sysctl set",
		"A kernel setting that the configuration needs was changed, or put back at stop because it was still ours.", "name", "from", "to", "why")
	IPVSSync = define("ipvs.sync", Info, "connection synchronisation daemon changed",
		"The kernel's daemon of that role was started or stopped.", "role", "interface", "id", "action")
	IPVSStopped = define("ipvs.stopped", Info, "IPVS released",
		"At stop the services of this configuration were removed, or kept on request.", "services", "kept")

	PoolServerUp = define("pool.server_up", Info, "real server up",
		"Every check of the server passes; it serves with this weight.", "pool", "server", "address", "weight")
	PoolServerDown = define("pool.server_down", Warn, "real server down",
		"A check of the server fails; it left the table, or has weight 0 with inhibit_on_failure.", "pool", "server", "address", "weight")
	PoolServerAdded = define("pool.server_added", Info, "real server added",
		"A new configuration has it.", "pool", "server", "address", "weight")
	PoolServerRemoved = define("pool.server_removed", Info, "real server removed",
		"A new configuration has it no more, and it has finished draining where that was asked for.", "pool", "server", "address")
	PoolWeight = define("pool.weight", Info, "weight changed",
		"By a check, the configuration or a person.", "pool", "server", "address", "from", "to")
	PoolQuorumGained = define("pool.quorum_gained", Info, "quorum gained",
		"The total weight of the servers up reached quorum plus hysteresis.", "pool", "sum", "threshold")
	PoolQuorumLost = define("pool.quorum_lost", Error, "quorum lost",
		"The total weight of the servers up is 0 or fell below quorum minus hysteresis.", "pool", "sum", "threshold")
	PoolSorryOn = define("pool.sorry_on", Warn, "sorry server serves",
		"The quorum is lost; the real servers left the table.", "pool", "address")
	PoolSorryOff = define("pool.sorry_off", Info, "sorry server stopped serving",
		"The quorum is back.", "pool", "address")
	PoolDrainStarted = define("pool.drain", Info, "server drains",
		"It gets no new connections.", "pool", "server", "address")
	PoolDrainEnded = define("pool.undrain", Info, "drain ended",
		"The server serves again.", "pool", "server", "address")
	PoolDrained = define("pool.drained", Info, "server drained",
		"No connection is left, or the time is up; the server left the table. connections were cut.", "pool", "server", "address", "connections")
	PoolPanicOn = define("pool.panic", Error, "too many servers failed at once: failed servers keep serving",
		"Fewer than panic_threshold percent of the servers are up. Look for what the checks have in common.", "pool", "up_percent", "threshold")
	PoolPanicOff = define("pool.panic_off", Info, "enough servers are up again", "The panic threshold is reached again.", "pool", "up_percent", "threshold")
)

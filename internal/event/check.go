package event

// What the checks of real servers tell. check is the kind of check (keepalived's keyword), target what it asks, reason one word of
// a fixed list (docs/checks.md), detail what was seen.
var (
	CheckUp = define("check.up", Info, "check passes",
		"A check of a real server that was down passes. The server serves when all its checks do (pool.server_up).",
		"virtual_server", "real_server", "check", "target", "down_for", "latency")
	CheckDown = define("check.down", Warn, "check fails",
		"A check of a real server failed as often as its retries allow; the server leaves the table (pool.server_down).",
		"virtual_server", "real_server", "check", "target", "reason", "detail", "attempts", "up_for")
	CheckBegan = define("check.began", Debug, "check begins",
		"A check is new, or a reload gave it another state. up is what it starts with.",
		"virtual_server", "real_server", "check", "target", "up")
	CheckFailed = define("check.failed", Info, "attempt of a check failed",
		"Only with log_all_failures, and for the first attempt of a check with alpha. The check's state did not change; at attempt = of it goes down.",
		"virtual_server", "real_server", "check", "target", "reason", "detail", "attempt", "of")
	CheckWeight = define("check.weight", Info, "real server asks for another weight",
		"A program with misc_dynamic, an agent, a tracked file or an HTTP header said so. mode is absolute, percent, added or drain; none: the configured weight.",
		"virtual_server", "real_server", "check", "target", "mode", "value")
	CheckPanic = define("check.panic", Error, "a check's own code failed",
		"A fault of Holdfast, contained: the attempt counts as failed and all else goes on. Please report it with this line.",
		"check", "target", "detail")
	CheckLocalFault = define("check.local_fault", Error, "every check fails on this director's own side",
		"No route, source address gone, no file descriptors or processes, or nobody on the network answers: look at this director, not at the servers. "+
			"The attempts count as failed: a server that cannot be reached from here must not get connections from here.",
		"reason", "detail", "checks")
	CheckLocalFaultOver = define("check.local_fault_over", Info, "checks work again on this director's side",
		"After check.local_fault: at least one check gets as far as its server.", "checks")
	CheckWarning = define("check.warning", Warn, "check warns",
		"Something needs attention, whether or not the check passes: a certificate ends soon, or no weight can be read where one is expected.",
		"virtual_server", "real_server", "check", "target", "warning")
	CheckFlapping = define("check.flapping", Warn, "check changes too often and is held down",
		"It went down as often as its damping allows; it stays down for the hold time, then until it passes.",
		"virtual_server", "real_server", "check", "target", "detail")
	CheckLate = define("check.late", Warn, "checks start late",
		"More attempts are wanted at once than may run. waiting is how many wait. Told at most once a minute; the metric of lateness tells how late.",
		"waiting", "detail")
)

package event

// What the router tells about itself and its neighbourhood.
var (
	RouterAdopted = define("router.adopted", Info, "continuing what the former router did",
		"After a crash or a kill the new router took over the state of the old one: no transition, the addresses stayed.", "instances", "masters", "age")
	RouterNotAdopted = define("router.not_adopted", Warn, "not continuing what the former router did",
		"State of a former router was found but not believed (too old, another boot, another interface ...); its addresses are removed and the instance starts from INIT.", "instance", "reason")
	RouterRunDir = define("router.run_dir", Warn, "the run directory is not on tmpfs",
		"Stamps of life then go through a disk and may be late: adoption after a crash is less certain. Use a run directory below /run.", "run_dir")
	RouterReady = define("router.ready", Debug, "configuration is in force",
		"The configuration reached the state machines and what it holds in the kernel was done; problems are states that heal.", "generation", "instances", "problems")
	RouterStop = define("router.stop", Info, "stopping",
		"The router was asked to end: it hands over, then lets go.", "reason")
	RouterStopped = define("router.stopped", Debug, "stopped", "Nothing of the daemon is left in the kernel, except for what errors named.", "seconds")
	RouterPanic   = define("router.panic", Error, "a mistake in the program, starting again in place",
		"The router's loop panicked and runs itself anew in the same process, adopting its own state. Report it with the stack.", "error", "stack")
	RouterPriorityRaised = define("router.priority_raised", Warn, "timers are late: the real-time priority is raised",
		"max_auto_priority asks for it. The machine has too little time for the router.", "priority", "late")
	RouterTimerLate = define("router.timer_late", Warn, "a timer fired late",
		"The process did not run for longer than half an advertisement interval: the machine is overloaded, was suspended or the process was stopped. The cause is what the kernel's counters say.", "late", "cause")
	RouterSockets = define("router.sockets", Warn, "VRRP sockets are not all open", "Some interface refuses a socket; tried again when interfaces change and every few seconds.", "error")
	RouterKernel  = define("router.kernel", Error, "the kernel refused a change",
		"An address could not be added or removed. The router tries again with the next refresh.", "owner", "error")
	BalancerStarted = define("router.balancer_started", Info, "balancer started", "The second process of the daemon runs.", "pid")
	BalancerLost    = define("router.balancer_lost", Warn, "balancer lost",
		"The second process ended; IPVS stays as it was, VRRP goes on, and it is started again.", "reason", "restart_in")
	BalancerHangs = define("router.balancer_hangs", Warn, "balancer does not answer",
		"Nothing was heard from the second process; it is killed and started again if that lasts.", "silent")
)

package event

// What VRRP tells.
var (
	Transition = define("vrrp.transition", Info, "VRRP state changed",
		"An instance moved between INIT, BACKUP, MASTER and FAULT; reason says why.", "instance", "from", "to", "priority", "reason").warnWhen("to", "FAULT")
	AdvertRefused = define("vrrp.refused", Warn, "advertisement refused",
		"A packet was dropped, with the reason. Logged when first seen from that sender and then every 100th time; again as new after adverts of its were accepted and none refused for 5 intervals (at least 5 s), or 10 minutes of quiet.", "instance", "interface", "sender", "priority", "reason", "detail", "count")
	AddressRestored = define("vrrp.address_restored", Warn, "address was taken away and put back",
		"Somebody removed an address this router holds. It was added and announced again; find out who does it.", "instance", "interface", "address")
	AddressDenied = define("vrrp.address_denied", Error, "the kernel refuses a virtual address",
		"This MASTER serves without it: clients of that address reach nobody. It is tried again every 5 s; an instance without any address gives way (FAULT). The reason is the kernel's.", "instance", "detail")
	AddressSet = define("vrrp.address_set", Info, "a refused virtual address is set now",
		"What kept the kernel from it is mended; the address was announced.", "instance", "detail")
	AddressClaimed = define("vrrp.address_claimed", Warn, "another machine answers ARP for a virtual address",
		"The MASTER asked for its own address and somebody else answered: clients that believe it pass the director by. With direct routing it is mostly a real server that does not keep quiet. Told once in 10 minutes.", "instance", "address", "mac", "likely")
	RouteRestored = define("vrrp.route_restored", Warn, "route or rule was taken away and put back",
		"Somebody removed a route or rule this router holds. It was added again; find out who does it.", "instance", "route")
	SendFailed = define("vrrp.send_failed", Warn, "advertisement not sent",
		"The kernel refused to send. Peers take over when it lasts. Logged first and every 100th time.", "instance", "error", "count")
	SplitBrain = define("vrrp.split_brain", Error, "another MASTER is heard",
		"Two routers are MASTER at once: compare priorities, authentication, versions and what the switch does with multicast.", "instance", "detail")
	AddressMismatch = define("vrrp.address_mismatch", Warn, "the MASTER advertises other addresses",
		"The address lists of the routers differ; bring the configurations into line.", "instance", "detail")
	IntervalMismatch = define("vrrp.interval_mismatch", Warn, "a router has another advertisement interval",
		"Version 3 follows the MASTER's interval, so this works; but the time to a takeover depends on who is MASTER. Told once per router.", "instance", "detail")
	PriorityChanged = define("vrrp.priority", Info, "priority changed", "A tracked thing changed the effective priority; detail has the sum.", "instance", "detail")
	PreemptWait     = define("vrrp.preempt_wait", Info, "not preempting yet",
		"A better router leaves a living MASTER alone until it can serve, or until preempt_delay has passed.", "instance", "detail")
	HandoverDone   = define("vrrp.handover_done", Info, "handed over", "A successor advertises; the addresses went to it.", "instance", "detail")
	HandoverFailed = define("vrrp.handover_failed", Warn, "nobody took over",
		"No successor advertised in time; after a handover request the router stays MASTER.", "instance", "detail")
	FaultChanged  = define("vrrp.fault", Warn, "reasons for FAULT changed", "What keeps the instance from serving, now.", "instance", "detail")
	LowerPriority = define("vrrp.lower_priority", Info, "a router of lower priority advertises", "It was told by an advertisement of ours; normal when networks join.", "instance", "detail")
	Rival         = define("vrrp.rival", Warn, "another MASTER of lower priority is heard",
		"It was answered and the addresses were announced again; normal once when networks join. Told once per rival; vrrp.split_brain follows if it goes on.", "instance", "detail")
	Unsigned = define("vrrp.unsigned", Warn, "an advertisement without auth_hmac was accepted",
		"The mode, permissive or receive-only, still allows it; enforce will refuse that router. Told once per router until it signs.", "instance", "detail")
	ClockSkew = define("vrrp.clock_skew", Warn, "clocks drift apart",
		"An auth_hmac advertisement was accepted, but its time is more than half of time_window away: mend NTP on one of the two before adverts are refused.", "instance", "detail")
	LateWake = define("vrrp.late_wake", Warn, "this router did not run for too long",
		"The process was stopped or the machine paused for longer than peers wait. A BACKUP listens once more, a MASTER gives way if another one is heard.", "instance", "detail")
	Window = define("vrrp.transition_window", Info, "former form of advertisements",
		"After a reload that changes how routers talk, the former form is sent and accepted besides until every peer is reloaded.", "instance", "detail")
	HandoverOver = define("vrrp.handover_over", Info, "preempts again", "A handover was taken back or its time has passed.", "instance", "detail")
	NoResult     = define("vrrp.start_without_result", Warn, "started without a script's result", "A tracked script without a weight has not had a result for 30 s; find out why it hangs.", "instance", "detail")
	StartDelayed = define("vrrp.start_delayed", Info, "does not start yet",
		"The instance stays INIT: hears nothing, says nothing, holds nothing, until vrrp_startup_delay since the start and vrrp_delay_after_boot since the boot have passed.", "instance", "detail")
	VRRPNotice = define("vrrp.notice", Info, "VRRP notice", "Anything else worth knowing about an instance.", "instance", "kind", "detail")
)

// NoticeKind is the row for the kind of a vrrp.Notice, nil if it has none of its own.
func NoticeKind(kind string) *Kind {
	return map[string]*Kind{"split_brain": SplitBrain, "address_mismatch": AddressMismatch, "interval_mismatch": IntervalMismatch, "priority": PriorityChanged, "preempt_wait": PreemptWait,
		"handover_done": HandoverDone, "handover_failed": HandoverFailed, "fault_changed": FaultChanged, "lower_priority": LowerPriority,
		"master_rx_lower_pri": Rival, "late_wake": LateWake, "unsigned": Unsigned, "clock_skew": ClockSkew, "window": Window, "window_over": Window, "handover_over": HandoverOver, "start_without_result": NoResult, "start_delayed": StartDelayed,
		"address_denied": AddressDenied, "address_set": AddressSet}[kind]
}

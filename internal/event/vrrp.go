package event

// What the router tells.
var (
	Transition = define("vrrp.transition", Info, "VRRP state changed",
		"An instance moved between INIT, BACKUP, MASTER and FAULT; reason says why.", "instance", "from", "to", "priority", "reason")
	AdvertRefused = define("vrrp.refused", Warn, "advertisement refused",
		"A packet was dropped, with the reason. Logged when first seen from that sender and then every 100th time.", "instance", "interface", "sender", "reason", "detail", "count")
)

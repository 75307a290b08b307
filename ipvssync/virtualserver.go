package ipvssync

import "time"

// RealServer is one server of a virtual server, as configured.
type RealServer struct {
	// ID is its identity across reloads, unique within the virtual server.
	ID string
	// Server is its address (port 0: the service's own port), static weight, method and limits.
	Server
	// Checks are the ids of its checks; it is up when none of them fails. Without checks it is always up.
	Checks []string
	// InhibitOnFailure keeps the server in the table with weight 0 while it is down.
	InhibitOnFailure bool
	// Alpha keeps the server out until every check has passed once.
	Alpha bool
	// SlowStart is the time over which the weight of a server that came back rises from a tenth to all of it; 0 for at once.
	SlowStart time.Duration
	// DrainTimeout is how long a server that leaves the configuration may keep its connections; 0 deletes it at once, as
	// keepalived does.
	DrainTimeout time.Duration
}

// VirtualServer is the configuration of one pool. One pool feeds one kernel service, or several: a virtual_server_group, a list
// of ports, or `protocol TCP UDP` have one list of servers and one health.
type VirtualServer struct {
	// ID is its identity across reloads.
	ID string
	// Keys are its services in the kernel.
	Keys []Key
	// Template has what all the services share: scheduler, flags, persistence, mask, engine, local addresses. Its Key and
	// Servers are ignored.
	Template Service
	// Servers are the real servers, in the order of the file, with different ids.
	Servers []RealServer
	// Sorry serves when the quorum is lost; nil for none. Port 0 means the service's port; weight 0 counts as 1.
	Sorry *Server
	// SorryInhibit keeps the sorry server in the table with weight 0 while it is not needed.
	SorryInhibit bool
	// Quorum is the total weight of servers that must be up, at least 1; 0 counts as 1. More than the configured total counts
	// as that total, as in keepalived.
	Quorum int
	// Hysteresis is 0..Quorum-1: the quorum is gained at Quorum+Hysteresis and lost below Quorum-Hysteresis.
	Hysteresis int
	// Omega says that quorum_down and notify_down run at stop; the pool only carries it.
	Omega bool
	// PanicThreshold is a share of servers in percent, 0 for off: when fewer than that are up, all of them serve, because so
	// many failures at once are more likely the checker's than the servers'.
	PanicThreshold int
}

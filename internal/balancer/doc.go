// Package balancer is the second process of the daemon: configuration, checks, IPVS, scripts, notifications, the control socket.
//
// It holds start, reload and stop: calls in order, no rules of its own. One goroutine owns everything ([Run]); whatever may take time
// (reading the configuration, writing IPVS, waiting for the router) happens elsewhere and posts its result back. It promises: nothing live
// changes before a new configuration has passed every check; a reload without changes writes nothing; verdicts and operators' wishes
// survive a restart; when the router dies, nothing it owned is touched until its master-down interval has passed.
//
// It never speaks VRRP, never decides whether a server is up (checkers does) or what IPVS should hold (ipvssync does), and knows no
// keyword of the configuration.
package balancer

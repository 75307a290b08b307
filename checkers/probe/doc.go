// Package probe makes the attempts of checks: the only place of the checkers' room that opens sockets, runs programs or reads
// files. [New] makes a prober for the daemon, [Once] a single attempt for a person at a terminal.
//
// It promises: an attempt ends within its limit whatever the target does, reads a bounded amount, closes what it opened, and says
// in a typed reason why it failed. It never decides whether a server is up, keeps no state of a target and logs nothing.
package probe

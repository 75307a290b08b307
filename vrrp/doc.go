// Package vrrp decides everything about virtual addresses: who owns them, when that changes, and what has to be said and done about it.
//
// It is pure. [Machines] holds one state machine per instance and the sync groups between them; [Machines.Step] takes the time
// and an [Event] and answers with [Action] values that somebody else carries out (package vrrpnet). It never reads a clock, opens a
// socket, touches the kernel or logs. The rules are those of RFC 9568 (VRRPv3) and RFC 3768 (VRRPv2) as keepalived applies
// them; MASTER is what RFC 9568 calls Active.
package vrrp

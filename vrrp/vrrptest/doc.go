// Package vrrptest is a LAN in memory: several routers of package vrrp with a clock of their own, packets that are lost, late, doubled or out of
// order, cuts, pauses, crashes and adoption. Scenario scripts and the seeded simulator run on it. It never touches the network, a clock or
// the kernel; the same seed gives the same run.
package vrrptest

// Package pools keeps the virtual servers of the configuration in force: one [ipvssync.Pool] for each, what operators want of single servers, and
// the quorums that VRRP tracks.
//
// Verdicts, time, connections counted by the kernel and operators' wishes go in; every change comes out as an event, to those who asked to hear,
// and as what IPVS should hold to the kernel's owner. It promises that a verdict which overlaps a write of the whole table is not lost, and that a
// wish is on disk before it is acknowledged.
//
// A [Set] belongs to one goroutine, the balancer's owner. It never writes to the kernel, never runs a check, and knows no configuration.
package pools

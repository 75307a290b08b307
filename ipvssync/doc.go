// Package ipvssync decides what the kernel's IPVS tables should hold and how to get there. It is pure: values in, values out.
//
// A [Pool] is the health of one virtual server: it is told verdicts, weights and operators' wishes and answers what IPVS should
// hold ([Pool.Want]). [Diff] compares that with what was read back from the kernel and answers the smallest list of operations,
// in an order in which no healthy service is empty in between. [Kernel] is what a doer must offer; the real one lives in
// ipvssync/kernel, one in memory that enforces the kernel's rules in ipvssync/ipvstest.
//
// The package never opens a socket, never reads a clock (time is passed in), never sleeps and keeps no global state. Its values
// are not safe for concurrent use; one goroutine owns them.
package ipvssync

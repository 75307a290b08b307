// Package kernel does what ipvssync decides: it writes and reads IPVS, the nftables table of FULLNAT and kernel settings.
//
// Plain writes go through github.com/moby/ipvs; what that library cannot say or read (tunnel types, other address families,
// persistence engines, 64-bit counters, synchronisation daemons) goes through a small generic netlink codec of our own, and so
// does everything when the module was loaded anew and the library is stuck with the old family number.
//
// It promises: the library is never touched before the kernel has answered that IPVS exists (it reports success on a kernel
// without it); what the kernel accepts and breaks on is refused before it is sent; a call that hears nothing for ten seconds
// fails, and the next one opens new sockets. It never decides what to write, keeps no copy of the tables, and starts no
// goroutine besides the timer that guards a call.
package kernel

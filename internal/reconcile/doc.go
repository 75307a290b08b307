// Package reconcile owns IPVS. One goroutine holds the kernel handle, writes what pools want, reads back what is there every few
// seconds and repairs the difference.
//
// It promises: nothing is deleted or added on the word of a single listing; services nobody here owns are left alone; what a
// former configuration of ours left behind is removed, because ownership is recorded in the run directory before a service is
// written; a weight set by hand stays until the next verdict on that server, a reload or a request; a key that somebody else keeps
// changing is given a rest and named; a kernel without IPVS is a state that heals, not an error that ends anything.
//
// It never decides what should be in the table (ipvssync.Pool does) and never touches VRRP.
package reconcile

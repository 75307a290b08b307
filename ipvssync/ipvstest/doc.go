// Package ipvstest is IPVS in memory. It offers ipvssync.Kernel, enforces the rules the real kernel enforces (and those of
// Op.Validate, which stand between us and what the kernel wrongly accepts), counts writes, can be made to fail, to lie in a
// listing and to lose its module, and prints itself like `ipvsadm -Sn`.
//
// It never touches the host. It is safe for concurrent use, so that a test can play the other writer.
package ipvstest

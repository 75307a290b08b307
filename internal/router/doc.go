// Package router is the process that owns the virtual addresses: `holdfast run`.
//
// One goroutine, the loop, owns every VRRP state machine. It reads packets, believes a timer only after every socket was read empty, sends adverts
// itself and never waits for anything: addresses are written by one ordered kernel goroutine, state is stored and the balancer is talked
// to through queues. The router parses no file; its configuration comes from the balancer, the second process, which it starts,
// watches and starts again. It goes on without it.
//
// The package decides nothing about VRRP (package vrrp does) and never writes to IPVS.
package router

// Package mirror is the router as the balancer knows it: the last state of every instance, the router's own numbers, and who waits for an answer.
//
// Snapshots, events and answers from the seam go in; everything else only looks. It belongs to one goroutine, the balancer's owner, never blocks, and
// draws no consequence from what it is told.
package mirror

// Package desk answers the control socket: what an operator asks of the running daemon is here put together, or handed to the room that does it.
//
// Its methods run on the clients' goroutines and go through Call for everything that belongs to the balancer's owner. It promises that no request,
// however slow its client, holds the owner up, and that a status comes within seconds although the router or the kernel does not answer.
// It decides nothing and keeps no state.
package desk

// Package story tells a short working day of two directors, three real servers and a client on a terminal, as it happens.
// Everything it says is what the client or the wire saw. It decides nothing and never fails for lateness.
package story

// Package seam is what the router and the balancer say to each other: whole, idempotent messages over one socket pair.
//
// A frame is a length (32 bits, big endian) and the JSON of one [Message], of which exactly one field is set. Both ends are the same
// executable, so the messages are no compatibility surface. Decoding is strict and bounded. Every message is a full value keyed by
// identity, never a delta: a restart is "send it again".
package seam

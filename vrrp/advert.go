package vrrp

import (
	"fmt"
	"net/netip"
	"time"
)

// Advert is a VRRP advertisement, RFC 9568 section 5 (v3) and RFC 3768 section 5 (v2).
type Advert struct {
	Version   uint8
	VRID      uint8
	Priority  uint8
	Interval  time.Duration
	AuthType  uint8
	AuthData  [8]byte
	Addresses []netip.Addr
	// AH says that it came inside an authentication header with this Sequence.
	AH       bool
	Sequence uint32
	// trailer is what followed the message: padding or the trailer of auth_hmac.
	trailer []byte
	// signed: the trailer was verified. signature is its sequence, ahead how far its time is ahead of this router's.
	signed    bool
	signature uint64
	ahead     time.Duration
}

// Reason names why a packet was dropped. It is error text, log field, metric label and test row at once.
type Reason string

// Refusal is a dropped packet.
type Refusal struct {
	Reason Reason
	From   netip.Addr
	Detail string
	// Priority is what it claims, as far as that was read; 0 is also that of a MASTER that leaves.
	Priority uint8
}

// Error says what was refused and why.
func (r *Refusal) Error() string {
	return fmt.Sprintf("advertisement from %s refused: %s: %s", r.From, r.Reason, r.Detail)
}

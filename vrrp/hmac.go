package vrrp

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"time"
)

// HMAC is auth_hmac, keepalived's signed trailer (draft-cassen-vrrp-auth-hmac): every advertisement ends with a sequence made of the sender's
// clock and an HMAC-SHA256, cut to 128 bits, over the message and where it comes from. It works with both versions and families.
type HMAC struct {
	// Keys are all keys that are accepted.
	Keys []HMACKey
	// Active is the ID of the key that signs.
	Active uint8
	Mode   HMACMode
	// Monotonic: sequences have only to rise. Otherwise they are also a time, at most Window away from this router's clock.
	Monotonic bool
	// Window is a whole number of seconds.
	Window time.Duration
}

// HMACKey is one key of 32 to 64 bytes.
type HMACKey struct {
	ID  uint8
	Key []byte
}

// HMACMode is what is sent and accepted.
type HMACMode string

// The modes. A trailer that is there has to be right in all of them.
const (
	// HMACEnforce signs and wants a trailer.
	HMACEnforce HMACMode = "enforce"
	// HMACPermissive signs, and accepts advertisements without trailer.
	HMACPermissive HMACMode = "permissive"
	// HMACReceiveOnly does not sign, and accepts advertisements without trailer.
	HMACReceiveOnly HMACMode = "receive-only"
)

const (
	// trailerLen: type, key, 16 bits zero, seconds, fraction, counter, then the digest.
	trailerLen    = 28
	trailerDigest = 12
	trailerType   = 1
)

func (h *HMAC) key(id uint8) []byte {
	if h == nil {
		return nil
	}
	for _, k := range h.Keys {
		if k.ID == id {
			return k.Key
		}
	}
	return nil
}

// signs says whether advertisements go out with a trailer.
func (h *HMAC) signs() bool { return h != nil && h.Mode != HMACReceiveOnly }

// signsAs says that two configurations sign alike.
func (h *HMAC) signsAs(o *HMAC) bool {
	if !h.signs() || !o.signs() {
		return h.signs() == o.signs()
	}
	return h.Active == o.Active && bytes.Equal(h.key(h.Active), o.key(o.Active))
}

// acceptsAll says that whatever o accepts, h accepts as well.
func (h *HMAC) acceptsAll(o *HMAC) bool {
	if (o == nil || o.Mode != HMACEnforce) && h != nil && h.Mode == HMACEnforce {
		return false
	}
	if o == nil {
		return true
	}
	for _, k := range o.Keys {
		if !bytes.Equal(h.key(k.ID), k.Key) {
			return false
		}
	}
	return true
}

// trailerSum is HMAC-SHA256-128 over {family, version, VRID, 0, source address in 16 bytes}, the message with its checksum zero, the head
// of the trailer, and 16 bytes of zero where the digest will be.
func trailerSum(key []byte, family Family, src netip.Addr, msg, head []byte) []byte {
	var pseudo [20]byte
	var zero [trailerLen - trailerDigest]byte
	pseudo[0], pseudo[1], pseudo[2] = uint8(family), msg[0]>>4, msg[1]
	copy(pseudo[4:], src.AsSlice())
	d := hmac.New(sha256.New, key)
	d.Write(pseudo[:])
	d.Write(msg[:6])
	d.Write(zero[:2])
	d.Write(msg[8:])
	d.Write(head[:trailerDigest])
	d.Write(zero[:])
	return d.Sum(nil)[:trailerLen-trailerDigest]
}

// sign appends the trailer to a message whose checksum is not filled in yet.
func (h *HMAC) sign(family Family, src netip.Addr, seq uint64, msg []byte) []byte {
	var head [trailerDigest]byte
	head[0], head[1] = trailerType, h.Active
	binary.BigEndian.PutUint64(head[4:], seq)
	sum := trailerSum(h.key(h.Active), family, src, msg, head[:])
	return append(append(msg, head[:]...), sum...)
}

// clockSequence is the sequence of a time: seconds since 1970 in the upper 32 bits, then 16 bits of binary fraction, then a counter.
func clockSequence(now time.Time) uint64 {
	return uint64(uint32(now.Unix()))<<32 | uint64(now.Nanosecond())<<16/1e9<<16
}

// secondsAhead is how many seconds the time in a sequence is ahead of now; serial arithmetic, so that it survives the year 2106.
func secondsAhead(seq uint64, now time.Time) time.Duration {
	return time.Duration(int32(uint32(seq>>32)-uint32(now.Unix()))) * time.Second
}

// after says that sequence a comes after b (RFC 1982).
func after(a, b uint64) bool { return int64(a-b) > 0 }

// next is the sequence that follows last: the clock, or one more where the clock has not moved on. After the clock was set back, time mode
// starts anew from it, because receivers would refuse the future; monotonic mode goes on rising.
func (h *HMAC) next(last uint64, now time.Time) uint64 {
	clock := clockSequence(now)
	if after(clock, last) || !h.Monotonic && secondsAhead(last, now) > h.Window {
		return clock
	}
	return last + 1
}

// verify checks a trailer behind msg, but for replays.
func (h *HMAC) verify(now time.Time, p Packet, msg, trailer []byte) (seq uint64, ahead time.Duration, r *Refusal) {
	if trailer[0] != trailerType || trailer[2] != 0 || trailer[3] != 0 {
		return 0, 0, refuse(p, ReasonAuthMalformed, "trailer of type %d with %#02x%02x behind it, auth_hmac has 1 and 0", trailer[0], trailer[2], trailer[3])
	}
	seq = binary.BigEndian.Uint64(trailer[4:])
	ahead = secondsAhead(seq, now)
	if !h.Monotonic && (ahead > h.Window || ahead < -h.Window) {
		return seq, ahead, refuse(p, ReasonAuthStale, "%s, time_window is %s: a replay, or the clocks differ", clockWords(ahead), h.Window)
	}
	key := h.key(trailer[1])
	if key == nil {
		return seq, ahead, refuse(p, ReasonAuthKey, "signed with key %d, which this router does not have", trailer[1])
	}
	if !hmac.Equal(trailer[trailerDigest:], trailerSum(key, p.Family, p.Src, msg, trailer)) {
		return seq, ahead, refuse(p, ReasonAuthFailure, "the HMAC does not fit key %d: another key under that number, or a forgery", trailer[1])
	}
	return seq, ahead, nil
}

func clockWords(ahead time.Duration) string {
	if ahead < 0 {
		return "its clock is " + (-ahead).String() + " behind this router's"
	}
	return "its clock is " + ahead.String() + " ahead of this router's"
}

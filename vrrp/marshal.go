package vrrp

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // RFC 2403 names it.
	"encoding/binary"
	"net/netip"
	"time"
)

// Authentication types on the wire, RFC 2338 section 5.3.6.
const (
	authNone uint8 = 0
	authPass uint8 = 1
	authAH   uint8 = 2
)

func (a Auth) wire() uint8 {
	switch a.Type {
	case "PASS":
		return authPass
	case "AH":
		return authAH
	}
	return authNone
}

// advertised are the addresses that go into the instance's advertisements, in the order of the configuration: those of its
// family that are not excluded, at most 255.
func (i *Instance) advertised() []netip.Addr {
	var out []netip.Addr
	for _, a := range i.Addresses {
		if a.Excluded || a.Prefix.Addr().Is4() != (i.Family == IPv4) || len(out) == 255 {
			continue
		}
		out = append(out, a.Prefix.Addr())
	}
	return out
}

// Marshal builds the VRRP message of one advertisement, from src to dst, checksum included, without the trailer of auth_hmac.
func Marshal(i Instance, src, dst netip.Addr, priority uint8) []byte {
	b := message(&i, i.advertised(), priority)
	i.fillChecksum(b, len(b), src.WithZone(""), dst.WithZone(""))
	return b
}

// message is an advertisement without its checksum.
func message(i *Instance, addrs []netip.Addr, priority uint8) []byte {
	b := make([]byte, headerLen, headerLen+len(addrs)*16+authLen+trailerLen)
	b[0] = i.Version<<4 | 1
	b[1] = i.VRID
	b[2] = priority
	b[3] = uint8(len(addrs))
	if i.Version == 2 {
		b[4] = i.Auth.wire()
		b[5] = uint8(min(max(i.Interval/time.Second, 1), 255))
	} else {
		binary.BigEndian.PutUint16(b[4:], uint16(min(max(i.Interval/(10*time.Millisecond), 1), 0xfff)))
	}
	for _, a := range addrs {
		b = append(b, a.AsSlice()...)
	}
	if i.Version == 2 && i.Family == IPv4 {
		var data [authLen]byte
		if i.Auth.Type == "PASS" {
			copy(data[:], i.Auth.Key)
		}
		b = append(b, data[:]...)
	}
	return b
}

// fillChecksum writes the checksum of a message of n bytes at the beginning of b. In IPv4 the trailer behind it is not covered, in IPv6, where
// the kernel sees to it, it is.
func (i *Instance) fillChecksum(b []byte, n int, src, dst netip.Addr) {
	binary.BigEndian.PutUint16(b[6:], 0)
	var sum uint16
	switch {
	case i.Family == IPv6:
		sum = pseudoChecksum(src, dst, b)
	case i.Version == 3 && !i.ChecksumAsV2:
		if i.OldUnicastChecksum && !dst.IsMulticast() {
			dst = i.group()
		}
		sum = pseudoChecksum(src, dst, b[:n])
	default:
		sum = checksum(b[:n])
	}
	binary.BigEndian.PutUint16(b[6:], sum)
}

// wrapAH puts an authentication header (RFC 2402, HMAC-MD5-96 of RFC 2403) in front of a v2 IPv4 message, with the SPI and the counter as
// keepalived sets them.
func wrapAH(key string, src, dst netip.Addr, ttl uint8, ipID uint16, seq uint32, msg []byte) []byte {
	b := make([]byte, ahLen, ahLen+len(msg))
	b[0] = ProtoVRRP
	b[1] = 4
	copy(b[4:8], src.AsSlice())
	binary.BigEndian.PutUint32(b[8:], seq)
	b = append(b, msg...)
	copy(b[12:ahLen], ahDigest(key, src, dst, ttl, ipID, b))
	return b
}

// ahDigest is HMAC-MD5-96 over the IPv4 header with TOS, flags, fragment offset and checksum zero, and the payload with the digest zero.
// The identification stays in; the TTL is zero in unicast packets as RFC 2402 has it, and stays in multicast ones (measured with keepalived 2.2.7).
func ahDigest(key string, src, dst netip.Addr, ttl uint8, ipID uint16, payload []byte) []byte {
	var k [8]byte
	copy(k[:], key)
	h := hmac.New(md5.New, k[:])
	var ip [20]byte
	ip[0] = 0x45
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)+len(payload)))
	binary.BigEndian.PutUint16(ip[4:], ipID)
	if dst.IsMulticast() {
		ip[8] = ttl
	}
	ip[9] = ProtoAH
	copy(ip[12:16], src.AsSlice())
	copy(ip[16:20], dst.AsSlice())
	h.Write(ip[:])
	h.Write(payload[:12])
	h.Write(make([]byte, ahLen-12))
	h.Write(payload[ahLen:])
	return h.Sum(nil)[:12]
}

// verifyAH says whether the digest of an AH packet fits the key.
func verifyAH(key string, p Packet) bool {
	if len(p.Payload) < ahLen || !p.Src.Is4() || !p.Dst.Is4() {
		return false
	}
	return hmac.Equal(p.Payload[12:ahLen], ahDigest(key, p.Src, p.Dst, p.TTL, p.IPID, p.Payload))
}

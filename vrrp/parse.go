package vrrp

import (
	"encoding/binary"
	"net/netip"
	"time"
)

const (
	headerLen = 8
	// authLen is the authentication data that every v2 IPv4 advertisement ends with, used or not. In IPv6, where v2 is keepalived's own
	// invention, there is none, whatever the authentication type says (measured with keepalived 2.2.7).
	authLen = 8
	ahLen   = 24
	// maxPadding: what a bridge or a short Ethernet frame may leave behind the last byte.
	maxPadding = 46
)

// Checksums says which checksums of a v3 IPv4 advertisement are right.
type Checksums uint8

// The modes of verification.
const (
	// ChecksumStandard: over the pseudo-header, as RFC 9568 section 5.2.8 wants.
	ChecksumStandard Checksums = iota
	// ChecksumEither: also without it (v3_checksum_as_v2; some vendors read RFC 5798 so).
	ChecksumEither
)

// vridOf finds the VRID without believing anything else, so that an instance can be looked up.
func vridOf(p Packet) (vrid uint8, ok bool) {
	b := p.Payload
	if p.Proto == ProtoAH {
		if len(b) < ahLen {
			return 0, false
		}
		b = b[ahLen:]
	}
	if len(b) < headerLen {
		return 0, false
	}
	return b[1], true
}

// Parse reads an advertisement. It checks everything that can be said without knowing an instance: length, version, type, VRID, TTL of
// multicast, checksum. It never panics and keeps no reference to the payload.
func Parse(p Packet, mode Checksums) (Advert, *Refusal) {
	b := p.Payload
	var a Advert
	switch p.Proto {
	case ProtoVRRP:
	case ProtoAH:
		if len(b) < ahLen {
			return a, refuse(p, ReasonTruncated, "%d bytes, an AH header has %d", len(b), ahLen)
		}
		if b[0] != ProtoVRRP || b[1] != 4 || p.Family != IPv4 {
			return a, refuse(p, ReasonProtocol, "AH of length %d around protocol %d", b[1], b[0])
		}
		a.AH = true
		a.Sequence = binary.BigEndian.Uint32(b[8:12])
		b = b[ahLen:]
	default:
		return a, refuse(p, ReasonProtocol, "IP protocol %d", p.Proto)
	}
	if len(b) < headerLen {
		return a, refuse(p, ReasonTruncated, "%d bytes, an advertisement has at least %d", len(b), headerLen)
	}
	a.Version = b[0] >> 4
	a.VRID = b[1]
	a.Priority = b[2]
	if a.Version != 2 && a.Version != 3 {
		return a, refuse(p, ReasonVersion, "version %d", a.Version)
	}
	if t := b[0] & 0xf; t != 1 {
		return a, refuse(p, ReasonType, "type %d", t)
	}
	if a.VRID == 0 {
		return a, refuse(p, ReasonVRID, "VRID 0")
	}
	if p.Dst.IsMulticast() && p.TTL != 255 {
		return a, refuse(p, ReasonTTL, "TTL %d, multicast is sent with 255", p.TTL)
	}
	if a.AH && a.Version != 2 {
		return a, refuse(p, ReasonProtocol, "AH around version %d", a.Version)
	}
	size := 4
	if p.Family == IPv6 {
		size = 16
	}
	count := int(b[3])
	want := headerLen + count*size
	trailing := 0
	if a.Version == 2 && p.Family == IPv4 {
		trailing = authLen
		want += authLen
	}
	if len(b) < want {
		return a, refuse(p, ReasonTruncated, "%d bytes, %d addresses need %d", len(b), count, want)
	}
	if len(b) > want+maxPadding {
		return a, refuse(p, ReasonLength, "%d bytes, %d addresses need %d", len(b), count, want)
	}
	covered := b[:want]
	if p.Family == IPv6 && len(b) == want+trailerLen {
		covered = b // the kernel's checksum is over everything
	}
	if r := verifyChecksum(p, a.Version, covered, mode); r != nil {
		return a, r
	}
	if a.Version == 2 {
		a.AuthType = b[4]
		a.Interval = time.Duration(b[5]) * time.Second
		copy(a.AuthData[:], b[want-trailing:want])
	} else {
		a.Interval = time.Duration(binary.BigEndian.Uint16(b[4:6])&0xfff) * 10 * time.Millisecond
	}
	if count > 0 {
		a.Addresses = make([]netip.Addr, count)
		for i := range a.Addresses {
			at := headerLen + i*size
			a.Addresses[i], _ = netip.AddrFromSlice(b[at : at+size])
		}
	}
	a.trailer = append([]byte(nil), b[want:]...)
	return a, nil
}

func verifyChecksum(p Packet, version uint8, b []byte, mode Checksums) *Refusal {
	src, dst := p.Src.WithZone(""), p.Dst.WithZone("")
	plain := checksum(b) == 0
	pseudo := pseudoChecksum(src, dst, b) == 0
	var ok bool
	switch {
	case p.Family == IPv6:
		// The kernel fills it in for everybody who asks it to, over the pseudo-header, whatever the version.
		ok = pseudo
	case version == 2:
		ok = plain
	case mode == ChecksumEither:
		ok = pseudo || plain
	default:
		ok = pseudo
	}
	if ok {
		return nil
	}
	got := binary.BigEndian.Uint16(b[6:8])
	if version == 3 && p.Family == IPv4 && plain {
		return refuse(p, ReasonChecksum, "checksum %#04x leaves out the pseudo-header: if that router cannot be mended, set v3_checksum_as_v2", got)
	}
	return refuse(p, ReasonChecksum, "checksum %#04x is wrong", got)
}

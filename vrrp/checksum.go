package vrrp

import (
	"encoding/binary"
	"net/netip"
)

// sum16 adds b to a running ones' complement sum (RFC 1071).
func sum16(sum uint32, b []byte) uint32 {
	for len(b) >= 2 {
		sum += uint32(binary.BigEndian.Uint16(b))
		b = b[2:]
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	return sum
}

func fold(sum uint32) uint16 {
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// checksum is the Internet checksum over b.
func checksum(b []byte) uint16 { return fold(sum16(0, b)) }

// pseudoChecksum is the Internet checksum over the pseudo-header of RFC 9568 section 5.2.8 and b. The IPv4 form is (source,
// destination, 0, protocol, length), the IPv6 form that of RFC 8200 section 8.1.
func pseudoChecksum(src, dst netip.Addr, b []byte) uint16 {
	sum := sum16(0, src.AsSlice())
	sum = sum16(sum, dst.AsSlice())
	sum += uint32(ProtoVRRP) + uint32(len(b))
	return fold(sum16(sum, b))
}

package vrrpnet

import (
	"net/netip"
	"testing"
)

func TestClaims(t *testing.T) {
	vip := netip.MustParseAddr("192.0.2.9")
	packet := []byte{0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 9, 192, 0, 2, 9, 2, 0, 0, 0, 0, 1, 192, 0, 2, 1}
	if got := claims(packet, vip); got.String() != "02:00:00:00:00:09" {
		t.Errorf("claimed by %s", got)
	}
	if got := claims(packet, netip.MustParseAddr("192.0.2.8")); got != nil {
		t.Errorf("another address: %s", got)
	}
	for n := range packet {
		if got := claims(packet[:n], vip); got != nil {
			t.Errorf("%d bytes: %s", n, got)
		}
	}
}

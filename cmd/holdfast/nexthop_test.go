package main

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
)

// The routing tables are read as the kernel shows them, in the byte order of the machine.
func TestRoutes(t *testing.T) {
	word := func(a string) string {
		b := netip.MustParseAddr(a).As4()
		return fmt.Sprintf("%08X", binary.NativeEndian.Uint32(b[:]))
	}
	line := func(to, via, flags, mask string) string {
		return "eth0\t" + word(to) + "\t" + word(via) + "\t" + flags + "\t0\t0\t0\t" + word(mask) + "\t0\t0\t0\n"
	}
	table := parseRoutes("Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n" +
		line("0.0.0.0", "192.0.2.1", "0003", "0.0.0.0") +
		line("192.0.2.0", "0.0.0.0", "0001", "255.255.255.0") +
		line("192.0.2.128", "192.0.2.9", "0003", "255.255.255.128") +
		line("198.51.100.0", "0.0.0.0", "0200", "255.255.255.0") + // unreachable
		"*\tcut\n")
	table = append(table, parseRoutes6(
		"fd770000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0\n"+
			"00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd770000000000000000000000000001 00000400 00000003 00000000 00000003     eth0\n"+
			"00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n")...)
	for to, want := range map[string]string{
		"192.0.2.7": "direct", "192.0.2.200": "192.0.2.9", "203.0.113.1": "192.0.2.1", "fd77::21": "direct", "2001:db8::1": "fd77::1",
	} {
		router, known := lookUp(table, netip.MustParseAddr(to))
		got := router.String()
		if known && !router.IsValid() {
			got = "direct"
		}
		if !known || got != want {
			t.Errorf("to %s: %s (%t) instead of %s", to, got, known, want)
		}
	}
	if _, known := lookUp(nil, netip.MustParseAddr("192.0.2.7")); known {
		t.Error("a route out of nothing")
	}
}

package vrrpnet

import (
	"encoding/hex"
	"net"
	"net/netip"
	"testing"
)

func TestAnnouncement(t *testing.T) {
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 7}
	for _, c := range []struct{ addr, want string }{
		{"192.0.2.5", "ffffffffffff" + "020000000007" + "0806" + "0001080006040001" + "020000000007" + "c0000205" + "ffffffffffff" + "c0000205" +
			"000000000000000000000000000000000000"},
		{"2001:db8::5", "333300000001" + "020000000007" + "86dd" + "6000000000203aff" + "20010db8000000000000000000000005" + "ff020000000000000000000000000001" +
			"8800" + "f91c" + "20000000" + "20010db8000000000000000000000005" + "0201020000000007"},
	} {
		frame, err := Announcement(netip.MustParseAddr(c.addr), mac, false)
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(frame); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.addr, got, c.want)
		}
	}
	if _, err := Announcement(netip.MustParseAddr("192.0.2.5"), nil, false); err == nil {
		t.Error("an interface without an Ethernet address cannot announce")
	}
}

func TestQuestion(t *testing.T) {
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 7}
	for _, c := range []struct{ addr, src, want string }{
		{"192.0.2.5", "192.0.2.1", "ffffffffffff" + "020000000007" + "0806" + "0001080006040001" + "020000000007" + "c0000201" + "000000000000" + "c0000205" +
			"000000000000000000000000000000000000"},
		{"2001:db8::5", "fe80::1", "3333ff000005" + "020000000007" + "86dd" + "6000000000203aff" + "fe800000000000000000000000000001" + "ff0200000000000000000001ff000005" +
			"8700" + "4b53" + "00000000" + "20010db8000000000000000000000005" + "0101020000000007"},
	} {
		frame, err := Question(netip.MustParseAddr(c.addr), netip.MustParseAddr(c.src), mac)
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(frame); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.addr, got, c.want)
		}
	}
	if _, err := Question(netip.MustParseAddr("192.0.2.5"), netip.MustParseAddr("fe80::1"), mac); err == nil {
		t.Error("nobody asks for IPv4 from an IPv6 address")
	}
}

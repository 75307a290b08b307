//go:build netns

package vrrpnet

import (
	"net"
	"net/netip"
	"os"
	"testing"
	"time"
)

// Who has the address answers; who keeps quiet about it does not.
func TestAnswers(t *testing.T) {
	fresh(t)
	pair(t)
	vip, src := netip.MustParseAddr("198.51.100.9"), netip.MustParseAddr("198.51.100.77")
	ip(t, "addr add 198.51.100.9/24 dev right")
	left, err := net.InterfaceByName("left")
	if err != nil {
		t.Fatal(err)
	}
	right, err := net.InterfaceByName("right")
	if err != nil {
		t.Fatal(err)
	}
	var got []net.HardwareAddr
	for end := time.Now().Add(patience); len(got) == 0 && time.Now().Before(end); {
		if got, err = Answers(left.Index, left.HardwareAddr, src, vip, 200*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != 1 || got[0].String() != right.HardwareAddr.String() {
		t.Errorf("%s answer, want %s", got, right.HardwareAddr)
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/conf/right/arp_ignore", []byte("8"), 0); err != nil {
		t.Fatal(err)
	}
	if got, err = Answers(left.Index, left.HardwareAddr, src, vip, 300*time.Millisecond); err != nil || len(got) != 0 {
		t.Errorf("a quiet one answers: %s, %v", got, err)
	}
}

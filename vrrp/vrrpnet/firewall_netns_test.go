//go:build netns

package vrrpnet

import (
	"net/netip"
	"os/exec"
	"strings"
	"testing"
)

func TestFirewallDropsWhatTheHostWouldTake(t *testing.T) {
	fresh(t)
	f := NewFirewall()
	nft := func() string {
		out, err := exec.Command("nft", "list", "ruleset").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	reaches := func(addr string) bool { return exec.Command("ping", "-c1", "-W1", addr).Run() == nil }
	ip(t, "addr add 192.0.2.100/32 dev lo")
	ip(t, "addr add 192.0.2.101/32 dev lo")
	ip(t, "-6 addr add 2001:db8::100/128 dev lo")
	if err := f.Drop("VI", nil); err != nil || nft() != "" {
		t.Fatalf("%v %s", err, nft())
	}
	if err := f.Drop("VI", []netip.Addr{netip.MustParseAddr("192.0.2.100"), netip.MustParseAddr("2001:db8::100")}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"table inet holdfast_vrrp", "priority 110", "ip daddr @vips4", "ip6 daddr @vips6"} {
		if !strings.Contains(nft(), want) {
			t.Errorf("no %q in\n%s", want, nft())
		}
	}
	if reaches("192.0.2.100") || reaches("2001:db8::100") {
		t.Error("not dropped")
	}
	if !reaches("192.0.2.101") {
		t.Error("another address is dropped")
	}
	if err := f.Drop("VI_2", []netip.Addr{netip.MustParseAddr("192.0.2.101")}); err != nil {
		t.Fatal(err)
	}
	if err := f.Drop("VI", nil); err != nil {
		t.Fatal(err)
	}
	if !reaches("192.0.2.100") || reaches("192.0.2.101") {
		t.Errorf("the wrong one is dropped:\n%s", nft())
	}
	if err := f.Drop("VI_2", nil); err != nil || nft() != "" {
		t.Fatalf("%v: left behind: %s", err, nft())
	}
	if err := NewFirewall().Clear(); err != nil || nft() != "" {
		t.Fatalf("%v: %s", err, nft())
	}
}

//go:build netns

package kernel

import (
	"context"
	"net/netip"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/ipvssync"
)

// inNamespace gives the test a network namespace of its own: its thread is thrown away with it.
func inNamespace(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatalf("a network namespace: %v", err)
	}
}

func nft(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("nft", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("nft %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestFullNATTable(t *testing.T) {
	inNamespace(t)
	ctx := context.Background()
	k := Open()
	defer k.Close()
	addr := netip.MustParseAddr
	rules := []ipvssync.FullNATRule{
		{Protocol: ipvssync.TCP, Addr: addr("192.0.2.1"), Port: 80},
		{Protocol: ipvssync.UDP, Addr: addr("192.0.2.1"), Port: 53, Local: []netip.Addr{addr("10.0.0.1"), addr("10.0.0.2"), addr("10.0.0.9")}},
		{Addr: addr("192.0.2.2")},
		{Protocol: ipvssync.TCP, Addr: addr("2001:db8::1"), Port: 443},
	}
	step := func(what string, rules []ipvssync.FullNATRule, want bool) {
		t.Helper()
		changed, err := k.FullNAT(ctx, rules)
		if err != nil || changed != want {
			t.Fatalf("%s: changed %v, error %v", what, changed, err)
		}
	}
	step("first", rules, true)
	got := nft(t, "list", "ruleset")
	for _, want := range []string{
		"type nat hook postrouting priority srcnat",
		`meta l4proto tcp ct original ip daddr 192.0.2.1 ct original proto-dst 80 masquerade fully-random comment "TCP 192.0.2.1:80 masquerade"`,
		`meta l4proto udp ct original ip daddr 192.0.2.1 ct original proto-dst 53 numgen random mod 2 0 snat to 10.0.0.1-10.0.0.2 fully-random`,
		`meta l4proto udp ct original ip daddr 192.0.2.1 ct original proto-dst 53 snat to 10.0.0.9 fully-random`,
		`ct original ip daddr 192.0.2.2 masquerade fully-random`,
		`meta l4proto tcp ct original ip6 daddr 2001:db8::1 ct original proto-dst 443 masquerade fully-random`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the ruleset lacks %q:\n%s", want, got)
		}
	}
	step("same", rules, false)
	step("same, by generation", rules, false)
	nft(t, "add", "table", "ip", "foreign")
	step("somebody else's change", rules, false)
	nft(t, "flush", "ruleset")
	step("after flush ruleset", rules, true)
	step("restored", rules, false)
	nft(t, "flush", "chain", "ip", TableName, chainName)
	step("after flush chain", rules, true)
	nft(t, "insert", "rule", "ip6", TableName, chainName, "accept")
	step("a foreign rule in our chain", rules, true)
	nft(t, "add", "table", "ip", "foreign")
	step("fewer", rules[:1], true)
	if got := nft(t, "list", "ruleset"); strings.Contains(got, "ip6 "+TableName) || strings.Contains(got, "192.0.2.2") || !strings.Contains(got, "foreign") {
		t.Errorf("after dropping rules:\n%s", got)
	}
	step("another kernel adopts", rules[:1], false)
	k2 := Open()
	defer k2.Close()
	if changed, err := k2.FullNAT(ctx, rules[:1]); err != nil || changed {
		t.Errorf("a new process writes what is there: %v, %v", changed, err)
	}
	step("none", nil, true)
	step("still none", nil, false)
	if got := nft(t, "list", "ruleset"); strings.Contains(got, TableName) {
		t.Errorf("after the end:\n%s", got)
	}
	var many []ipvssync.FullNATRule
	for i := range 3000 {
		many = append(many, ipvssync.FullNATRule{Protocol: ipvssync.TCP, Addr: netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}), Port: 80})
	}
	step("many", many, true)
	step("many again", many, false)
}

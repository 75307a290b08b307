package vrrptest

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/vrrp"
)

// TestRollingReload changes how two routers talk, one router after the other, in both orders. There is one owner all the time and it is the
// same one.
func TestRollingReload(t *testing.T) {
	base := vrrp.Instance{
		Name: "VI", Interface: "eth0", Family: vrrp.IPv4, VRID: 51, Version: 2, Priority: 150, Interval: time.Second, DownTimerAdverts: 3,
		Auth: vrrp.Auth{Type: "PASS", Key: "old"}, Addresses: []vrrp.Address{{Prefix: netip.MustParsePrefix("192.0.2.100/24")}},
		Gratuitous: vrrp.Gratuitous{Repeat: 5},
	}
	for name, change := range map[string]func(*vrrp.Instance, int){
		"password": func(i *vrrp.Instance, _ int) { i.Auth.Key = "new" },
		"to AH":    func(i *vrrp.Instance, _ int) { i.Auth.Type = "AH" },
		"to auth_hmac": func(i *vrrp.Instance, _ int) {
			i.Auth = vrrp.Auth{}
			i.HMAC = &vrrp.HMAC{Keys: []vrrp.HMACKey{{ID: 1, Key: hmacKey}}, Active: 1, Mode: vrrp.HMACEnforce, Window: 5 * time.Second}
		},
		"version, transport and auth_hmac at once": func(i *vrrp.Instance, n int) {
			i.Auth, i.Version = vrrp.Auth{}, 3
			i.HMAC = &vrrp.HMAC{Keys: []vrrp.HMACKey{{ID: 1, Key: hmacKey}}, Active: 1, Mode: vrrp.HMACEnforce, Window: 5 * time.Second}
			i.Peers = []vrrp.Peer{{Addr: netip.AddrFrom4([4]byte{192, 0, 2, byte(3 - n)})}}
		},
		"no authentication": func(i *vrrp.Instance, _ int) { i.Auth = vrrp.Auth{} },
		"version":           func(i *vrrp.Instance, _ int) { i.Version, i.Auth = 3, vrrp.Auth{} },
		"longer interval":   func(i *vrrp.Instance, _ int) { i.Interval = 5 * time.Second },
		"unicast": func(i *vrrp.Instance, n int) {
			i.Peers = []vrrp.Peer{{Addr: netip.AddrFrom4([4]byte{192, 0, 2, byte(3 - n)})}}
		},
		"group": func(i *vrrp.Instance, _ int) { i.Group = netip.MustParseAddr("224.0.0.77") },
	} {
		for _, order := range [][]int{{0, 1}, {1, 0}} {
			first := map[int]string{0: "master", 1: "backup"}[order[0]]
			t.Run(name+", "+first+" first", func(t *testing.T) {
				l := New(1)
				for n := range 2 {
					i := base
					i.Priority -= uint8(50 * n)
					l.Add(byte(n+1), vrrp.Config{Instances: []vrrp.Instance{i}, TransitionWindow: time.Minute})
				}
				l.Run(10 * time.Second)
				id := base.ID()
				if l.Master(id) != l.Routers[0] {
					t.Fatal("the better router is not MASTER")
				}
				watch := func(d time.Duration) {
					t.Helper()
					for range d / (50 * time.Millisecond) {
						l.Run(50 * time.Millisecond)
						if o := l.Owners(id); len(o) != 1 || o[0] != l.Routers[0] {
							t.Fatalf("%d owners after %s", len(o), l.Elapsed())
						}
					}
				}
				for _, n := range order {
					cfg := l.Routers[n].Config
					cfg.Instances = slices.Clone(cfg.Instances)
					change(&cfg.Instances[0], n+1)
					l.Reload(l.Routers[n], cfg)
					watch(20 * time.Second)
				}
				watch(3 * time.Minute)
				if len(l.Problems) > 0 {
					t.Fatal(l.Problems)
				}
			})
		}
	}
}

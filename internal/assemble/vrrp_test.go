package assemble

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/vrrp"
)

func TestVRRPTakesEverythingThatDecidesOwnership(t *testing.T) {
	m := &config.Model{
		Global: config.GlobalDefs{DefaultInterface: "eth9", BalancerDownFault: 30 * time.Second, GarpInterval: time.Millisecond},
		Instances: []config.VRRPInstance{
			{
				Name: "VI_1", Interface: "eth0", VRID: 51, Priority: 150, Version: 3, AdvertInt: 10 * time.Millisecond, State: "MASTER",
				VIPs:         []config.Address{{Prefix: netip.MustParsePrefix("10.0.0.1/24"), Dev: "eth1", Scope: "link", Broadcast: "+"}},
				ExcludedVIPs: []config.Address{{Prefix: netip.MustParsePrefix("10.0.0.2/32"), PreferredLft: "0"}},
				TrackScripts: []config.Track{{Name: "s"}, {Name: "s", Weight: 7, WeightSet: true}, {Name: "gone"}},
				Unicast:      true, UnicastTTL: 3, UnicastPeers: []config.UnicastPeer{{Addr: netip.MustParseAddr("10.0.0.9"), MinTTL: -1, MaxTTL: 4}},
				AuthType: "PASS", AuthPass: "x",
			},
			{Name: "VI_2", VRID: 52, Priority: 100, Version: 2, IPv6: true, AuthType: "PASS", AuthPass: "x"},
		},
		Groups:  []config.SyncGroup{{Name: "G", Members: []string{"VI_2", "nobody"}, Blocked: "no such word"}},
		Scripts: []config.VRRPScript{{Name: "s", Weight: -5, Reverse: true}},
	}
	c := VRRP(m)
	v := c.Instances[0]
	if want := (vrrp.ID{Interface: "eth0", Family: vrrp.IPv4, VRID: 51}); v.ID() != want {
		t.Errorf("identity %v, want %v", v.ID(), want)
	}
	wantAddr := []vrrp.Address{
		{Prefix: netip.MustParsePrefix("10.0.0.1/24"), Interface: "eth1", Scope: 253, Broadcast: netip.MustParseAddr("10.0.0.255")},
		{Prefix: netip.MustParsePrefix("10.0.0.2/32"), Excluded: true, Deprecated: true},
	}
	if !reflect.DeepEqual(v.Addresses, wantAddr) {
		t.Errorf("addresses %+v, want %+v", v.Addresses, wantAddr)
	}
	wantTracks := []vrrp.TrackRef{{ID: "script/s", Weight: -5, Reverse: true}, {ID: "script/s", Weight: 7}}
	if !reflect.DeepEqual(v.Tracks, wantTracks) {
		t.Errorf("tracks %+v, want %+v", v.Tracks, wantTracks)
	}
	if v.Auth.Type != "" {
		t.Error("version 3 has no authentication")
	}
	if want := []vrrp.Peer{{Addr: netip.MustParseAddr("10.0.0.9"), MaxTTL: 4}}; !reflect.DeepEqual(v.Peers, want) || v.TTL != 3 {
		t.Errorf("peers %+v ttl %d, want %+v", v.Peers, v.TTL, want)
	}
	if !v.StartMaster || !v.Serves || c.HoldWithoutBalancer != 30*time.Second || v.Gratuitous.Interval != time.Millisecond {
		t.Errorf("got %+v", v)
	}
	w := c.Instances[1]
	if w.Interface != "eth9" || w.Family != vrrp.IPv6 || w.Auth.Key != "x" || w.Blocked == "" || w.Serves {
		t.Errorf("a group's error blocks its members; default_interface fills in: %+v", w)
	}
	if want := []vrrp.ID{w.ID()}; !reflect.DeepEqual(c.Groups[0].Members, want) {
		t.Errorf("members %v, want %v", c.Groups[0].Members, want)
	}
	if !reflect.DeepEqual(c, VRRP(m)) {
		t.Error("the same model must give the same configuration")
	}
}

func TestTrackedVirtualServers(t *testing.T) {
	a := netip.MustParseAddr("192.0.2.1")
	m := &config.Model{
		Instances:      []config.VRRPInstance{{Name: "VI", TrackVirtualServers: []config.Track{{Name: "192.0.2.1:80", Weight: -20}, {Name: "fwmark:7"}}}},
		Groups:         []config.SyncGroup{{Name: "G", TrackVirtualServers: []config.Track{{Name: "web"}}}},
		VirtualServers: []config.VirtualServer{{Addr: a, Port: 80, Protocol: "tcp"}, {Addr: a, Port: 80, Protocol: "udp"}, {Fwmark: 7}, {Group: "web", Protocol: "tcp"}, {Addr: a, Port: 81}},
	}
	c := VRRP(m)
	if want := []vrrp.TrackRef{{ID: "virtual_server/192.0.2.1:80", Weight: -20}, {ID: "virtual_server/fwmark:7"}}; !reflect.DeepEqual(c.Instances[0].Tracks, want) {
		t.Errorf("tracks %+v", c.Instances[0].Tracks)
	}
	want := map[string][]string{"virtual_server/192.0.2.1:80": {"TCP 192.0.2.1:80", "UDP 192.0.2.1:80"}, "virtual_server/fwmark:7": {"FWM 7"}, "virtual_server/web": {"group web TCP"}}
	if got := TrackedPools(m); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

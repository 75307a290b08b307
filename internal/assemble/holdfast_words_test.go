package assemble

import (
	"net/netip"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/config"
)

// TestHoldfastWords shows that the words keepalived does not have reach the pools.
func TestHoldfastWords(t *testing.T) {
	m := &config.Model{VirtualServers: []config.VirtualServer{
		{Addr: netip.MustParseAddr("192.0.2.1"), Port: 80, Protocol: "tcp", DrainTimeout: time.Minute, SlowStart: time.Second, PanicThreshold: 30, MasterOf: "VI",
			RealServers: []config.RealServer{{Addr: netip.MustParseAddr("10.0.0.1"), Port: 80, Weight: 1}}},
		{Addr: netip.MustParseAddr("192.0.2.2"), Port: 80, Protocol: "tcp"},
	}}
	v := VirtualServers(m)[0]
	if v.PanicThreshold != 30 || v.Servers[0].DrainTimeout != time.Minute || v.Servers[0].SlowStart != time.Second {
		t.Errorf("%+v", v)
	}
	if only := MasterOnly(m); len(only) != 1 || only["TCP 192.0.2.1:80"] != "VI" {
		t.Errorf("%v", only)
	}
	m.VirtualServers[1].AlsoProtocols = []string{"udp"}
	if k := VirtualServers(m)[1].Keys; len(k) != 2 || k[0].String() != "TCP 192.0.2.2:80" || k[1].String() != "UDP 192.0.2.2:80" {
		t.Errorf("two protocols: %v", k)
	}
	if len(IPVSSysctls(m)) != 0 {
		t.Error("sysctls that nobody asked for")
	}
	m.Global.ManageIPVSSysctls = true
	if len(IPVSSysctls(m)) != 2 {
		t.Error("no sysctls")
	}
}

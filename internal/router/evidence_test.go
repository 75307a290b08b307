package router

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/vrrp"
)

func TestARefusalNamesTheHardwareAddress(t *testing.T) {
	r := start(t, &memoryStore{}, eth0())
	b := r.balancer()
	c := oneInstance()
	b.apply(1, c)
	src := netip.MustParseAddr("192.0.2.2")
	r.wire.arrive(vrrp.Packet{Interface: "eth0", Family: vrrp.IPv4, Src: src, Dst: vrrp.Group4, TTL: 254, Proto: vrrp.ProtoVRRP,
		Payload: vrrp.Marshal(c.Instances[0], src, vrrp.Group4, 200)})
	b.wait("the refusal", func(m seam.Message) bool {
		return m.Event != nil && m.Event.Event.ID == "vrrp.refused" && strings.Contains(fmt.Sprint(m.Event.Event.Values), "hardware address 02:00:00:00:00:09")
	})
}

func TestTheFirstAdvertOfAVirtualMACComesFromIt(t *testing.T) {
	r := start(t, &memoryStore{}, eth0())
	b := r.balancer()
	c := oneInstance()
	c.Instances[0].VMAC = vrrp.VMAC{Name: "vrrp.51", MAC: "00:00:5e:00:01:33"}
	b.apply(1, c)
	b.wait("MASTER", transitionTo(vrrp.Master))
	r.wire.mu.Lock()
	defer r.wire.mu.Unlock()
	for _, s := range r.wire.out {
		if s.iface != "00:00:5e:00:01:33" { // the macvlan never comes up here
			t.Errorf("an advert left from %s", s.iface)
		}
	}
	if len(r.wire.out) == 0 {
		t.Error("no advert")
	}
}

func TestWhoLetsGoOfAVirtualMACAsksForIt(t *testing.T) {
	r := start(t, &memoryStore{}, eth0())
	b := r.balancer()
	c := oneInstance()
	i := &c.Instances[0]
	i.VMAC = vrrp.VMAC{Name: "vrrp.51", MAC: "00:00:5e:00:01:33"}
	for n := range i.Addresses {
		i.Addresses[n].On = "vrrp.51"
	}
	b.apply(1, c)
	b.wait("MASTER", transitionTo(vrrp.Master))
	src := netip.MustParseAddr("192.0.2.2")
	r.wire.arrive(vrrp.Packet{Interface: "eth0", Family: vrrp.IPv4, Src: src, Dst: vrrp.Group4, TTL: 255, Proto: vrrp.ProtoVRRP, Payload: vrrp.Marshal(*i, src, vrrp.Group4, 200)})
	b.wait("BACKUP", transitionTo(vrrp.Backup))
	for end := time.Now().Add(20 * time.Second); ; {
		r.kernel.mu.Lock()
		asked := slices.Clone(r.kernel.asked)
		r.kernel.mu.Unlock()
		if len(asked) == 1 && asked[0] == i.Addresses[0].Prefix.Addr() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("asked for %v", asked)
		}
		time.Sleep(time.Millisecond)
	}
}

// A MASTER asks for its own addresses and tells of others that answer, once; its own interfaces and virtual MACs are nobody else.
func TestSomebodyElseClaimsAnAddress(t *testing.T) {
	r := start(t, &memoryStore{}, eth0())
	other := net.HardwareAddr{2, 0, 0, 0, 0, 0x21}
	c := oneInstance()
	vip := c.Instances[0].Addresses[0].Prefix.Addr()
	r.kernel.mu.Lock()
	r.kernel.claims = map[netip.Addr][]net.HardwareAddr{vip: {eth0().MAC, {0, 0, 0x5e, 0, 1, 9}, other}}
	r.kernel.mu.Unlock()
	b := r.balancer()
	b.apply(1, c)
	b.wait("the claim", func(m seam.Message) bool {
		if m.Event == nil || m.Event.Event.ID != "vrrp.address_claimed" {
			return false
		}
		text := fmt.Sprint(m.Event.Event.Values)
		if !strings.Contains(text, other.String()) || !strings.Contains(text, vip.String()) {
			t.Errorf("told: %s", text)
		}
		return true
	})
}

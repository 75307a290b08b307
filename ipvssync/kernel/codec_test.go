package kernel

import (
	"net/netip"
	"testing"

	"github.com/mdlayher/netlink"

	"github.com/holdfast-ha/holdfast/ipvssync"
)

// TestCodec reads back what it writes, for everything a write says.
func TestCodec(t *testing.T) {
	for _, s := range []ipvssync.Service{
		{Key: ipvssync.AddrKey(ipvssync.TCP, netip.MustParseAddrPort("192.0.2.1:80")), Scheduler: "sh", Flags: ipvssync.Sched1, Persistence: 60, Mask: 24, Engine: "sip"},
		{Key: ipvssync.AddrKey(ipvssync.SCTP, netip.MustParseAddrPort("[2001:db8::1]:0")), Scheduler: "rr", Persistence: 1, Mask: 64},
		{Key: ipvssync.MarkKey(ipvssync.IPv6, 7), Scheduler: "wlc", Flags: ipvssync.OnePacket},
	} {
		b, err := encode(func(ae *netlink.AttributeEncoder) { nestService(ae, s) })
		if err != nil {
			t.Fatal(err)
		}
		st, err := decodeService(b, true)
		if err != nil || !st.service.Same(s) {
			t.Errorf("%+v became %+v, %v", s, st.service, err)
		}
	}
	for _, d := range []ipvssync.Server{
		{Addr: netip.MustParseAddrPort("10.0.0.1:8080"), Weight: 65535, Forward: ipvssync.FULLNAT, Upper: 9, Lower: 3},
		{Addr: netip.MustParseAddrPort("[fd00::7]:80"), Weight: 1, Forward: ipvssync.TUN, Tunnel: ipvssync.Tunnel{Type: ipvssync.GUE, Port: 6080, Flags: ipvssync.TunnelRemCsum}},
	} {
		b, err := encode(func(ae *netlink.AttributeEncoder) { nestServer(ae, d, true) })
		if err != nil {
			t.Fatal(err)
		}
		st, err := decodeServer(b, ipvssync.IPv4, true)
		if err != nil || !st.Same(d) {
			t.Errorf("%+v became %+v, %v", d, st.Server, err)
		}
	}
	for _, d := range []ipvssync.SyncDaemon{
		{Role: ipvssync.SyncMaster, Interface: "eth0", ID: 255, MaxLen: 1400, Group: netip.MustParseAddr("224.0.0.99"), Port: 9000, TTL: 3},
		{Role: ipvssync.SyncBackup, Interface: "eth0", Group: netip.MustParseAddr("ff02::99")},
	} {
		b, err := encodeDaemon(d, true)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decodeDaemon(b); err != nil || got != d {
			t.Errorf("%+v became %+v, %v", d, got, err)
		}
	}
}

func TestSysctlPath(t *testing.T) {
	for name, want := range map[string]string{
		"net.ipv4.vs.conntrack": "/proc/sys/net/ipv4/vs/conntrack", "net.ipv4.conf.eth0/5.rp_filter": "/proc/sys/net/ipv4/conf/eth0.5/rp_filter",
		"net..x": "", "": "", "net.//.x": "",
	} {
		if got, err := sysctlPath(name); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
}

func TestSpans(t *testing.T) {
	a := func(list ...string) (out []netip.Addr) {
		for _, s := range list {
			out = append(out, netip.MustParseAddr(s))
		}
		return out
	}
	r := ipvssync.FullNATRule{Protocol: ipvssync.TCP, Addr: a("192.0.2.1")[0], Port: 80}
	for _, c := range []struct {
		local []netip.Addr
		want  string
	}{
		{nil, "TCP 192.0.2.1:80 masquerade;"},
		{a("10.0.0.1"), "TCP 192.0.2.1:80 10.0.0.1;"},
		{a("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.9"), "TCP 192.0.2.1:80 10.0.0.1-10.0.0.3;TCP 192.0.2.1:80 10.0.0.9;"},
	} {
		r.Local = c.local
		got := ""
		for _, s := range comments([]ipvssync.FullNATRule{r}) {
			got += s + ";"
		}
		if got != c.want {
			t.Errorf("%v: %s", c.local, got)
		}
	}
}

// FuzzDecode feeds the readers of the kernel's answers any bytes: they refuse, they do not panic.
func FuzzDecode(f *testing.F) {
	b, _ := encode(func(ae *netlink.AttributeEncoder) {
		nestService(ae, ipvssync.Service{Key: ipvssync.AddrKey(ipvssync.TCP, netip.MustParseAddrPort("192.0.2.1:80")), Scheduler: "rr"})
	})
	f.Add(b)
	b, _ = encode(func(ae *netlink.AttributeEncoder) {
		nestServer(ae, ipvssync.Server{Addr: netip.MustParseAddrPort("10.0.0.1:80"), Forward: ipvssync.TUN}, true)
	})
	f.Add(b)
	b, _ = encodeDaemon(ipvssync.SyncDaemon{Role: 1, Interface: "eth0", TTL: 1, Port: 1, MaxLen: 1}, true)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if st, err := decodeService(b, true); err == nil && st.service.Family == 0 {
			t.Error("a service without a family")
		}
		if st, err := decodeServer(b, ipvssync.IPv4, true); err == nil && !st.Addr.Addr().IsValid() {
			t.Error("a server without an address")
		}
		_, _ = decodeDaemon(b)
		_, _ = decodeTimeouts(b)
	})
}

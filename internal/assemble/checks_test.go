package assemble

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/config"
)

func TestChecks(t *testing.T) {
	a := netip.MustParseAddr("10.0.0.11")
	m := &config.Model{
		SSL:        config.SSL{Certificate: "/c", Key: "/k"},
		TrackFiles: []config.TrackFile{{Name: "f", File: "/run/f", Weight: 2}},
		VirtualServers: []config.VirtualServer{{
			Addr: netip.MustParseAddr("192.0.2.1"), Port: 443, Protocol: "tcp",
			RealServers: []config.RealServer{{Addr: a, Port: 443, Checks: []config.Check{
				{Kind: config.TCPCheck, ConnectIP: a, ConnectPort: 444, ConnectTimeout: 2 * time.Second, DelayLoop: 3 * time.Second, Retry: 2,
					DelayBeforeRetry: time.Second, Fwmark: 9, BindIf: "eth0", BindTo: netip.MustParseAddr("10.0.0.1"), Warmup: time.Second},
				{Kind: config.BFDCheck},
				{Kind: config.SSLGet, ConnectIP: a, ConnectPort: 443, EnableSNI: true, VirtualHost: "www", URLs: []config.URL{{Path: "/", StatusCodes: []config.CodeRange{{From: 200, To: 204}}, TLSCompliant: true}}},
				{Kind: config.FileCheck, TrackFile: "f"},
				{Kind: config.MiscCheck, Command: config.Command{Line: "/x y", Argv: []string{"/x", "y"}, User: "nobody"}, DelayLoop: 7 * time.Second, Dynamic: true},
			}}},
		}},
	}
	specs := Checks(m)
	if len(specs) != 4 {
		t.Fatalf("want a spec for each kind that has a probe, got %d", len(specs))
	}
	tcp := specs[0]
	wantTCP := checkers.Spec{
		ID: checkers.ID{Virtual: "TCP 192.0.2.1:443", Real: "10.0.0.11:443"},
		Probe: checkers.Probe{Kind: checkers.TCP, Target: netip.AddrPortFrom(a, 444), Bind: netip.MustParseAddrPort("10.0.0.1:0"), Interface: "eth0",
			Mark: 9, Timeout: 2 * time.Second},
		Rules: checkers.Rules{Interval: 3 * time.Second, Retry: 2, RetryDelay: time.Second},
	}
	if !reflect.DeepEqual(tcp, wantTCP) {
		t.Errorf("got  %+v\nwant %+v (a warmup that the file does not ask for delays nothing)", tcp, wantTCP)
	}
	ssl := specs[1].Probe.Params.(*checkers.HTTPParams)
	if ssl.TLS == nil || ssl.TLS.ServerName != "www" || !ssl.TLS.Compliant || ssl.TLS.Cert != "/c" || ssl.URLs[0].Status[0].To != 204 {
		t.Errorf("SSL_GET %+v %+v", ssl, ssl.TLS)
	}
	if f := specs[2].Probe.Params.(*checkers.FileParams); f.Path != "/run/f" || f.Weight != 2 {
		t.Errorf("FILE_CHECK %+v", f)
	}
	if misc := specs[3]; misc.Probe.Timeout != 7*time.Second || misc.Probe.Params.(*checkers.MiscParams).User != "nobody" {
		t.Errorf("MISC_CHECK %+v", misc)
	}
	pool := VirtualServers(m)[0]
	for _, s := range specs {
		if got := pool.Servers[0].Checks[s.ID.Index]; !strings.HasPrefix(got, s.Probe.Kind.String()) {
			t.Errorf("check %v, %s, is %q in the pool", s.ID, s.Probe.Kind, got)
		}
	}
	if got := pool.Servers[0].Checks; len(got) != 4 {
		t.Errorf("a pool waits for no check that never runs: %v", got)
	}
}

// SNI follows the url, then the check; sni_name stands over both.
func TestServerNames(t *testing.T) {
	urls := []config.URL{{Path: "/a", VirtualHost: "a.example:8443"}, {Path: "/b", VirtualHost: "b.example"}, {Path: "/c"}}
	for _, row := range []struct {
		check config.Check
		want  [4]string // the check's and those of the urls
	}{
		{config.Check{}, [4]string{}},
		{config.Check{EnableSNI: true}, [4]string{"a.example", "", "b.example", ""}},
		{config.Check{EnableSNI: true, VirtualHost: "www.example"}, [4]string{"www.example", "a.example", "b.example", ""}},
		{config.Check{EnableSNI: true, VirtualHost: "www.example", SNIName: "sni.example"}, [4]string{"sni.example", "", "", ""}},
		{config.Check{SNIName: "sni.example"}, [4]string{"sni.example", "", "", ""}},
	} {
		row.check.URLs = urls
		h := httpParams(&config.Model{}, &row.check, true)
		if got := [4]string{h.TLS.ServerName, h.URLs[0].ServerName, h.URLs[1].ServerName, h.URLs[2].ServerName}; got != row.want {
			t.Errorf("%+v: got %q, want %q", row.check, got, row.want)
		}
	}
}

package config

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// read parses one text under the name etc/x.conf.
func read(t *testing.T, text string) (*Model, Diagnostics) {
	t.Helper()
	return Parse(fstest.MapFS{"etc/x.conf": {Data: []byte(text)}}, "/etc/x.conf", Host{Hostname: "d1.example"}, Options{})
}

const first = `
global_defs {
    router_id LB1
}
vrrp_script chk { script "/bin/true -x 'a b'"
    interval 2
}
vrrp_instance VI_1 {
    state MASTER
    interface eth0
    virtual_router_id 51
    priority 150
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass secret-long
    }
    virtual_ipaddress {
        192.0.2.10/24 dev eth0 label eth0:1
        192.0.2.11
    }
    track_script { 
        chk weight -20 
    }
}
virtual_server 192.0.2.10 80 {
    delay_loop 2
    lb_algo wrr
    lb_kind DR
    protocol TCP
    persistence_timeout 50
    sorry_server 10.0.0.9 80
    real_server 10.0.0.1 80 {
        weight 3
        TCP_CHECK { 
            connect_timeout 3
        }
    }
    real_server 10.0.0.2 80 {
        HTTP_GET {
            url {
              path /health
              status_code 200
            }
            retry 2
        }
    }
}
`

func TestFirstConfiguration(t *testing.T) {
	m, ds := read(t, first)
	if ds.HasErrors() {
		t.Fatal(ds)
	}
	i := m.Instance("VI_1")
	if i == nil || i.VRID != 51 || i.Priority != 150 || len(i.VIPs) != 2 || i.VIPs[0].Label != "eth0:1" || i.AuthPass != "secret-l" || i.Version != 2 {
		t.Errorf("instance: %+v", i)
	}
	if i.VIPs[1].Prefix.Bits() != 32 || i.TrackScripts[0].Weight != -20 {
		t.Errorf("addresses %v tracks %v", i.VIPs, i.TrackScripts)
	}
	if s := m.Script("chk"); len(s.Script.Argv) != 3 || s.Script.Argv[2] != "a b" || s.Interval != 2*time.Second {
		t.Errorf("script: %+v", s)
	}
	v := m.VirtualServers[0]
	if v.Scheduler != "wrr" || v.Method.Forward != DR || v.Protocol != "tcp" || v.PersistenceTimeout != 50*time.Second || v.Sorry.Port != 80 {
		t.Errorf("virtual server: %+v", v)
	}
	c := v.RealServers[0].Checks[0]
	if c.Kind != TCPCheck || c.ConnectTimeout != 3*time.Second || c.DelayLoop != 2*time.Second || c.Retry != 1 || c.ConnectPort != 80 || c.ConnectIP != v.RealServers[0].Addr {
		t.Errorf("tcp check: %+v", c)
	}
	h := v.RealServers[1].Checks[0]
	if h.Retry != 2 || h.DelayBeforeRetry != 3*time.Second || len(h.URLs) != 1 || h.URLs[0].StatusCodes[0] != (CodeRange{200, 200}) {
		t.Errorf("http check: %+v", h)
	}
}

func TestManyNotesAreNoError(t *testing.T) {
	var b strings.Builder
	for i := range maxReports + 100 {
		fmt.Fprintf(&b, "virtual_server 10.8.%d.%d 80 {\n protocol TCP\n lb_algo rr\n lb_kind NAT\n real_server 10.9.0.1 80 {\n }\n}\n", i/250, i%250+1)
	}
	_, ds := Parse(fstest.MapFS{"a.conf": {Data: []byte(b.String())}}, "/a.conf", Host{}, Options{})
	if ds.HasErrors() || len(ds) > maxReports+1 {
		t.Errorf("%d notes and the like became %d errors", len(ds), ds.Count(Error))
	}
	b.WriteString("vrrp_instance VI_1 {\n advrt_int 1\n}\n")
	_, ds = Parse(fstest.MapFS{"a.conf": {Data: []byte(b.String())}}, "/a.conf", Host{}, Options{})
	if !ds.HasErrors() {
		t.Error("an error behind many notes is still there")
	}
}

func TestTrackVirtualServer(t *testing.T) {
	const text = "vrrp_instance VI {\n interface eth0\n virtual_router_id 1\n priority 100\n virtual_ipaddress {\n 192.0.2.1/24\n }\n track_virtual_server {\n  192.0.2.1:%s weight -20\n }\n}\n" +
		"virtual_server 192.0.2.1 80 {\n protocol TCP\n lb_algo rr\n lb_kind NAT\n real_server 10.0.0.1 80 {\n }\n}\n"
	m, ds := Parse(fstest.MapFS{"a.conf": {Data: fmt.Appendf(nil, text, "80")}}, "/a.conf", Host{}, Options{})
	if got := m.Instances[0].TrackVirtualServers; ds.HasErrors() || len(got) != 1 || got[0].Name != m.VirtualServers[0].TrackName() || got[0].Weight != -20 {
		t.Errorf("%+v %v", got, ds)
	}
	m, ds = Parse(fstest.MapFS{"a.conf": {Data: fmt.Appendf(nil, text, "81")}}, "/a.conf", Host{}, Options{})
	if m.Instances[0].Blocked == "" || ds.FirstError() == nil || ds.FirstError().Line != 9 {
		t.Errorf("what is not there cannot decide who owns an address: %v", ds)
	}
}

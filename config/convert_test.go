package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

const many = `! a comment in the old style
$NET=192.0.2
global_defs {
    # who gets mail
    notification_email { a@example.com b@example.com
      c@example.com }
    smtp_server 192.0.2.200 2525
    smtp_connect_timeout 1.5
    script_user nobody nogroup
    lvs_sync_daemon eth1 inst VI_1 id 7 maxlen 1400
    lvs_timeouts tcp 900 udp 300
    vrrp_garp_interval 0.001   # fine
    notify_fifo /run/x.fifo
    lvs_flush
    vrrp_skip_check_adv_addr off
}
static_ipaddress {
    10.9.0.1/24 dev eth9 scope link
    fe80::9/64 dev eth9 no_track
}
static_routes { 10.8.0.0/16 via 10.9.0.254 dev eth9 metric 5 }
vrrp_script chk {
    script "/usr/bin/test 'a b' \"c\" # {x}"
    interval 0.5
    weight -20 reverse
}
vrrp_script plain { script /bin/true
}
track_file f { file /run/f
 weight 2 }
vrrp_track_process p { process nginx -g "daemon off"
 quorum 2
}
vrrp_sync_group G {
    group {
      VI_1
      VI_2
    }
    sync_group_tracking_weight
    notify "/usr/bin/n x" root
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority 150
    nopreempt
    advert_int 2
    unicast_src_ip ${NET}.1
    unicast_peer {
        ${NET}.2 min_ttl 250
        # the third one
        ${NET}.3
    }
    authentication { auth_type PASS
        auth_pass "a b#c"
    }
    track_script { chk
      plain weight 3
    }
    track_file { f weight 1 reverse }
    virtual_ipaddress {
        ${NET}.10/24 dev eth0 label eth0:1  # the public one
    }
    virtual_ipaddress_excluded { 2001:db8::10/64
    }
    notify_deleted
    notify_master /usr/bin/m
    smtp_alert
}
vrrp_instance VI_2 { interface eth1
 virtual_router_id 52
 version 3
 advert_int 0.25
 virtual_ipaddress { fe80::1/64
   2001:db8:1::1/64 }
}
virtual_server_group WEB { 192.0.2.10 80
  192.0.2.20-25 443
  fwmark 9 inet6
}
virtual_server group WEB {
    lb_algo sh
    sh-port
    sh-fallback
    lb_kind TUN type gue port 5555 csum
    protocol TCP
    persistence_timeout
    quorum_up "/usr/bin/up 'x y'"
    real_server 10.0.0.1 {
        TCP_CHECK { }
        MISC_CHECK { misc_path "/usr/bin/c -x"
          misc_timeout 3 }
        TCP_CHECK { connect_port 99 }
    }
}
virtual_server fwmark 3 { protocol UDP
  lb_algo rr
  lb_kind NAT
  persistence_granularity 255.255.255.0
  real_server 10.0.0.2 53 {
    weight 0
    DNS_CHECK { type MX
      name example.com }
    UDP_CHECK { payload 00 ff
      require_reply 01xx03 }
    FILE_CHECK { track_file f
      weight -3 }
  }
}
virtual_server 192.0.2.10 443 {
  protocol TCP
  lb_algo wrr
  lb_kind NAT
  delay_loop 6.5
  sorry_server 10.0.0.9 443
  inhibit_on_failure on
  real_server 10.0.0.1 443 {
    lvs_method DR
    SSL_GET {
      url { path "/a?b=1&c#d"
        digest 0123456789abcdef0123456789ABCDEF
        status_code 200-299 301
      }
      url { path /x
        regex "a\"b\\.c {2}"
        virtualhost www.example.com
      }
      nb_get_retry 3
      http_protocol 1.1
    }
  }
}
`

func convertText(t *testing.T, text, to string) (string, Diagnostics) {
	t.Helper()
	return Convert(fstest.MapFS{"etc/x.conf": {Data: []byte(text)}}, "/etc/x.conf", Host{Hostname: "d1.example"}, Options{}, to)
}

// conversions checks that a text means the same after every conversion.
func conversions(t *testing.T, name, text string) {
	t.Helper()
	m, ds := read(t, text)
	if ds.HasErrors() {
		return // what is not understood is not converted
	}
	want := dump(m)
	for _, path := range [][]string{{"yaml"}, {"keepalived"}, {"yaml", "keepalived"}, {"yaml", "yaml"}, {"keepalived", "yaml"}} {
		out := text
		for _, to := range path {
			var cd Diagnostics
			out, cd = convertText(t, out, to)
			for _, d := range cd {
				if d.Code == "not-convertible" {
					t.Errorf("%s: %v", name, d)
				}
			}
		}
		m2, d2 := read(t, out)
		if m2.Syntax != path[len(path)-1] && len(out) > 100 {
			t.Errorf("%s: the result is read as %s", name, m2.Syntax)
		}
		if got := dump(m2); got != want {
			t.Errorf("%s by way of %v: the model differs:\n%s\n%v\n%s", name, path, firstDifference(want, got), d2, out)
			return
		}
	}
}

func TestConvertKeepsTheMeaning(t *testing.T) {
	_, ds := read(t, many)
	if ds.RefuseStart() {
		t.Fatal(ds)
	}
	conversions(t, "first", first)
	conversions(t, "first YAML", firstYAML)
	conversions(t, "many", many)
	files, _ := filepath.Glob("../examples/*/*.conf")
	more, _ := filepath.Glob("../examples/*/*.yaml")
	for _, f := range append(files, more...) {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		conversions(t, f, string(b))
	}
}

func TestConvertKeepsComments(t *testing.T) {
	y, _ := convertText(t, many, "yaml")
	k, _ := convertText(t, y, "keepalived")
	for _, c := range []string{"# a comment in the old style", "# who gets mail", "# fine", "# the third one", "# the public one"} {
		if !strings.Contains(y, c) {
			t.Errorf("the YAML lost %q:\n%s", c, y)
		}
		if !strings.Contains(k, c) {
			t.Errorf("on the way back %q was lost:\n%s", c, k)
		}
	}
}

// The files of a corpus at hand mean the same in either syntax.
func TestConvertCorpus(t *testing.T) {
	dir := os.Getenv("HOLDFAST_CORPUS")
	if dir == "" {
		t.Log("HOLDFAST_CORPUS names no directory: the examples above must do")
		return
	}
	names, _ := filepath.Glob(filepath.Join(dir, "*.conf"))
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		conversions(t, filepath.Base(n), string(b))
	}
}

func TestFormatKeepsTheMeaning(t *testing.T) {
	texts := map[string]string{"first": first, "firstYAML": firstYAML, "many": many,
		"definitions": "$B=vrrp_script s$N{\\\n  script   \"/bin/a   b\"\\\n }\n~SEQ(N, 2) $B\n", "include": "include a{b,c}.conf\n"}
	if dir := os.Getenv("HOLDFAST_CORPUS"); dir != "" {
		names, _ := filepath.Glob(filepath.Join(dir, "*.conf"))
		for _, n := range names {
			b, err := os.ReadFile(n)
			if err != nil {
				t.Fatal(err)
			}
			texts[n] = string(b)
		}
	}
	for name, text := range texts {
		out, ds := Format(fstest.MapFS{"etc/x.conf": {Data: []byte(text)}}, "/etc/x.conf", Options{})
		if ds.HasErrors() {
			continue
		}
		a, _ := read(t, text)
		b, _ := read(t, out)
		if x, y := dump(a), dump(b); x != y {
			t.Errorf("%s: the model differs:\n%s\n%s", name, firstDifference(x, y), out)
		}
		again, _ := Format(fstest.MapFS{"etc/x.conf": {Data: []byte(out)}}, "/etc/x.conf", Options{})
		if again != out {
			t.Errorf("%s: formatting twice differs:\n%s", name, firstDifference(out, again))
		}
	}
}

// Blank lines are part of how people order a file: fmt keeps one where there were some.
func TestFormatKeepsBlankLines(t *testing.T) {
	in := "# head\n\nglobal_defs:\n    router_id: a\n\n\n# instances\n# more\nvrrp_instance:\n\n  # first\n  A:\n    interface:   eth0\n\n    virtual_router_id: 1\n    virtual_ipaddress: [10.0.0.1/24,\n      10.0.0.2/24]\n    notify: |\n      /bin/a\n\n      b\n\n  # second\n\n  B:\n    interface: eth0   # x\n\n# end\n"
	want := "# head\n\nglobal_defs:\n  router_id: a\n\n# instances\n# more\nvrrp_instance:\n\n  # first\n  A:\n    interface: eth0\n\n    virtual_router_id: 1\n    virtual_ipaddress: [10.0.0.1/24, 10.0.0.2/24]\n    notify: |\n      /bin/a\n\n      b\n\n  # second\n  B:\n    interface: eth0 # x\n\n# end\n"
	out, ds := Format(fstest.MapFS{"x": {Data: []byte(in)}}, "/x", Options{})
	if ds.HasErrors() || out != want {
		t.Errorf("%v\n%s\n%s", ds, firstDifference(want, out), out)
	}
	if again, _ := Format(fstest.MapFS{"x": {Data: []byte(out)}}, "/x", Options{}); again != out {
		t.Errorf("formatting twice differs:\n%s", firstDifference(out, again))
	}
}

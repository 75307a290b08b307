package config

import (
	"strings"
	"testing"
)

const firstYAML = `
# the same as the other one
global_defs:
  router_id: LB1
vrrp_script:
  - name: chk
    script: /bin/true -x 'a b'
    interval: 2s
vrrp_instance:
  - name: VI_1
    state: MASTER
    interface: eth0
    virtual_router_id: 51
    priority: 150
    advert_int: 1000ms
    authentication:
      auth_type: PASS
      auth_pass: secret-long
    virtual_ipaddress:
      - 192.0.2.10/24 dev eth0 label eth0:1
      - address: 192.0.2.11
    track_script:
      - name: chk
        weight: -20
virtual_server:
  - address: 192.0.2.10
    port: 80
    delay_loop: 2
    lb_algo: wrr
    lb_kind: DR
    protocol: TCP
    persistence_timeout: 50
    sorry_server: {address: 10.0.0.9, port: 80}
    real_server:
      - address: 10.0.0.1
        port: 80
        weight: 3
        TCP_CHECK:
          connect_timeout: 3
      - address: 10.0.0.2
        port: 80
        HTTP_GET:
          url:
            - path: /health
              status_code: 200
          retry: 2
`

func TestBothSyntaxesGiveOneModel(t *testing.T) {
	a, d1 := read(t, first)
	b, d2 := read(t, firstYAML)
	if d1.HasErrors() || d2.HasErrors() {
		t.Fatal(d1, d2)
	}
	if b.Syntax != "yaml" {
		t.Errorf("syntax %s", b.Syntax)
	}
	if x, y := dump(a), dump(b); x != y {
		t.Errorf("the models differ:\n%s", firstDifference(x, y))
	}
}

func TestYAMLTraps(t *testing.T) {
	for _, c := range []struct{ name, text, code, in string }{
		{"unknown key", "vrrp_instance:\n  - name: A\n    prioritty: 3\n", "unknown-keyword", "did you mean priority"},
		{"duplicate key", "global_defs:\n  router_id: a\n  router_id: b\n", "yaml-twice", "3:3"},
		{"fraction", "virtual_server:\n - {address: 10.0.0.1, port: 80.5}\n", "bad-number", "80.5"},
		{"octal", "vrrp_instance:\n - {name: A, priority: 010}\n", "bad-number", "010"},
		{"null", "vrrp_instance:\n - {name: A, interface: ~}\n", "missing-argument", "interface"},
		{"two documents", "---\nglobal_defs: {}\n---\nglobal_defs: {}\n", "yaml-documents", ""},
		{"list at top", "- a\n- b\n", "yaml-shape", ""},
		{"syntax", "global_defs:\n  router_id: [\n", "yaml-syntax", ""},
		{"unknown anchor", "global_defs: *x\n", "yaml-syntax", ""},
		{"alias of itself", "global_defs: &a\n  notification_email: *a\n", "yaml-shape", ""},
		{"option", "static_ipaddress:\n  - {address: 10.0.0.1, devv: eth0}\n", "unknown-keyword", "did you mean dev"},
	} {
		text := c.text
		if c.name == "list at top" {
			text = "---\n" + text
		}
		_, ds := read(t, text)
		found := false
		for _, d := range ds {
			found = found || d.Severity == Error && d.Code == c.code && strings.Contains(d.String(), c.in)
		}
		if !found {
			t.Errorf("%s: no %s with %q in %v", c.name, c.code, c.in, ds)
		}
	}
}

func TestYAMLMerge(t *testing.T) {
	m, ds := read(t, "vrrp_instance:\n  - &base\n    name: A\n    interface: eth0\n    virtual_router_id: 1\n    virtual_ipaddress: [10.0.0.1]\n  - <<: *base\n    name: B\n    virtual_router_id: 2\n    virtual_ipaddress: [10.0.0.2]\n")
	if ds.HasErrors() || len(m.Instances) != 2 || m.Instances[1].Interface != "eth0" || m.Instances[1].VRID != 2 {
		t.Errorf("%+v %v", m.Instances, ds)
	}
}

package config

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

func filesystem(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[strings.TrimPrefix(name, "/")] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	return fsys
}

// A configuration cut into files means what it means in one.
func TestYAMLIncludes(t *testing.T) {
	const whole = `
global_defs:
  router_id: one
  notification_email: [a@example.org, b@example.org]
vrrp_script:
  - name: s
    script: /usr/bin/ok
    interval: 250ms
vrrp_instance:
  - name: A
    interface: eth0
    virtual_router_id: 1
    priority: 100
    virtual_ipaddress: [192.0.2.10/24, 192.0.2.11/24]
    track_script: [s]
  - name: B
    interface: eth0
    virtual_router_id: 2
    priority: 100
    virtual_ipaddress: [192.0.2.12/24]
virtual_server_group:
  G: [192.0.2.10 80, 192.0.2.11 80]
virtual_server:
  - group: G
    lb_algo: rr
    lb_kind: NAT
    protocol: TCP
    real_server:
      - address: 192.0.2.21
        port: 80
        TCP_CHECK: {connect_timeout: 1s}
      - address: 192.0.2.22
        port: 80
        TCP_CHECK: {connect_timeout: 1s}
`
	for name, files := range map[string]map[string]string{
		"top level": {"/etc/x.yaml": "include: d/*.yaml\n",
			"/etc/d/1.yaml": whole},
		"list of files and patterns": {
			"/etc/x.yaml":         "include:\n  - base.yaml\n  - /srv/{a,b}.yaml\nglobal_defs:\n  router_id: one\n",
			"/etc/base.yaml":      "global_defs: {notification_email: [{include: mail.yaml}, b@example.org]}\n",
			"/etc/mail.yaml":      "- a@example.org\n",
			"/srv/a.yaml":         cut(whole, "vrrp_script:", "virtual_server_group:"),
			"/srv/b.yaml":         "includem: c/group.yaml\nvirtual_server: {include: c/servers.yaml}\n",
			"/srv/c/group.yaml":   "virtual_server_group: {include: names.yaml}\n",
			"/srv/c/names.yaml":   "G: [192.0.2.10 80, {include: more.yaml}]\n",
			"/srv/c/more.yaml":    "- 192.0.2.11 80\n",
			"/srv/c/servers.yaml": "- group: G\n  include: [common.yaml]\n  real_server:\n    - {include: rs1.yaml}\n    - include: rs2.yaml\n",
			"/srv/c/common.yaml":  "# shared\nlb_algo: rr\nlb_kind: NAT\nprotocol: TCP\n",
			"/srv/c/rs1.yaml":     "address: 192.0.2.21\nport: 80\nTCP_CHECK: {include: check.yaml}\n",
			"/srv/c/rs2.yaml":     "- address: 192.0.2.22\n  port: 80\n  TCP_CHECK:\n    - include: check.yaml\n",
			"/srv/c/check.yaml":   "connect_timeout: 1s\n"},
		"names": {
			"/etc/x.yaml":    cut(whole, "global_defs:", "vrrp_instance:") + "vrrp_instance:\n  include: i.yaml\n  B: {include: b.yaml}\n" + cut(whole, "virtual_server_group:", ""),
			"/etc/i.yaml":    "A: {interface: eth0, virtual_router_id: 1, priority: 100, virtual_ipaddress: {include: vips.yaml}, track_script: [s]}\n",
			"/etc/vips.yaml": "[192.0.2.10/24, 192.0.2.11/24]\n",
			"/etc/b.yaml":    "{\"interface\": eth0, \"virtual_router_id\": 2, priority: 100, virtual_ipaddress: 192.0.2.12/24}\n"},
		"keepalived's language inside": {
			"/etc/x.yaml": cut(whole, "global_defs:", "vrrp_instance:") + "include: '*.conf'\nvirtual_server_group:\n  G:\n    - include: group.txt\n" +
				strings.Replace(cut(whole, "virtual_server:", "      - address: 192.0.2.22"), "{connect_timeout: 1s}", "{include: check.txt}", 1) + "      - include: rs.txt\n",
			"/etc/a.conf":    "vrrp_instance A {\n interface eth0\n virtual_router_id 1\n priority 100\n virtual_ipaddress {\n include vips.txt\n }\n track_script {\n s\n }\n}\n",
			"/etc/b.conf":    "$N=2\nvrrp_instance B {\n interface eth0\n virtual_router_id $N\n priority 100\n virtual_ipaddress {\n 192.0.2.12/24\n }\n}\n",
			"/etc/vips.txt":  "192.0.2.10/24\n192.0.2.11/24\n",
			"/etc/group.txt": "192.0.2.10 80\n192.0.2.11 80\n",
			"/etc/check.txt": "connect_timeout 1\n",
			"/etc/rs.txt":    "real_server 192.0.2.22 80 {\n TCP_CHECK {\n connect_timeout 1\n }\n}\n"},
		"YAML inside of keepalived's language": {
			"/etc/x.yaml":    "global_defs {\n include g.yaml\n}\ninclude rest.yaml\n",
			"/etc/g.yaml":    "router_id: one\nnotification_email: [a@example.org, b@example.org]\n",
			"/etc/rest.yaml": cut(whole, "vrrp_script:", "")},
	} {
		want, ds := Parse(filesystem(map[string]string{"/etc/x.yaml": whole}), "/etc/x.yaml", reasonHost, Options{})
		if ds.Fails(false) {
			t.Fatal(ds)
		}
		fsys := filesystem(files)
		got, ds := Parse(fsys, "/etc/x.yaml", reasonHost, Options{})
		if ds.Fails(false) {
			t.Errorf("%s: %v", name, ds.Text(false))
			continue
		}
		if a, b := dump(want), dump(got); a != b {
			t.Errorf("%s: %s", name, firstDifference(a, b))
		}
		if len(got.Files) != len(files) && name != "list of files and patterns" || got.Files[0] != "/etc/x.yaml" {
			t.Errorf("%s: files %v", name, got.Files)
		}
		for _, to := range []string{"yaml", "keepalived"} {
			out, ds := Convert(fsys, "/etc/x.yaml", reasonHost, Options{}, to)
			if ds.HasErrors() {
				t.Errorf("%s: %v", name, ds)
			}
			again, ds := Parse(filesystem(map[string]string{"/etc/x.yaml": out}), "/etc/x.yaml", reasonHost, Options{})
			if a, b := dump(want), dump(again); a != b {
				t.Errorf("%s as %s: %s\n%v\n%s", name, to, firstDifference(a, b), ds, out)
			}
		}
	}
}

// cut is the part of s from one mark to another, or to the end.
func cut(s, from, to string) string {
	s = s[strings.Index(s, from):]
	if to != "" {
		s = s[:strings.Index(s, to)]
	}
	return s
}

func TestYAMLIncludeMistakes(t *testing.T) {
	for _, c := range []struct {
		name, x, a string
		code, at   string
		want       string
		chain      string
	}{
		{"loop", "include: a.yaml\n", "include: x.yaml\n", "include-unreadable", "/etc/a.yaml:1:10", "includes itself", "/etc/x.yaml:1:10"},
		{"itself", "include: x.yaml\n", "", "include-unreadable", "/etc/x.yaml:1:10", "includes itself", ""},
		{"absent", "include: none.yaml\n", "", "include-missing", "/etc/x.yaml:1:10", "does not exist", ""},
		{"absent, strictly", "includea: no*.yaml\n", "", "include-missing", "/etc/x.yaml:1:11", "matches no file", ""},
		{"mistake inside", "vrrp_instance:\n  - include: a.yaml\n", "- name: A\n  interface: eth0\n  prioritty: 3\n", "unknown-keyword", "/etc/a.yaml:3:3", "prioritty", "/etc/x.yaml:2:14"},
		{"no map", "include: a.yaml\n", "- a\n- b\n", "yaml-shape", "/etc/a.yaml:1:1", "map of keywords", "/etc/x.yaml:1:10"},
		{"no list of names", "include: {a: b}\n", "", "yaml-shape", "/etc/x.yaml:1:10", "names files", ""},
		{"nothing", "include:\n", "", "yaml-shape", "/etc/x.yaml:1:", "names files", ""},
		{"broken", "include: a.yaml\n", "a: [\n", "yaml-syntax", "/etc/a.yaml", "", "/etc/x.yaml:1:10"},
		{"binary", "include: a.yaml\n", "\x7fELF\x00\x00", "not-text", "/etc/a.yaml", "not text", "/etc/x.yaml:1:10"},
		{"template", "include: a.yaml\n", "global_defs:\n  router_id: {{ id }}\n", "template", "/etc/a.yaml:2:14", "never filled in", "/etc/x.yaml:1:10"},
		{"twice", "include: a.yaml\ninclude: a.yaml\n", "global_defs: {}\n", "yaml-twice", "/etc/x.yaml:2:1", "twice", ""},
		{"a list where it has no place", "vrrp_instance A {\n state MASTER\n include a.yaml\n}\n", "- x\n", "yaml-shape", "/etc/a.yaml:1:1", "map of keywords", "/etc/x.yaml:3:2"},
	} {
		fsys := filesystem(map[string]string{"/etc/x.yaml": c.x, "/etc/a.yaml": c.a})
		_, ds := Parse(fsys, "/etc/x.yaml", Host{}, Options{})
		found := false
		for _, d := range ds {
			found = found || d.Code == c.code && strings.HasPrefix(d.String(), c.at) && strings.Contains(d.Message, c.want) && strings.Join(d.Included, " ") == c.chain
		}
		if !found {
			t.Errorf("%s: no %s at %s with %q and chain %q in %+v", c.name, c.code, c.at, c.want, c.chain, ds)
		}
	}
}

// A handful of files that include each other many times over end in one error.
func TestYAMLIncludesAreBounded(t *testing.T) {
	files := map[string]string{"/etc/x.yaml": "include: [0.yaml, 0.yaml, 0.yaml, 0.yaml, 0.yaml, 0.yaml, 0.yaml, 0.yaml, 0.yaml, 0.yaml]\n"}
	for i := range 8 {
		files[fmt.Sprintf("/etc/%d.yaml", i)] = strings.ReplaceAll(files["/etc/x.yaml"], "0.", fmt.Sprint(i+1)+".")
	}
	files["/etc/8.yaml"] = "global_defs: {}\n"
	_, ds := Parse(filesystem(files), "/etc/x.yaml", Host{}, Options{})
	if ds.Count(Error) != 1 || !strings.Contains(ds.Err(), "more than 10000 files") || !ds.RefuseStart() {
		t.Error(len(ds), ds)
	}
}

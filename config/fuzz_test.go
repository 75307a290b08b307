package config

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"
)

func seeds(f *testing.F) {
	f.Add(first)
	f.Add(firstYAML)
	f.Add("$A=b {\\\n c\\\n}\n~SEQ(i,2,4) $A\n@x y\ninclude *.conf\n")
	f.Add("a: &a [*a]\n")
	f.Add("virtual_server_group G {\n 10.0.0.1-5 80\n fe80::1-ff 53\n fwmark 7 inet6\n}\nvirtual_server group G { }\n")
	f.Add("vrrp_instance A { virtual_routes { 10/8 via 1.2.3.4 nexthop via ::1 dev x weight 3 encap ip }\n virtual_rules { not from 10.0.0.0/8 fwmark 0x1/0xff lookup 7 }\n}\n")
	// Real files make good seeds where they are at hand; they are not part of the repository.
	if dir := os.Getenv("HOLDFAST_CORPUS"); dir != "" {
		names, _ := filepath.Glob(filepath.Join(dir, "*.conf"))
		for _, n := range names {
			if b, err := os.ReadFile(n); err == nil {
				f.Add(string(b))
			}
		}
	}
}

// FuzzParse: no text makes the reader panic, hang or contradict itself.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<16 {
			return
		}
		fsys := fstest.MapFS{"etc/x.conf": {Data: []byte(text)}, "etc/y.conf": {Data: []byte("global_defs { }\n")}}
		at := time.Now()
		m, ds := Parse(fsys, "/etc/x.conf", Host{Hostname: "h"}, Options{})
		if m == nil {
			t.Fatal("no model")
		}
		_ = ds.Text(true)
		if took := time.Since(at); took > 30*time.Second {
			t.Fatalf("took %v", took)
		}
	})
}

// FuzzYAML is the same for the other syntax.
func FuzzYAML(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<16 {
			return
		}
		_, ds := Parse(fstest.MapFS{"etc/x.yaml": {Data: []byte("---\n" + text)}}, "/etc/x.yaml", Host{}, Options{})
		_ = ds.Text(false)
	})
}

// FuzzInclude: files that include each other in either syntax end, with the same bounds.
func FuzzInclude(f *testing.F) {
	f.Add("include: b\n", "include: c\n", "- include: a\n")
	f.Add("include b\n", "global_defs: {include: [c, a]}\n", "router_id x\n")
	f.Add("vrrp_instance: [{include: b}]\n", "- {name: A, virtual_ipaddress: {include: c}}\n", "10.0.0.1\n")
	f.Add("vrrp_instance A {\n include b\n}\n", "virtual_ipaddress: [{include: '*'}]\n", "- 10.0.0.1 dev eth0\n")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if len(a)+len(b)+len(c) > 1<<14 {
			return
		}
		fsys := filesystem(map[string]string{"/etc/a": a, "/etc/b": b, "/etc/c": c})
		at := time.Now()
		m, ds := Parse(fsys, "/etc/a", Host{Hostname: "h"}, Options{})
		_ = ds.Text(true)
		if took := time.Since(at); m == nil || took > 30*time.Second {
			t.Fatalf("took %v", took)
		}
	})
}

func FuzzWords(f *testing.F) {
	f.Add(`"/bin/a \x41 'b c'" d`)
	f.Fuzz(func(t *testing.T, s string) {
		words, _ := shellWords(s)
		for _, w := range words {
			_ = argvOf(w)
		}
		_ = split(s, place{src: &source{}}, nil)
		_, _, _, _ = decomment(s)
		_ = brace(s)
		_, _ = expandBraces(s, 100)
	})
}

// FuzzConvert: what is understood means the same in the other syntax.
func FuzzConvert(f *testing.F) {
	seeds(f)
	f.Add(many)
	f.Add("global_defs { router_id caf\xe9\n}\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<14 {
			return
		}
		m, ds := read(t, text)
		if ds.HasErrors() || ds.Fails(false) {
			return
		}
		for _, to := range []string{"yaml", "keepalived"} {
			out, cd := convertText(t, text, to)
			if cd.HasErrors() {
				continue // said so: not convertible
			}
			m2, d2 := read(t, out)
			if a, b := dump(m), dump(m2); a != b {
				t.Fatalf("as %s:\n%s\n%v\n%s\nfrom\n%s", to, firstDifference(a, b), d2, out, text)
			}
		}
	})
}

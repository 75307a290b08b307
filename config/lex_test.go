package config

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// flat writes the tree as one line: key(arg arg){...}.
func flat(n *node) string {
	var b strings.Builder
	for i, k := range n.kids {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(k.key.text)
		if len(k.args) > 0 {
			b.WriteByte('(')
			for j := range k.args {
				if j > 0 {
					b.WriteByte('|')
				}
				b.WriteString(k.args[j].text)
			}
			b.WriteByte(')')
		}
		if k.block {
			b.WriteString("{" + flat(k) + "}")
		}
	}
	return b.String()
}

func tree(files map[string]string, opts Options) (string, Diagnostics) {
	fsys := fstest.MapFS{}
	for name, text := range files {
		mode := fs.FileMode(0o644)
		if strings.HasSuffix(name, ".sh") {
			mode = 0o755
		}
		fsys[name] = &fstest.MapFile{Data: []byte(text), Mode: mode}
	}
	ds, _, root := parse(fsys, "/etc/x.conf", Host{Hostname: "lb1.example", Env: func(s string) string { return map[string]string{"IF": "eth7"}[s] }}, opts, false)
	if root == nil {
		return "", ds
	}
	return flat(root), ds
}

func TestTheLanguage(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"comments", "a b # c\n! d\ne f ! g\n", "a(b) e(f)"},
		{"escaped comment characters", `a b\#c d\!e`, "a(b#c|d!e)"},
		{"comment characters in quotes", `a "b # c" "d!e"`, "a(b # c|d!e)"},
		{"single quotes do not protect", `a 'b # c'`, "a('b)"},
		{"a backslash pair does not toggle quotes", `a \"b # c`, "a(\\|b)"},
		{"quotes begin a new word", `ab"c d" e`, "ab(c d|e)"},
		{"empty word", `a "" b`, "a(|b)"},
		{"crlf and bom", "\ufeffa b\r\nc {\r\n d\r\n}\r\n", "a(b) c{d}"},
		{"brace glued", "a b{\nc }", "a(b){c}"},
		{"braces on one line", "a { b c } d { e }", "a{b(c)} d{e}"},
		{"brace on the next line", "a b\n{\nc\n}", "a(b){c}"},
		{"brace in quotes", `a "b{c}"`, "a(b{c})"},
		{"one line one keyword", "url { path / status_code 200 }", "url{path(/|status_code|200)}"},
		{"no continuation", "a b\\\nc", "a(b\\) c"},
		{"definition", "$N=5\na $N b${N}c $N/24 x,$N,y z=$N)\n", "a(5|b5c|$N/24|x,5,y|z=5))"},
		{"definition of a definition", "$A=$B\n$B=3\na $A", "a(3)"},
		{"redefinition", "$A=1\na $A\n$A=2\na $A", "a(1) a(2)"},
		{"empty definition", "$A=\na $A b", "a(b)"},
		{"definition in quotes", "$A=x y\na \"$A z\"", "a(x y z)"},
		{"definition with braces", "$A=b { c }\na\n$A", "a b{c}"},
		{"several lines", "$B=a {\\\n\\\n  b $X # comment\\\n  c $X\\\n }\n$X=1\n$B\n$X=2\n$B\n", "a{b(1) c(1)} a{b(2) c(2)}"},
		{"built in", "a ${_PWD} ${_INSTANCE} ${_HASH}x ${_BANG} ${_ENV IF} ${_ENV NONE}.", "a(/etc|lb1|#x|!|eth7|.)"},
		{"condition", "@lb1 a 1\n@lb2 a 2\n@^lb2 b\n@^lb1 c\n", "a(1) b"},
		{"condition drops braces", "@lb2 a {\n@lb2 b\n@lb2 }\nc", "c"},
		{"condition before definition", "@lb2 $A=2\n@lb1 $A=1\na $A", "a(1)"},
		{"sequence", "~SEQ(i, 3) a $i x${i}y", "a(1|x1y) a(2|x2y) a(3|x3y)"},
		{"sequence from to", "~SEQ(i, 2, 4) a $i", "a(2) a(3) a(4)"},
		{"sequence step", "~SEQ(i, 10, -5, 0) a $i", "a(10) a(5) a(0)"},
		{"negative end", "~SEQ(i, -2) a $i", "a(-1) a(-2)"},
		{"hex", "~SEQx(i, 9, 11) a $i", "a(9) a(a) a(b)"},
		{"hex numbers", "~SEQ(i, 0x0f, 0x10) a $i", "a(15) a(16)"},
		{"nested sequences", "~SEQ(i, 2) ~SEQ(j, 2) a $i $j", "a(1|1) a(1|2) a(2|1) a(2|2)"},
		{"sequence of blocks", "$BLOCK=v $N {\\\n p ${N}0 \\\n}\n~SEQ(N,1,2) $BLOCK\n", "v(1){p(10)} v(2){p(20)}"},
		{"list", "~LST(x, a, b) k $x", "k(a) k(b)"},
		{"list of pairs", "~LST({x,y}, {1,2}, {3}) k $x $y.", "k(1|$y.) k(3|$y.)"},
		{"list of pairs braced", "~LST({x,y}, {1,2}, {3}) k $x ${y}.", "k(1|2.) k(3|.)"},
		{"tabs", "a\tb\t\tc", "a(b|c)"},
		{"latin1 in comments", "a b # caf\xe9\n", "a(b)"},
	} {
		got, ds := tree(map[string]string{"etc/x.conf": c.in}, Options{})
		if got != c.want {
			t.Errorf("%s: got %s, want %s (%v)", c.name, got, c.want, ds)
		}
	}
}

func TestIncludes(t *testing.T) {
	files := map[string]string{
		"etc/x.conf":        "include conf.d/*.conf\ninclude /opt/{a,b}.conf\ninclude nothing/*.conf\n",
		"etc/conf.d/1.conf": "one\ninclude sub/deep.conf\n", "etc/conf.d/2.conf": "two", "etc/conf.d/sub/deep.conf": "deep", "etc/conf.d/3.txt": "three",
		"opt/a.conf": "a", "opt/b.conf": "b",
	}
	got, ds := tree(files, Options{})
	if got != "one deep two a b" {
		t.Errorf("got %s (%v)", got, ds)
	}
	for _, c := range []struct {
		name, line, code string
		sev              Severity
	}{
		{"missing file", "include none.conf", "include-missing", Warning},
		{"includem", "includem none.conf", "include-missing", Error},
		{"includew", "includew none*.conf", "include-missing", Error},
		{"includeb", "includeb {one,two}.conf", "include-missing", Error},
		{"includea", "includea none*.conf", "include-missing", Error},
		{"include_check", "include_check match\ninclude none.conf", "include-missing", Error},
		{"executable", "includer run.sh", "include-unreadable", Error},
		{"itself", "include x.conf", "include-unreadable", Warning},
		{"no name", "include", "missing-argument", Error},
	} {
		_, ds := tree(map[string]string{"etc/x.conf": c.line, "etc/run.sh": "x"}, Options{})
		found := false
		for _, d := range ds {
			found = found || d.Code == c.code && d.Severity == c.sev
		}
		if !found {
			t.Errorf("%s: %v", c.name, ds)
		}
	}
	_, ds = tree(map[string]string{"etc/x.conf": "# x\ninclude y.conf\n", "etc/y.conf": "nonsense here\n"}, Options{})
	if len(ds) == 0 || ds[0].File != "/etc/y.conf" || len(ds[0].Included) != 1 || ds[0].Included[0] != "/etc/x.conf:2:1" {
		t.Errorf("include chain: %+v", ds)
	}
}

func TestBrokenText(t *testing.T) {
	for _, c := range []struct{ name, in, code string }{
		{"extra brace", "global_defs { }\n}\n", "extra-brace"},
		{"missing brace", "global_defs {\n router_id a\n", "missing-brace"},
		{"quote", "global_defs { router_id \"a }\n}\n", "unbalanced-quote"},
		{"nul", "global_defs { }\n" + strings.Repeat("# x\n", 200) + "a\x00b\n", "nul-byte"},
		{"undefined", "global_defs { router_id ${NAME} }\n", "undefined"},
		{"loop", "$A=${A}x\nglobal_defs { router_id ${A} }\n", "definition-loop"},
		{"loop of lines", "$A=$A\\\n$A\\\n\n$A\n$A\n", "definition-loop"},
		{"doubling", "$A=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n" + doubling() + "x ${Z}\n", "definition-loop"},
		{"deep", strings.Repeat("a {\n", 100) + strings.Repeat("}\n", 100), "too-deep"},
		{"step", "~SEQ(i, 1, -1, 5) a\n", "sequence"},
		{"zero step", "~SEQ(i, 1, 0, 5) a\n", "sequence"},
		{"no parenthesis", "~SEQ(i, 1\n", "sequence"},
		{"name twice", "$i=1\n~SEQ(i, 3) a\n", "sequence"},
		{"endless", "~SEQ(a, 100000) ~SEQ(b, 100000) x\n", "too-large"},
		{"nbsp", "global_defs {\n\u00a0 router_id a\n}\n", "odd-blank"},
		{"template", "{% if x %}\nglobal_defs {}\n{% endif %}\n", "template"},
		{"jinja value", "vrrp_instance A {\n priority {{ prio }}\n}\n", "template"},
		{"web page", "<!DOCTYPE html>\n<p>\n", "not-a-configuration"},
		{"binary", "\x7fELF\x00\x00", "not-text"},
		{"condition alone", "@x\n", "condition"},
		{"comment in a word", "global_defs { router_id a!b\n}\n", "comment-in-word"},
		{"empty", "# nothing\n", "empty"},
	} {
		at := time.Now()
		_, ds := tree(map[string]string{"etc/x.conf": c.in}, Options{})
		found := false
		for _, d := range ds {
			found = found || d.Code == c.code
		}
		if !found {
			t.Errorf("%s: no %s in %v", c.name, c.code, ds)
		}
		if took := time.Since(at); took > time.Minute {
			t.Errorf("%s took %v", c.name, took)
		}
	}
}

func doubling() string {
	var b strings.Builder
	for c := 'B'; c <= 'Z'; c++ {
		b.WriteString("$" + string(c) + "=${" + string(c-1) + "}${" + string(c-1) + "}\n")
	}
	return b.String()
}

func TestCommandWords(t *testing.T) {
	for _, c := range []struct {
		in, line, user string
		argv           string
	}{
		{`"/bin/a -x 'b c'"`, "/bin/a -x 'b c'", "", "/bin/a|-x|b c"},
		{`'/bin/a "b c"' bob`, `/bin/a "b c"`, "bob", "/bin/a|b c"},
		{`/bin/a bob`, "/bin/a", "bob", "/bin/a"},
		{`"/bin/a "'b c'`, "/bin/a b c", "", "/bin/a|b|c"},
		{`"/bin/a \x41\n\101"`, `/bin/a \x41\n\101`, "", "/bin/a|A\nA"},
		{`"/bin/a \"b c\""`, `/bin/a "b c"`, "", "/bin/a|b c"},
	} {
		m, ds := read(t, "vrrp_script s {\n script "+c.in+"\n}\n")
		if len(m.Scripts) != 1 {
			t.Fatal(ds)
		}
		s := m.Scripts[0].Script
		if s.Line != c.line || s.User != c.user || strings.Join(s.Argv, "|") != c.argv {
			t.Errorf("%s: %+v", c.in, s)
		}
	}
}

// A sequence may stand behind a brace, and a definition between braces.
func TestDollarsBetweenBraces(t *testing.T) {
	m, ds := read(t, "$KIND=vrrp_instance\n$N=A\n$VIPS=\\\n 10.0.0.1\\\n 10.0.0.2\n$KIND $N { interface eth0\n virtual_router_id 1\n priority 100\n virtual_ipaddress { $VIPS }\n"+
		" virtual_ipaddress { ~SEQ(A,1,2) ~SEQ(B,3,4) 10.1.${A}.${B}\n }\n}\n")
	if ds.HasErrors() || len(m.Instances) != 1 || m.Instances[0].Name != "A" {
		t.Fatal(ds, m.Instances)
	}
	var got []string
	for _, a := range m.Instances[0].VIPs {
		got = append(got, a.Prefix.Addr().String())
	}
	if s := strings.Join(got, " "); s != "10.0.0.1 10.0.0.2 10.1.1.3 10.1.1.4 10.1.2.3 10.1.2.4" {
		t.Error(s)
	}
}

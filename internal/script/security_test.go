package script

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWriter(t *testing.T) {
	for _, c := range []struct {
		uid, gid uint32
		mode     fs.FileMode
		want     string
	}{
		{0, 0, 0o755, ""}, {0, 0, 0o775, ""}, {0, 5, 0o755, ""}, {0, 5, 0o775, "its group"}, {7, 0, 0o755, "its owner"},
		{7, 0, 0o555, ""}, {0, 0, 0o757, "everybody"}, {0, 0, fs.ModeDir | fs.ModeSticky | 0o777, ""}, {0, 0, fs.ModeSticky | 0o777, "everybody"},
		{7, 0, fs.ModeDir | fs.ModeSticky | 0o777, "its owner"},
	} {
		if got := writer(c.uid, c.gid, c.mode); got != c.want {
			t.Errorf("%d:%d %v is changed by %q, want %q", c.uid, c.gid, c.mode, got, c.want)
		}
	}
}

func TestSecureRunsNameThePart(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("about what root runs")
	}
	dir := t.TempDir()
	sub := filepath.Join(dir, "sub")
	file := filepath.Join(sub, "x.sh")
	link := filepath.Join(dir, "link.sh")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Mkdir(sub, 0o755))
	must(os.WriteFile(file, []byte("#!/bin/sh\nexit 0\n"), 0o755))
	must(os.Symlink(file, link))
	must(os.Chmod(dir, 0o755))
	must(os.Chmod(filepath.Dir(dir), 0o755))
	p := pool(t, 1)
	run := func(c Command) string {
		c.Secure = true
		r := p.Run(context.Background(), "", c)
		if r.OK() {
			return ""
		}
		return r.Reason()
	}
	for _, path := range []string{file, link} {
		if got := run(Command{Argv: []string{path}}); got != "" {
			t.Errorf("only root can change %s, yet: %s", path, got)
		}
	}
	must(os.Chmod(sub, 0o777))
	for _, c := range []Command{{Argv: []string{file}}, {Argv: []string{link}}, {Shell: file + " || exit 0"}} {
		if got := run(c); !strings.Contains(got, sub+" (owner 0, group 0, mode drwxrwxrwx) can be changed by everybody") {
			t.Errorf("%v: got %q", c, got)
		}
	}
	if got := run(Command{Argv: []string{file}, User: "nobody"}); got != "" {
		t.Errorf("a script that root does not run may be anybody's: %s", got)
	}
}

func TestFromLine(t *testing.T) {
	for line, shell := range map[string]bool{
		"/bin/check":                        false,
		"/bin/check -c 5 http://x/?a=1&b=2": false,
		"</dev/tcp/127.0.0.1/80":            true,
		" < /etc/passwd":                    true,
		"pidof nginx || exit 1":             true,
		"/usr/bin/pgrep x >/dev/null 2>&1":  true,
		"if test -f /x; then exit 1; fi":    true,
		"a | b":                             true,
		"/bin/check '>' 5":                  false,
		"/bin/check \"a || b\"":             false,
		"/bin/check --min=<5":               false,
	} {
		if c := FromLine(line, strings.Fields(line), "", ""); (c.Shell != "") != shell {
			t.Errorf("%s: %+v", line, c)
		}
	}
	if c := FromLine("", nil, "", ""); !c.Empty() {
		t.Errorf("nothing is nothing: %+v", c)
	}
}

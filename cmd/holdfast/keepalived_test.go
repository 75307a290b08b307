package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// keepalived runs the command under that name and answers what it prints and its exit status.
func keepalived(t *testing.T, args ...string) (out, errs string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	cmd := keepalivedCommand()
	cmd.SetArgs(joinedValues(args))
	cmd.SetOut(&o)
	cmd.SetErr(&e)
	err := cmd.Execute()
	var exit exitError
	switch {
	case errors.As(err, &exit):
		code = exit.code
	case err != nil:
		code = exitFatal
	}
	if err != nil {
		e.WriteString(err.Error())
	}
	return o.String(), e.String(), code
}

func TestKeepalivedsOptions(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.conf"), filepath.Join(dir, "bad.conf")
	for name, text := range map[string]string{good: "global_defs {\n router_id x\n}\n", bad: "vrrp_instance VI_1 {\n advrt_int 1\n}\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args      string
		code      int
		out, errs string
	}{
		{"-v", 0, "", "Keepalived v2.4.3 ("},
		{"--version", 0, "", "--enable-json"},
		{"--signum=DATA", 0, "10\n", ""},
		{"--signum=JSON", 0, "36\n", ""},
		{"--signum=DANCE", 1, "", "STOP, RELOAD"},
		{"-t -f " + good, 0, "", ""},
		{"--config-test -D -d -f " + good, 0, "", ""},
		{"-t -f " + bad, exitProblem, "", "(" + bad + ": Line 2)"},
		{"-t -f " + filepath.Join(dir, "none"), exitProblem, "", "cannot read"},
		{"-V -n -f " + good, exitConfig, "", "--dont-release-vrrp"},
		{"-T", 1, "", "md5sum"},
		{"-t" + filepath.Join(dir, "found") + " -f " + bad, exitProblem, "", ""},
		{"--no-such-option", 1, "", "unknown flag"},
	} {
		out, errs, code := keepalived(t, strings.Fields(c.args)...)
		if code != c.code || out != c.out || !strings.Contains(errs, c.errs) {
			t.Errorf("keepalived %s: exit %d, out %q, errors %q", c.args, code, out, errs)
		}
	}
}

func TestKeepalivedsKeepApart(t *testing.T) {
	seen := map[string]string{}
	for name, f := range map[string]*keepalivedFlags{
		"plain": {pid: "/run/keepalived.pid"}, "pid": {pid: "/run/other.pid"}, "namespace": {pid: "/run/keepalived.pid", daemonFlags: daemonFlags{netns: "blue"}},
	} {
		dir := f.ownRunDir()
		if other, ok := seen[dir]; ok {
			t.Errorf("%s and %s share %s", name, other, dir)
		}
		seen[dir] = name
	}
	if seen[defaultRunDir] != "plain" {
		t.Errorf("got %v", seen)
	}
}

func TestAFailureSaysWhatToDo(t *testing.T) {
	if h := failureHint(fmt.Errorf("open a socket: %w", syscall.EPERM)); !strings.Contains(h, "CAP_NET_RAW") {
		t.Errorf("%q", h)
	}
	if h := failureHint(errors.New("other")); h != "" {
		t.Errorf("%q", h)
	}
}

package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestKeepalivedInThisNamespaceIsNoticed(t *testing.T) {
	dir := t.TempDir()
	pidFile := filepath.Join(dir, "keepalived.pid")
	process := func(pid, comm, net string) {
		if err := os.MkdirAll(filepath.Join(dir, pid, "ns"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, pid, "comm"), []byte(comm+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(net, filepath.Join(dir, pid, "ns/net")); err != nil {
			t.Fatal(err)
		}
	}
	process("self", "holdfast", "net:[1]")
	process("10", "keepalived", "net:[1]")
	process("11", "keepalived", "net:[2]")
	process("12", "bash", "net:[1]")
	for pid, want := range map[string]string{"10\n": "10", "11\n": "", "12\n": "", "13\n": "", "": ""} {
		if err := os.WriteFile(pidFile, []byte(pid), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := keepalivedBeside(pidFile, dir); got != want {
			t.Errorf("pid file %q: %q, want %q", pid, got, want)
		}
	}
	if got := keepalivedBeside(filepath.Join(dir, "none"), dir); got != "" {
		t.Errorf("without a pid file: %q", got)
	}
}

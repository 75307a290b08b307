package control

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAWrongRunDirectoryNamesTheOthers(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "holdfast-blue")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	run := filepath.Join(dir, "holdfast")
	if err := Do(t.Context(), run, Request{Op: OpStatus}, nil); err == nil || strings.Contains(err.Error(), "blue") {
		t.Errorf("a directory without a socket: %v", err)
	}
	if err := os.WriteFile(SocketPath(other), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Do(t.Context(), run, Request{Op: OpStatus}, nil); err == nil || !strings.Contains(err.Error(), "There is --run-dir "+other) {
		t.Errorf("%v", err)
	}
}

package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

const goldenMark = "\n-- diagnostics --\n"

// Every file of testdata/check is a configuration and, below the mark, what is said about it; -update writes that anew.
func TestGoldenDiagnostics(t *testing.T) {
	names, _ := filepath.Glob("testdata/check/*.txt")
	if len(names) == 0 {
		t.Fatal("no golden files")
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		in, want, _ := strings.Cut(string(b), goldenMark)
		_, ds := Parse(fstest.MapFS{"etc/x.conf": {Data: []byte(in)}}, "x.conf", reasonHost, Options{Dir: "/etc"})
		got := ds.Text(false) + ds.Summary() + "\n"
		if *update {
			if err := os.WriteFile(name, []byte(in+goldenMark+got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got != want {
			t.Errorf("%s: other words than expected (go test ./config -run Golden -update writes them):\n%s\n%s", name, firstDifference(want, got), got)
		}
	}
}

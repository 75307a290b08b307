package metrics

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/holdfast-ha/holdfast/internal/control"
)

var update = flag.Bool("update", false, "write the table in docs/metrics.md")

// families are all names with their type, help and labels, from what is written of a full status.
func families(t *testing.T) (table string, names map[string]bool) {
	t.Helper()
	s := status()
	s.Router.UnknownAdverts = map[string]uint64{"vrid": 1}
	var out bytes.Buffer
	if err := Write(&out, s); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	names = map[string]bool{}
	lines := strings.Split(out.String(), "\n")
	label := regexp.MustCompile(`([a-z_]+)="`)
	for i, line := range lines {
		if !strings.HasPrefix(line, "# HELP ") {
			continue
		}
		name, help, _ := strings.Cut(strings.TrimPrefix(line, "# HELP "), " ")
		names[name] = true
		kind := strings.Fields(lines[i+1])[3]
		var labels []string
		for _, m := range label.FindAllStringSubmatch(lines[i+2], -1) {
			labels = append(labels, m[1])
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, kind, strings.Join(labels, ", "), help)
	}
	return b.String(), names
}

func TestTableInTheDocs(t *testing.T) {
	table, _ := families(t)
	const file, begin, end = "../../docs/metrics.md", "|---|---|---|---|\n", "\n<!-- end of the table -->"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok1 := strings.Cut(string(text), begin)
	have, tail, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no table", file)
	}
	if have == table {
		return
	}
	if !*update {
		t.Fatalf("the table in %s is not what the program writes; run: go test ./internal/metrics -update", file)
	}
	if err := os.WriteFile(file, []byte(head+begin+table+end+tail), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestExamplesUseMetricsThatExist(t *testing.T) {
	_, names := families(t)
	files, err := filepath.Glob("../../examples/monitoring/*")
	if err != nil || len(files) < 4 {
		t.Fatalf("%v %v", files, err)
	}
	name := regexp.MustCompile(`holdfast_[a-z0-9_]+`)
	used := 0
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range name.FindAllString(string(text), -1) {
			if used++; !names[n] {
				t.Errorf("%s uses %s, which does not exist", f, n)
			}
		}
		var any any
		switch filepath.Ext(f) {
		case ".json":
			err = json.Unmarshal(text, &any)
		case ".yml":
			err = yaml.Unmarshal(text, &any)
		}
		if err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
	if used < 20 {
		t.Errorf("only %d uses found", used)
	}
}

func TestEmptyStatus(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, control.Status{}); err != nil {
		t.Fatal(err)
	}
	wellFormed(t, b.String())
}

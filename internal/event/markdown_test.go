package event

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/events.md anew")

func TestTableOfEventsIsFresh(t *testing.T) {
	const page = "../../docs/events.md"
	if *update {
		if err := os.WriteFile(page, []byte(Markdown()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != Markdown() {
		t.Errorf("%s is not what the catalogue says; run: go test ./internal/event -update", page)
	}
}

func TestCatalogueIsWellFormed(t *testing.T) {
	id, field := regexp.MustCompile(`^[a-z]+\.[a-z0-9_]+$`), regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	for _, k := range Catalogue() {
		if !id.MatchString(k.ID) {
			t.Errorf("%q is no id: want room.event", k.ID)
		}
		if k.Message == "" || k.Doc == "" {
			t.Errorf("%s has no message or no documentation", k.ID)
		}
		seen := map[string]bool{"event": true, "level": true, "message": true, "time": true}
		for _, f := range k.Fields {
			if !field.MatchString(f) || seen[f] {
				t.Errorf("%s: field %q is reserved, double or misspelt", k.ID, f)
			}
			seen[f] = true
		}
	}
}

func TestTableNamesEveryEvent(t *testing.T) {
	page := Markdown()
	for _, k := range Catalogue() {
		if !strings.Contains(page, "| `"+k.ID+"` |") {
			t.Errorf("%s is missing", k.ID)
		}
	}
}

package event

import (
	"regexp"
	"strings"
	"testing"
)

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

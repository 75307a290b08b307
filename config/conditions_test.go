package config

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestLinesForNobodyHereAreNamed(t *testing.T) {
	for _, c := range []struct{ text, id, want string }{
		{"@one router_id a\n@two router_id b\n", "three", `every line with @one or @two is left out: this director's name is "three"`},
		{"@one router_id a\n@two router_id b\n", "two", ""},
		{"@^one router_id a\n", "three", ""}, // holds here
		{"router_id a\n", "three", ""},
	} {
		_, ds := Parse(fstest.MapFS{"f": {Data: []byte("global_defs {\n" + c.text + "}\n")}}, "/f", Host{}, Options{ConfigID: c.id})
		said := ""
		for _, d := range ds {
			if d.Code == "condition-unmet" {
				said = d.Message
				if d.Severity != Note || d.Line != 2 || !strings.Contains(d.Hint, "-i NAME") {
					t.Errorf("%+v", d)
				}
			}
		}
		if said != c.want {
			t.Errorf("%q for %s: said %q", c.text, c.id, said)
		}
	}
}

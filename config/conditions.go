package config

import (
	"slices"
	"strings"
)

// conditions remembers which names the @ conditions of a file are for.
type conditions struct {
	names []string
	first place
	met   bool
}

func (c *conditions) saw(id string, met bool, p place) {
	if len(c.names) == 0 {
		c.first = p
	}
	c.met = c.met || met
	if len(c.names) < 8 && !slices.Contains(c.names, id) {
		c.names = append(c.names, id)
	}
}

// nobodysLines points out that no @ condition is for this director: what the file then lacks shows up as quite other mistakes.
func (r *reader) nobodysLines() {
	c := &r.conditions
	if c.met || len(c.names) == 0 {
		return
	}
	r.complain(c.first, len(c.names[0])+1, Note, "condition-unmet", "if it is one of these, say so with -i NAME (--config-id)",
		"every line with @%s is left out: this director's name is %q", strings.Join(c.names, " or @"), r.id)
}

package config

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// ExplainWord says what a diagnostic code or a keyword means, in every block that has it; "" for other words.
func ExplainWord(word string) string {
	var b strings.Builder
	if e, ok := ExplainCode(word); ok {
		fmt.Fprintf(&b, "%s: %s\nWhat to do: %s\n", e.Code, e.What, e.Do)
	}
	for _, k := range Keywords() {
		if k.Name != word && !slices.Contains(k.Aliases, word) {
			continue
		}
		where := "at the top level"
		if k.Block != "" {
			where = "in " + k.Block
		}
		fmt.Fprintf(&b, "%s", strings.TrimSpace(word+" "+k.Arguments))
		if k.Name != word {
			fmt.Fprintf(&b, "  (an older spelling of %s)", k.Name)
		}
		fmt.Fprintf(&b, "\n  %s; %s", where, k.Use)
		if k.Default != "" {
			fmt.Fprintf(&b, "; default: %s", k.Default)
		}
		fmt.Fprintf(&b, "\n  %s\n", k.Doc)
	}
	return b.String()
}

// CompleteWord lists the codes and keywords that begin with begin, each with a tab and what it means, as shells want it.
func CompleteWord(begin string) []string {
	seen := map[string]bool{}
	var out []string
	add := func(word, about string) {
		if strings.HasPrefix(word, begin) && !seen[word] {
			seen[word] = true
			first, _, _ := strings.Cut(about, ". ")
			out = append(out, word+"\t"+strings.TrimSuffix(first, "."))
		}
	}
	for _, k := range Keywords() {
		add(k.Name, k.Doc)
		for _, a := range k.Aliases {
			add(a, "older spelling of "+k.Name)
		}
	}
	for _, e := range Explanations() {
		add(e.Code, e.What)
	}
	sort.Strings(out)
	return out
}

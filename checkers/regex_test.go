package checkers

import "testing"

func TestCompileRegex(t *testing.T) {
	for _, row := range []struct {
		pattern string
		options []string
		text    string
		want    bool
	}{
		{"ok$", nil, "ok", true},
		{"ok$", nil, "ok\n", true},
		{"ok$", nil, "ok\n\n", false},
		{"^(ok|fine)$", nil, "fine\n", true},
		{"ok$", []string{"dollar_endonly"}, "ok\n", false},
		{`ok\z`, nil, "ok\n", false},
		{"^b$", []string{"multiline"}, "a\nb\nc", true},
		{"^b$", nil, "a\nb\nc", false},
		{"a.b", nil, "a\nb", false},
		{"a.b", []string{"dotall"}, "a\nb", true},
		{"OK", []string{"caseless", "utf"}, "ok", true},
		{"b", []string{"anchored"}, "ab", false},
		{`\$5`, nil, "costs $5 more", true},
	} {
		re, err := CompileRegex(row.pattern, row.options)
		if err != nil {
			t.Errorf("%s: %v", row.pattern, err)
		} else if got := re.MatchString(row.text); got != row.want {
			t.Errorf("%s %v in %q: %v (as %s)", row.pattern, row.options, row.text, got, re)
		}
	}
	for _, bad := range []string{"(", `(?=x)`, `(a)\1`} {
		if _, err := CompileRegex(bad, nil); err == nil {
			t.Errorf("%s compiles", bad)
		}
	}
	if _, err := CompileRegex("x", []string{"extended"}); err == nil {
		t.Error("extended is not available")
	}
}

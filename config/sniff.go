package config

import (
	"fmt"
	"strings"
)

// looksLikeYAML tells the syntax from the content: the first line that says something decides.
func looksLikeYAML(text string) bool {
	for text != "" {
		line := text
		if i := strings.IndexByte(text, '\n'); i >= 0 {
			line, text = text[:i], text[i+1:]
		} else {
			text = ""
		}
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] == '!' {
			return false
		}
		if strings.HasPrefix(line, "---") || strings.HasPrefix(line, "%YAML") || line[0] == '{' || line[0] == '[' {
			return true
		}
		key, rest, ok := strings.Cut(line, ":")
		key = strings.Trim(key, `"'`)
		return ok && nameLen(strings.ReplaceAll(key, "-", "_")) == len(key) && key != "" && (rest == "" || rest[0] == ' ' || rest[0] == '\t')
	}
	return false
}

// notAConfiguration recognises templates, web pages and binaries and says so once.
func notAConfiguration(r *reporter, src *source) bool {
	if i := strings.IndexByte(src.text, 0); i >= 0 && i < 512 {
		r.add(src, 0, 0, 0, Error, "not-text", "", "the file is not text")
		return true
	}
	marks := false
	for _, mark := range []string{"{{", "{%", "<%"} {
		marks = marks || strings.Contains(src.text, mark)
	}
	line := 0
	for rest := src.text; rest != "" && (marks || line == 0); {
		s := rest
		if i := strings.IndexByte(rest, '\n'); i >= 0 {
			s, rest = rest[:i], rest[i+1:]
		} else {
			rest = ""
		}
		line++
		t := strings.TrimSpace(s)
		if line == 1 && (strings.HasPrefix(t, "<!DOCTYPE") || strings.HasPrefix(t, "<html") || strings.HasPrefix(t, "<?xml")) {
			r.add(src, 1, 1, 0, Error, "not-a-configuration", "", "this is a web page, not a configuration")
			return true
		}
		if t == "" || t[0] == '#' || t[0] == '!' {
			continue
		}
		for _, mark := range []struct{ open, close string }{{"{{", "}}"}, {"{%", "%}"}, {"<%", "%>"}} {
			i := strings.Index(s, mark.open)
			if i < 0 || strings.ContainsAny(s[:i], "#!") {
				continue
			}
			if strings.Contains(s[i+2:], mark.close) || mark.open != "{{" {
				r.add(src, line, i+1, i+1+len(mark.open), Error, "template", "render it first, then check the result", "this is a template: %s was never filled in", mark.open)
				return true
			}
		}
	}
	return false
}

// prose replaces a hundred complaints about a file that is no configuration at all by one.
func (d *decoder) prose() {
	mostly := d.unknownRoot >= 4 && d.unknownRoot >= 2*d.knownRoot
	entirely := d.knownRoot == 0 && d.nearRoot == 0
	if d.firstUnknown == nil || !mostly && !entirely {
		return
	}
	n := d.firstUnknown
	d.list = nil
	lines := fmt.Sprintf("%d lines outside of blocks begin with words that are no keywords", d.unknownRoot)
	if d.unknownRoot == 1 {
		lines = "there is no keyword in it"
	}
	d.reporter.word(n, &n.key, Error, "not-a-configuration", "is this the right file? a configuration begins with global_defs, vrrp_instance or virtual_server",
		"this does not look like a configuration: %s, the first word is %q", lines, clip(n.key.text))
}

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
		if strings.HasPrefix(line, "---") || strings.HasPrefix(line, "%YAML") || line[0] == '{' {
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
	line, said := 0, false // said: something but blanks was there
	for rest := src.text; rest != "" && (marks || !said); {
		s := rest
		if i := strings.IndexByte(rest, '\n'); i >= 0 {
			s, rest = rest[:i], rest[i+1:]
		} else {
			rest = ""
		}
		line++
		t := strings.TrimSpace(s)
		if low := strings.ToLower(t[:min(len(t), 9)]); !said && (low == "<!doctype" || strings.HasPrefix(low, "<html") || strings.HasPrefix(low, "<?xml")) {
			r.add(src, line, 1, 0, Error, "not-a-configuration", "", "this is a web page, not a configuration")
			return true
		}
		if !said && t != "" && t[0] == '[' && len(src.chain) == 0 {
			r.add(src, line, 1, 0, Error, "not-a-configuration", "is this the right file?", "this does not look like a configuration: it begins with a bracket")
			return true
		}
		said = said || t != ""
		if t == "" || t[0] == '#' || t[0] == '!' {
			continue
		}
		for _, mark := range []struct{ open, close string }{{"{{", "}}"}, {"{%", "%}"}, {"<%", "%>"}} {
			i := strings.Index(s, mark.open)
			if i < 0 || strings.ContainsAny(s[:i], "#!") || quotedProgram(t, i-strings.Index(s, t)) {
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

// quotedProgram says that the mark at byte at of a line is inside the quotes of a command or pattern, which may have braces of their own:
// docker inspect -f '{{.State.Status}}'.
func quotedProgram(line string, at int) bool {
	key := strings.TrimLeft(line, "- ")
	if end := strings.IndexAny(key, " \t:"); end > 0 {
		key = key[:end]
	}
	for _, b := range blocks {
		if k := b.find(key); k != nil && (k.shape == shapeCommand || k.shape == shapeText) {
			return strings.ContainsAny(line[:at], `"'`)
		}
	}
	return false
}

// unfilledTemplate recognises a file that uses names and defines none: a template of a shell or of envsubst.
func (r *reader) unfilledTemplate() bool {
	if r.unfilled < 2 || len(r.defs) > 0 || len(r.refused) == 0 {
		return false
	}
	r.reporter.list, r.reporter.errors, r.reporter.others = nil, 0, 0
	p := r.firstUnfilled
	text := p.src.line(p.line)
	name := "a name"
	if p.exact && p.col-1 < len(text) {
		name = text[p.col-1 : min(len(text), p.col-1+r.firstWidth)]
	}
	r.complain(p, r.firstWidth, Error, "template", "fill it in first (envsubst), or define each name with $NAME=value above", "this is a template: %s and %d more were never filled in", name, r.unfilled-1)
	return true
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

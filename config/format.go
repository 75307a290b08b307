package config

import (
	"bytes"
	"io/fs"
	"strings"

	"gopkg.in/yaml.v3"
)

// Format lays a configuration out anew in its own syntax: four blanks for each level in keepalived's language, two in YAML.
// Nothing is expanded and no comment is lost; the meaning stays the same. With errors in the Diagnostics there is no text.
func Format(fsys fs.FS, name string, opts Options) (string, Diagnostics) {
	rep := &reporter{sources: map[string]*source{}}
	r := &reader{opts: opts}
	text, err := readText(fsys, r.locate(name), false)
	src := &source{name: name, text: text}
	if err != nil {
		rep.add(src, 0, 0, 0, Error, "unreadable", "", "cannot read the configuration: %v", err)
		return "", rep.list
	}
	if notAConfiguration(rep, src) {
		return "", rep.list
	}
	if !looksLikeYAML(text) {
		return formatKeepalived(text), rep.list
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		syntaxError(rep, src, err)
		return "", rep.list
	}
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(&doc); err != nil {
		syntaxError(rep, src, err)
		return "", rep.list
	}
	return keepBlanks(&doc, text, b.String()), rep.list
}

// formatKeepalived indents by braces and joins runs of blanks. Lines are not split or joined: a line may be the body of a definition.
func formatKeepalived(text string) string {
	var b strings.Builder
	depth, blankLines, continued := 0, 0, false
	for _, line := range strings.Split(text, "\n") {
		s := strings.Trim(line, " \t\r")
		if s == "" {
			blankLines++
			continue
		}
		if blankLines > 0 && b.Len() > 0 {
			b.WriteByte('\n')
		}
		blankLines = 0
		code, comment, _, _ := decomment(s)
		code = strings.TrimRight(code, " \t")
		opens, closes, leading := count(code)
		at := max(depth-leading, 0)
		b.WriteString(strings.Repeat("    ", at))
		if continued || strings.HasSuffix(s, `\`) || strings.ContainsAny(code, `\`) {
			b.WriteString(s) // definitions and escapes stay as they are
		} else {
			b.WriteString(squeeze(code))
			if comment != "" {
				if code != "" {
					b.WriteString("  ")
				}
				b.WriteString(strings.TrimRight(comment, " \t"))
			}
		}
		b.WriteByte('\n')
		continued = strings.HasSuffix(s, `\`)
		depth = max(depth+opens-closes, 0)
	}
	return b.String()
}

// count counts the braces of a line, and how many close before anything else stands.
func count(s string) (opens, closes, leading int) {
	first := true
	for rest := s; ; {
		i := brace(rest)
		if i < 0 {
			return
		}
		if strings.TrimSpace(rest[:i]) != "" {
			first = false
		}
		if rest[i] == '{' {
			opens++
			first = false
		} else {
			closes++
			if first {
				leading++
			}
		}
		rest = rest[i+1:]
	}
}

// squeeze makes one blank of several outside quotes, and puts one before an opening brace.
func squeeze(s string) string {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '"' {
			quoted = !quoted
		}
		switch {
		case !quoted && blank(c):
			if i > 0 && !blank(s[i-1]) {
				b.WriteByte(' ')
			}
			continue
		case !quoted && c == '{' && i > 0 && !blank(s[i-1]) && s[i-1] != '$' && s[i-1] != '{':
			b.WriteByte(' ')
		}
		b.WriteByte(c)
	}
	return b.String()
}

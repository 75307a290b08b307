package config

import (
	"fmt"
	"strings"
)

// reporter collects diagnostics while a file is read.
type reporter struct {
	list    Diagnostics
	count   int
	errors  int
	others  int
	sources map[string]*source
}

func (r *reporter) add(src *source, line, col, end int, sev Severity, code, hint, format string, args ...any) *Diagnostic {
	r.count++
	// Errors have room of their own: a thousand notes must neither hide an error nor become one.
	room, more := &r.others, Note
	if sev == Error {
		room, more = &r.errors, Error
	}
	if *room++; *room > maxReports {
		if *room == maxReports+1 {
			r.list = append(r.list, Diagnostic{Severity: more, Code: "too-many", File: src.name,
				Message: fmt.Sprintf("more than %d problems: the rest is not shown", maxReports), Hint: "correct the first ones and check again"})
		}
		return &Diagnostic{}
	}
	msg := format
	if len(args) > 0 {
		msg = fmt.Sprintf(format, args...)
	}
	r.list = append(r.list, Diagnostic{Severity: sev, Code: code, File: src.name, Line: line, Col: col, EndCol: end,
		Message: visible(msg), Hint: visible(hint), Included: src.chain, Excerpt: src.line(line)})
	return &r.list[len(r.list)-1]
}

func (r *reporter) word(n *node, w *word, sev Severity, code, hint, format string, args ...any) *Diagnostic {
	return r.add(n.src, int(w.line), int(w.col), int(w.end), sev, code, hint, format, args...)
}

// line is the text of a line, cut to what a terminal shows.
func (s *source) line(n int) string {
	if n <= 0 || s == nil {
		return ""
	}
	if s.starts == nil {
		s.starts = []int{0}
		for i := 0; i < len(s.text); i++ {
			if s.text[i] == '\n' {
				s.starts = append(s.starts, i+1)
			}
		}
	}
	if n > len(s.starts) {
		return ""
	}
	rest := s.text[s.starts[n-1]:]
	if i := strings.IndexByte(rest, '\n'); i >= 0 {
		rest = rest[:i]
	}
	rest = strings.TrimRight(rest, "\r")
	if len(rest) > 400 {
		rest = rest[:400]
	}
	return visible(hideSecrets(rest))
}

// visible makes control characters and invalid UTF-8 harmless on a terminal.
func visible(s string) string {
	clean := true
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' && s[i] != '\t' || s[i] >= 0x7f {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\t':
			return c
		case c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0:
			return '?'
		case c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069:
			return '?'
		}
		return c
	}, strings.ToValidUTF8(s, "?"))
}

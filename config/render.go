package config

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Fails says that a check of the file must fail: there is an error, or a word that Holdfast does not know and would ignore; with
// strict any warning is enough.
func (ds Diagnostics) Fails(strict bool) bool {
	for _, d := range ds {
		if d.Severity == Error || d.Severity == Warning && (strict || d.Code == "unknown-keyword") {
			return true
		}
	}
	return false
}

// Summary counts in words: "1 error, 2 warnings".
func (ds Diagnostics) Summary() string {
	var parts []string
	for _, s := range []Severity{Error, Warning, Note} {
		switch n := ds.Count(s); n {
		case 0:
		case 1:
			parts = append(parts, "1 "+string(s))
		default:
			parts = append(parts, fmt.Sprintf("%d %ss", n, s))
		}
	}
	if len(parts) == 0 {
		return "no problems"
	}
	return strings.Join(parts, ", ")
}

// Text is the diagnostics for people: one paragraph each, with the line of the source and a caret. Colour is for terminals.
func (ds Diagnostics) Text(colour bool) string {
	paint := func(code, s string) string {
		if !colour {
			return s
		}
		return "\x1b[" + code + "m" + s + "\x1b[0m"
	}
	codes := map[Severity]string{Error: "1;31", Warning: "1;33", Note: "1;36"}
	var b strings.Builder
	for _, d := range ds {
		at := Pos{d.File, d.Line, d.Col}
		place := at.String()
		if d.Line > 0 && d.Col == 0 {
			place = fmt.Sprintf("%s:%d", d.File, d.Line)
		}
		fmt.Fprintf(&b, "%s: %s: %s [%s]\n", paint("1", visible(place)), paint(codes[d.Severity], string(d.Severity)), d.Message, d.Code)
		if d.Excerpt != "" && d.Line > 0 {
			fmt.Fprintf(&b, "%6d | %s\n", d.Line, d.Excerpt)
			if d.Col > 0 {
				fmt.Fprintf(&b, "       | %s\n", paint(codes[d.Severity], caret(d.Excerpt, d.Col, d.EndCol)))
			}
		}
		for i := len(d.Included) - 1; i >= 0; i-- {
			fmt.Fprintf(&b, "         included at %s\n", visible(d.Included[i]))
		}
		if d.Hint != "" {
			fmt.Fprintf(&b, "         %s %s\n", paint("1;32", "hint:"), d.Hint)
		}
	}
	return b.String()
}

// caret is the line under the source that points at columns col to end; columns count bytes, the line is padded in characters.
func caret(source string, col, end int) string {
	var b strings.Builder
	col--
	for i, c := range source {
		if i >= col {
			break
		}
		if c == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	b.WriteByte('^')
	if end > col+2 && end-1 <= len(source) {
		if n := utf8.RuneCountInString(source[col : end-1]); n > 1 {
			b.WriteString(strings.Repeat("~", n-1))
		}
	}
	return b.String()
}

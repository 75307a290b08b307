package probe

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxDetail is how many bytes of a detail are told and kept: errors of parsers quote what the server sent, however long that is.
const maxDetail = 300

// oneLine makes text fit for a log line and a terminal: bounded, printable, on one line.
func oneLine(text string) string {
	cut := len(text) > maxDetail
	if cut {
		text = text[:maxDetail]
		for len(text) > 0 && !utf8.RuneStart(text[len(text)-1]) {
			text = text[:len(text)-1]
		}
		text = text[:len(text)-1]
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unprintable) {
		text = strings.Map(func(c rune) rune {
			if unprintable(c) {
				return ' '
			}
			return c
		}, strings.ToValidUTF8(text, "?"))
	}
	if cut {
		text += "..."
	}
	return text
}

func unprintable(c rune) bool { return !unicode.IsPrint(c) }

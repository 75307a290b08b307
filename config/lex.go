package config

import (
	"strings"
)

// place is where a piece of text stands. When exact is false the text is the result of a substitution and its columns are not
// those of the file: everything then points at col.
type place struct {
	src       *source
	line, col int
	exact     bool
}

func (p place) shift(n int) place {
	if p.exact {
		p.col += n
	}
	return p
}

// decomment removes the comment of a physical line and the backslash of \# and \!. Single quotes do not protect (reference 1.1.2).
func decomment(s string) (text, comment string, glued, unbalanced bool) {
	if strings.IndexByte(s, '#') < 0 && strings.IndexByte(s, '!') < 0 && strings.IndexByte(s, '"') < 0 {
		return s, "", false, false
	}
	var b strings.Builder
	from, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			if !quoted && (s[i+1] == '#' || s[i+1] == '!') {
				b.WriteString(s[from:i])
				from = i + 1
			}
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '#' || c == '!'):
			b.WriteString(s[from:i])
			return b.String(), s[i:], i > 0 && s[i-1] > ' ' && s[i-1] != '{' && s[i-1] != '}' && s[i-1] != c, false
		}
	}
	if from == 0 {
		return s, "", false, quoted
	}
	b.WriteString(s[from:])
	return b.String(), "", false, quoted
}

// brace finds the first brace outside double quotes; the braces of ${NAME} do not count.
func brace(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			quoted = !quoted
		case '{', '}':
			if !quoted {
				if s[i] == '{' && i > 0 && s[i-1] == '$' {
					if end := strings.IndexByte(s[i:], '}'); end > 1 && strings.IndexByte(s[i+1:i+end], '{') < 0 && startsName(s[i+1:]) {
						i += end
						continue
					}
				}
				return i
			}
		}
	}
	return -1
}

func startsName(s string) bool {
	return s != "" && (s[0] == '_' || s[0] >= 'a' && s[0] <= 'z' || s[0] >= 'A' && s[0] <= 'Z')
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

// trimLeft and trimRight take blanks away; those of package strings cost several times as much, and every line comes by here.
func trimLeft(s string) string {
	for s != "" && blank(s[0]) {
		s = s[1:]
	}
	return s
}

func trimRight(s string) string {
	for s != "" && blank(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// split cuts a logical line into words (reference 1.1.6). The result is appended to buf.
func split(s string, p place, buf []word) []word {
	add := func(text string, from, to int, quoted bool) {
		w := word{text: text, line: int32(p.line), col: int32(p.col), end: int32(p.col), quoted: quoted}
		if p.exact {
			w.col, w.end = int32(p.col+from), int32(p.col+to)
		}
		buf = append(buf, w)
	}
	for i := 0; i < len(s); {
		switch {
		case blank(s[i]):
			i++
		case s[i] == '"':
			end := strings.IndexByte(s[i+1:], '"')
			if end < 0 {
				add(s[i+1:], i, len(s), true)
				return buf
			}
			add(s[i+1:i+1+end], i, i+end+2, true)
			i += end + 2
		default:
			j := i
			for j < len(s) && !blank(s[j]) && s[j] != '"' {
				j++
			}
			add(s[i:j], i, j, false)
			i = j
		}
	}
	return buf
}

// shellWords splits the arguments of a keyword that takes a command: '…' and "…" quote, adjacent pieces join, a backslash pair
// stays as it is (the command is split again by argv).
func shellWords(s string) (words []string, open bool) {
	return quotedWords(s, func(rest string, in byte, b *strings.Builder) int {
		if rest[0] == '"' && in == '"' || (rest[0] == '\'' || rest[0] == '"') && in == 0 {
			b.WriteByte(rest[0])
		} else {
			b.WriteByte('\\')
			b.WriteByte(rest[0])
		}
		return 1
	})
}

// argvOf splits a command into its words, with quotes and the escapes of reference 1.1.10.
func argvOf(s string) []string {
	words, _ := quotedWords(s, func(rest string, _ byte, b *strings.Builder) int { return escape(rest, b) })
	return words
}

// quotedWords splits at blanks outside of quotes. backslash writes what the text after one stands for and says how many bytes it took; in is
// the quote around it, 0 for none. open says that a quotation was not closed.
func quotedWords(s string, backslash func(rest string, in byte, b *strings.Builder) int) (words []string, open bool) {
	var b strings.Builder
	in, started := byte(0), false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s) && in != '\'':
			started = true
			i += backslash(s[i+1:], in, &b)
		case in != 0:
			if c == in {
				in = 0
			} else {
				b.WriteByte(c)
			}
		case c == '\'' || c == '"':
			in, started = c, true
		case blank(c):
			if started {
				words = append(words, b.String())
				b.Reset()
				started = false
			}
		default:
			started = true
			b.WriteByte(c)
		}
	}
	if started {
		words = append(words, b.String())
	}
	return words, in != 0
}

// escape writes the character that the text after a backslash stands for and says how many bytes it took.
func escape(s string, b *strings.Builder) int {
	switch c := s[0]; c {
	case 'a':
		b.WriteByte(7)
	case 'b':
		b.WriteByte(8)
	case 'E':
		b.WriteByte(0x1b)
	case 'f':
		b.WriteByte(0x0c)
	case 'n':
		b.WriteByte('\n')
	case 'r':
		b.WriteByte('\r')
	case 't':
		b.WriteByte('\t')
	case 'v':
		b.WriteByte(0x0b)
	case 'x':
		v, n := 0, 1
		for n < len(s) && n < 3 && hexDigit(s[n]) >= 0 {
			v = v<<4 | hexDigit(s[n])
			n++
		}
		if n == 1 {
			b.WriteByte('x')
			return 1
		}
		b.WriteByte(byte(v))
		return n
	case 'c':
		if len(s) > 1 {
			b.WriteByte(s[1] & 0x1f)
			return 2
		}
		b.WriteByte('c')
	case '0', '1', '2', '3', '4', '5', '6', '7':
		v, n := 0, 0
		for n < len(s) && n < 3 && s[n] >= '0' && s[n] <= '7' {
			v = v<<3 | int(s[n]-'0')
			n++
		}
		b.WriteByte(byte(v))
		return n
	default:
		b.WriteByte(c)
	}
	return 1
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

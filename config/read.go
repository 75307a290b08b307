package config

import (
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"
)

// reader turns keepalived's text into a tree: comments, definitions, conditionals, sequences, includes and braces.
type reader struct {
	*reporter
	arena
	fsys  fs.FS
	host  Host
	opts  Options
	id    string
	files []string

	defs          map[string]*definition
	conditions    conditions
	undef         map[string]bool  // names used without a definition
	refused       map[string]bool  // those of them that were errors
	odd           map[*source]bool // files whose odd blanks were pointed out
	multi         *definition      // being read: the last line ended with a backslash
	rand          uint64
	checks        includeChecks
	stack         []string // files being read
	total         int
	lines         int
	unfilled      int // names that a template may have
	firstUnfilled place
	firstWidth    int
	repeats       int
	expanded      int
	stopped       bool

	root     node
	open     []*node
	openAt   []word
	last     *node // the logical line just read: a brace may follow
	tooDeep  int   // blocks skipped because they are nested too deeply
	buf      []word
	keep     bool // keep comments
	second   *yamlReader
	pending  []string
	physical *node // the node that a comment at the end of the line belongs to
}

func (r *reader) complain(p place, n int, sev Severity, code, hint, format string, args ...any) *Diagnostic {
	end := 0
	if p.exact {
		end = p.col + n
	}
	return r.add(p.src, p.line, p.col, end, sev, code, hint, format, args...)
}

// halt ends the reading: a bound is reached, and nothing of the configuration is used.
func (r *reader) halt(p place, width int, hint, format string, args ...any) {
	r.complain(p, width, Error, "too-large", hint, format, args...)
	r.stopped = true
}

// read takes in one file at the present level of the tree.
func (r *reader) read(src *source) {
	r.sources[src.name] = src
	text := src.text
	for line := 1; text != "" && !r.stopped; line++ {
		s := text
		if i := strings.IndexByte(text, '\n'); i >= 0 {
			s, text = text[:i], text[i+1:]
		} else {
			text = ""
		}
		r.line(s, place{src: src, line: line, col: 1, exact: true})
	}
	if r.multi != nil {
		r.complain(place{src: src, line: r.multi.at.line, col: r.multi.at.col, exact: true}, 0, Warning, "definition-open", "remove the backslash of its last line",
			"the definition $%s is continued by a backslash past the end of the file", r.multi.name)
		r.multi = nil
	}
}

// line takes one physical line.
func (r *reader) line(s string, p place) {
	for s != "" && s[len(s)-1] == '\r' {
		s = s[:len(s)-1]
	}
	if strings.IndexByte(s, 0) >= 0 {
		r.complain(p, 0, Error, "nul-byte", "is this a text file?", "the line has a NUL byte and is ignored").Confined = true
		return
	}
	trimmed := trimLeft(s)
	p = p.shift(len(s) - len(trimmed))
	s = trimmed
	if s == "" {
		return
	}
	s, comment, glued, unbalanced := decomment(s)
	if glued && len(comment) > 1 && comment[1] > ' ' {
		r.complain(p.shift(len(s)), 1, Warning, "comment-in-word", `put the value in double quotes, or write \`+comment[:1],
			"%q begins a comment in the middle of a word", comment[:1])
	}
	if unbalanced {
		r.complain(p, len(s), Error, "unbalanced-quote", `close the quotation with "`, "a double quote is not closed on this line").Confined = true
	}
	s = trimRight(s)
	if r.multi != nil && strings.HasSuffix(comment, `\`) {
		s += `\` // the comment of a continued line
	}
	if r.keep && comment != "" {
		if s == "" {
			r.pending = append(r.pending, comment)
		} else {
			defer r.beside(comment)
		}
	}
	if s == "" {
		return
	}
	r.oddBytes(s, p)
	if r.multi != nil {
		r.multi.more(s, p, &r.multi)
		return
	}
	r.physical = nil
	r.logical(s, p, 0)
}

func (r *reader) beside(comment string) {
	if r.physical != nil {
		c := r.physical.comments()
		c.beside = comment
	} else {
		r.pending = append(r.pending, comment)
	}
}

// oddBytes points out characters that look like a blank or are no text at all.
func (r *reader) oddBytes(s string, p place) {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x80 {
			continue
		}
		c, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case c == utf8.RuneError && n <= 1:
			r.complain(p.shift(i), 1, Warning, "not-utf8", "save the file as UTF-8", "the byte 0x%02x is not UTF-8", s[i])
			return
		case oddBlank(c):
			if r.odd[p.src] {
				return
			}
			r.odd[p.src] = true
			x := r.complain(p.shift(i), n, Error, "odd-blank", "replace all of them by ordinary blanks: sed -i 's/\\xc2\\xa0/ /g' FILE does that for U+00A0",
				"the character U+%04X looks like a blank but is part of the word, here and perhaps further down: such lines are not understood", c)
			x.Confined = true
			return
		}
		i += n - 1
	}
}

// oddBlank recognises characters that look like a blank, or like nothing.
func oddBlank(c rune) bool {
	return c == 0xa0 || c == 0x3000 || c == 0x200b || c == 0xfeff || c >= 0x2000 && c <= 0x200a
}

// logical takes a piece of a line: conditionals, definitions, sequences, substitution, includes, braces; what is left is a keyword line.
func (r *reader) logical(s string, p place, depth int) {
	for !r.stopped {
		t := trimLeft(s)
		p = p.shift(len(s) - len(t))
		s = trimRight(t)
		if s == "" {
			return
		}
		r.lines++
		r.expanded += len(s)
		if r.lines > maxLines || r.expanded > maxExpanded {
			r.halt(p, 0, "sequences and definitions expand to too much", "the configuration has more than %d lines once expanded", maxLines)
			return
		}
		switch s[0] {
		case '@':
			rest, ok := r.conditional(s, p)
			if !ok {
				return
			}
			p = p.shift(len(s) - len(rest))
			s = rest
			continue
		case '~':
			if r.sequence(s, p, depth) {
				return
			}
		case '$':
			if r.define(s, p) {
				return
			}
		}
		if strings.IndexByte(s, '$') >= 0 {
			// What stands behind a brace is a line of its own: a sequence there may define what it uses.
			head, rest := s, ""
			if i := brace(s); i > 0 && !strings.HasPrefix(s, "include") {
				head, rest = s[:i], s[i:]
			}
			if out, lines, changed := r.substitute(head, p); changed {
				if depth >= maxSubst || len(out) > maxLineSize {
					r.complain(p, len(s), Error, "definition-loop", "does a definition use itself?", "definitions expand without end")
					return
				}
				if rest == "" && lines == nil {
					s, p.exact = out, false
					depth++
					continue
				}
				if out != "" {
					q := p
					q.exact = false
					r.logical(out, q, depth+1)
				}
				for _, l := range lines {
					r.logical(l.text, l.at, depth+1)
				}
				if rest == "" {
					return
				}
				p = p.shift(len(head))
				s = rest
			}
		}
		if r.include(s, p) {
			return
		}
		i := brace(s)
		if i < 0 {
			r.emit(s, p)
			return
		}
		if before := trimRight(s[:i]); before != "" {
			r.emit(before, p)
		}
		if s[i] == '{' {
			r.opening(p.shift(i))
		} else {
			r.closing(p.shift(i))
		}
		p = p.shift(i + 1)
		s = s[i+1:]
	}
}

func (r *reader) conditional(s string, p place) (string, bool) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		r.complain(p, len(s), Error, "condition", "write @name, a blank, and the line", "the condition %s has nothing after it", s).Confined = true
		return "", false
	}
	id, not := s[1:i], false
	if strings.HasPrefix(id, "^") {
		id, not = id[1:], true
	}
	if id == "" {
		r.complain(p, 1, Error, "condition", "write @name, a blank, and the line", "a condition without a name").Confined = true
		return "", false
	}
	if !not {
		r.conditions.saw(id, id == r.id, p)
	}
	return s[i:], (id == r.id) != not
}

// emit adds a keyword line to the tree.
func (r *reader) emit(s string, p place) {
	r.buf = split(s, p, r.buf[:0])
	if len(r.buf) == 0 {
		return
	}
	n := r.arena.node()
	n.src = p.src
	n.key = r.buf[0]
	n.args = r.take(r.buf[1:])
	if len(n.args) > 0 {
		n.raw = trimLeft(s[keyLen(s):])
	}
	r.last, r.physical = n, n
	if r.keep && len(r.pending) > 0 {
		n.comments().above, r.pending = r.pending, nil
	}
	if r.tooDeep > 0 {
		return
	}
	parent := r.parent()
	parent.kids = append(parent.kids, n)
}

func keyLen(s string) int {
	if s[0] == '"' {
		if i := strings.IndexByte(s[1:], '"'); i >= 0 {
			return i + 2
		}
		return len(s)
	}
	for i := 0; i < len(s); i++ {
		if blank(s[i]) || s[i] == '"' {
			return i
		}
	}
	return len(s)
}

func (r *reader) parent() *node {
	if len(r.open) == 0 {
		return &r.root
	}
	return r.open[len(r.open)-1]
}

func (r *reader) opening(p place) {
	if r.tooDeep > 0 || len(r.open) >= maxNesting {
		if r.tooDeep == 0 {
			r.complain(p, 1, Error, "too-deep", "is a closing brace missing?", "blocks are nested more than %d deep", maxNesting)
		}
		r.tooDeep++
		return
	}
	n := r.last
	r.last = nil
	if n == nil || n.block {
		n = r.arena.node()
		n.src = p.src
		n.key = word{text: "{", line: int32(p.line), col: int32(p.col), end: int32(p.col + 1)}
		r.parent().kids = append(r.parent().kids, n)
	}
	n.block = true
	r.open = append(r.open, n)
	r.openAt = append(r.openAt, word{line: int32(p.line), col: int32(p.col), end: int32(p.col + 1)})
}

func (r *reader) closing(p place) {
	r.last = nil
	if r.tooDeep > 0 {
		r.tooDeep--
		return
	}
	if len(r.open) == 0 {
		r.complain(p, 1, Error, "extra-brace", "a block was closed too early, or an opening brace is missing above", "this } closes nothing")
		return
	}
	n := r.parent()
	if r.keep && len(r.pending) > 0 {
		n.comments().below, r.pending = r.pending, nil
	}
	r.physical = n
	r.open = r.open[:len(r.open)-1]
	r.openAt = r.openAt[:len(r.openAt)-1]
}

// finish ends the reading of a whole configuration.
func (r *reader) finish() {
	r.unclosed()
	r.nobodysLines()
	if r.keep {
		r.root.comments().below = r.pending
	}
}

// unclosed reports the blocks that were never closed.
func (r *reader) unclosed() {
	for i := len(r.open) - 1; i >= 0; i-- {
		n, at := r.open[i], r.openAt[i]
		r.word(n, &at, Error, "missing-brace", "add the } where the block ends", "the block %s is never closed", n.key.text)
		if i == len(r.open)-1 && len(r.open) > 1 {
			break // one missing brace is one mistake
		}
	}
}

// locate turns a name of the configuration into one of the fs.FS.
func (r *reader) locate(name string) string {
	if !strings.HasPrefix(name, "/") {
		name = path.Join("/", r.opts.Dir, name)
	}
	name = strings.TrimPrefix(path.Clean(name), "/")
	if name == "" {
		return "."
	}
	return name
}

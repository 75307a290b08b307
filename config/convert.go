package config

import (
	"io/fs"
	"strings"
)

// Convert reads a configuration and writes it in the syntax to ("yaml" or "keepalived"). Includes, definitions, sequences and
// conditionals come out expanded; comments stay with what they are about. Lines that are not understood come out as comments.
// With errors in the Diagnostics the text may not mean the same.
func Convert(fsys fs.FS, name string, host Host, opts Options, to string) (string, Diagnostics) {
	ds, _, root := parse(fsys, name, host, opts, true)
	if root == nil {
		return "", ds
	}
	rep := &reporter{list: ds, sources: map[string]*source{}}
	p := &printer{reporter: rep}
	for _, d := range ds {
		if to == "yaml" && d.Code == "not-utf8" {
			rep.add(&source{name: d.File}, d.Line, d.Col, 0, Error, "not-convertible", "save the file as UTF-8 first", "YAML cannot hold a byte that is not UTF-8")
			break
		}
	}
	if to == "yaml" {
		p.yamlBlock(rootTable.info, root.kids, 0, "")
		p.comments(root.notes, 0)
	} else {
		p.block(rootTable.info, root.kids, 0)
		p.comments(root.notes, 0)
	}
	return p.b.String(), rep.list
}

// printer writes a tree in either syntax.
type printer struct {
	*reporter
	b strings.Builder
}

func (p *printer) indent(depth int) { p.b.WriteString(strings.Repeat("    ", depth)) }

// comments writes the last comments of a block.
func (p *printer) comments(c *remarks, depth int) {
	if c == nil {
		return
	}
	for _, s := range c.below {
		p.indent(depth)
		p.b.WriteString(hash(s) + "\n")
	}
}

// hash makes a comment that both syntaxes read.
func hash(s string) string {
	s = strings.TrimRight(visible(s), " \t")
	if strings.HasPrefix(s, "!") {
		return "#" + s[1:]
	}
	if !strings.HasPrefix(s, "#") {
		return "# " + s
	}
	return s
}

// block writes the lines of a block in keepalived's language.
func (p *printer) block(info *blockInfo, kids []*node, depth int) {
	for i, n := range kids {
		var k *keyword
		if info != nil {
			k = info.find(n.key.text)
		}
		if depth == 0 && i > 0 && (n.block || kids[i-1].block) {
			p.b.WriteByte('\n')
		}
		if n.notes != nil {
			for _, s := range n.notes.above {
				p.indent(depth)
				p.b.WriteString(hash(s) + "\n")
			}
		}
		if k == nil && info != nil {
			p.lost(n, depth, "# ")
			continue
		}
		p.indent(depth)
		p.line(k, n)
		if n.block {
			p.b.WriteString(" {")
		}
		if n.notes != nil && n.notes.beside != "" {
			p.b.WriteString("  " + hash(n.notes.beside))
		}
		p.b.WriteByte('\n')
		if !n.block {
			continue
		}
		var sub *blockInfo
		if k != nil {
			sub = k.sub
		}
		if sub != nil {
			p.block(sub, n.kids, depth+1)
		} else {
			p.entries(k, n, depth+1)
		}
		p.comments(n.notes, depth+1)
		p.indent(depth)
		p.b.WriteString("}\n")
	}
}

// entries writes the lines of a list.
func (p *printer) entries(k *keyword, n *node, depth int) {
	for _, e := range n.kids {
		if e.notes != nil {
			for _, s := range e.notes.above {
				p.indent(depth)
				p.b.WriteString(hash(s) + "\n")
			}
		}
		p.indent(depth)
		p.b.WriteString(p.quoted(e, &e.key))
		for i := range e.args {
			p.b.WriteByte(' ')
			p.b.WriteString(p.quoted(e, p.plainTime(k, e, e.arg(i))))
		}
		if e.notes != nil && e.notes.beside != "" {
			p.b.WriteString("  " + hash(e.notes.beside))
		}
		p.b.WriteByte('\n')
	}
}

// lost writes a line that is not understood as a comment.
func (p *printer) lost(n *node, depth int, mark string) {
	p.indent(depth)
	p.b.WriteString(mark + "not understood: " + visible(strings.Join(append([]string{n.key.text}, texts(n)...), " ")))
	if n.block {
		p.b.WriteString(" { ... }")
	}
	p.b.WriteByte('\n')
}

func texts(n *node) []string {
	out := make([]string, len(n.args))
	for i := range n.args {
		out[i] = n.args[i].text
	}
	return out
}

// line writes a keyword and its arguments.
func (p *printer) line(k *keyword, n *node) {
	p.b.WriteString(n.key.text)
	if len(n.args) == 0 {
		return
	}
	p.b.WriteByte(' ')
	switch k.shape {
	case shapeCommand:
		ws := commandWords(n)
		for i := range ws {
			ws[i] = quoteCommand(ws[i])
		}
		p.b.WriteString(strings.Join(ws, " "))
	case shapeText:
		s := textValue(n)
		p.b.WriteString(`"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`)
	default:
		for i := range n.args {
			if i > 0 {
				p.b.WriteByte(' ')
			}
			p.b.WriteString(p.quoted(n, p.plainTime(k, n, n.arg(i))))
		}
	}
}

// commandWords are command, user and group of a node of either syntax.
func commandWords(n *node) []string {
	if n.src.yaml {
		return texts(n)
	}
	ws, _ := shellWords(n.raw)
	return ws
}

func textValue(n *node) string {
	if n.src.yaml {
		return n.text(0)
	}
	if ws := argvOf(n.raw); len(ws) > 0 {
		return ws[0]
	}
	return ""
}

// plainTime turns 250ms into 0.25 where a time stands.
func (p *printer) plainTime(k *keyword, n *node, w *word) *word {
	if !n.src.yaml || k == nil || k.shape != shapeTime && !k.clock {
		return w
	}
	if v, ok := parseTime(w.text, k.unit, true); ok {
		c := *w
		c.text = timeText(v, k.unit)
		return &c
	}
	return w
}

// quoted is a word as keepalived's language writes it.
func (p *printer) quoted(n *node, w *word) string {
	if strings.ContainsAny(w.text, "\"\n\r") {
		p.reporter.word(n, w, Error, "not-convertible", "choose another value", "keepalived's language cannot write %q", clip(w.text))
		return `""`
	}
	if w.text == "" || strings.ContainsAny(w.text, " \t#!{}") || strings.ContainsAny(w.text[:1], "@~") {
		return `"` + w.text + `"`
	}
	return w.text
}

// quoteCommand writes one word for shellWords.
func quoteCommand(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\"'#!{}\\") {
		return s
	}
	if strings.Contains(s, `\"`) && !strings.ContainsAny(s, "'#!{}") {
		return "'" + s + "'"
	}
	return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"`
}

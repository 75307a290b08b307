package config

import (
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// yamlReader turns YAML documents into the same tree that the other syntax gives, by the shapes of the keyword table.
type yamlReader struct {
	*reporter
	files *reader
	arena *arena
	src   *source // the file of the present node
	count int
	depth int
	keep  bool
	full  bool // too many nodes: already said
}

// yaml is the one YAML reader of a configuration, set to read src: its bounds hold for all files together.
func (r *reader) yaml(src *source) *yamlReader {
	if r.second == nil {
		r.second = &yamlReader{reporter: r.reporter, files: r, arena: &r.arena, keep: r.keep}
	}
	src.yaml = true
	r.second.src = src
	return r.second
}

// readYAML gives the tree of a YAML configuration, nil when there is none.
func readYAML(r *reader, src *source) *node {
	r.sources[src.name] = src
	y := r.yaml(src)
	errors := r.errors
	doc := y.document()
	if doc == nil {
		if r.errors > errors {
			return nil
		}
		return &node{src: src, block: true}
	}
	if doc.Kind != yaml.MappingNode {
		y.at(doc, Error, "yaml-shape", "begin with global_defs:, vrrp_instance: or virtual_server:", "a configuration is a map of keywords")
		return nil
	}
	root := &node{src: src, block: true, kids: y.top(rootTable.info, doc)}
	if y.keep {
		root.comments().below = r.pending
	}
	return root
}

// document gives the one document of the present file, nil without one.
func (y *yamlReader) document() *yaml.Node {
	dec := yaml.NewDecoder(strings.NewReader(y.src.text))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if !errors.Is(err, io.EOF) {
			syntaxError(y.reporter, y.src, err)
		}
		return nil
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		if err != nil {
			syntaxError(y.reporter, y.src, err)
			return nil
		}
		y.add(y.src, second.Line, 1, 0, Error, "yaml-documents", "keep one", "the file has more than one YAML document")
	}
	if len(doc.Content) == 0 {
		return nil
	}
	top := y.follow(doc.Content[0])
	if top == nil || isNull(top) {
		return nil
	}
	if y.keep {
		y.files.pending = append(y.files.pending, comment(doc.HeadComment)...)
		top.FootComment = joinComments(top.FootComment, doc.FootComment)
	}
	return top
}

// top reads the document of a file as the lines of a block.
func (y *yamlReader) top(b *blockInfo, doc *yaml.Node) []*node {
	if doc.Kind != yaml.MappingNode {
		y.at(doc, Error, "yaml-shape", "write keyword: value", "what is included here is a map of keywords")
		return nil
	}
	head := y.files.pending
	y.files.pending = nil
	kids := y.block(b, doc, nil)
	if y.keep {
		if len(head) > 0 && len(kids) > 0 {
			c := kids[0].comments()
			c.above = append(head, c.above...)
		}
		y.files.pending = append(y.files.pending, comment(doc.FootComment)...)
	}
	return kids
}

func joinComments(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "\n" + b
}

var nearLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

func syntaxError(r *reporter, src *source, err error) {
	msg := err.Error()
	line := 0
	if m := nearLine.FindStringSubmatch(msg); m != nil {
		line, _ = strconv.Atoi(m[1])
		msg = msg[len(m[0]):]
	}
	where := ""
	if line > 0 {
		where = "near this line: "
	}
	r.add(src, line, 0, 0, Error, "yaml-syntax", "indent with blanks, quote values that contain : or #", "%s%s", where, msg)
}

func (y *yamlReader) at(n *yaml.Node, sev Severity, code, hint, format string, args ...any) {
	x := y.add(y.src, n.Line, n.Column, n.Column+len(n.Value), sev, code, hint, format, args...)
	x.Confined = sev == Error
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// follow resolves aliases and counts nodes: a tree of aliases can be small on disk and endless in memory.
func (y *yamlReader) follow(n *yaml.Node) *yaml.Node {
	y.count++
	for i := 0; n != nil && n.Kind == yaml.AliasNode; i++ {
		if i > 100 {
			return nil
		}
		n = n.Alias
	}
	if n == nil || y.full {
		return nil
	}
	if y.count > maxYAMLNodes || y.depth > 4*maxNesting {
		y.full = true
		y.add(y.src, n.Line, n.Column, 0, Error, "too-large", "do aliases refer to themselves?", "the document expands to too much")
		return nil
	}
	return n
}

func (y *yamlReader) enter() func() {
	y.depth++
	return func() { y.depth-- }
}

type pair struct{ key, value *yaml.Node }

// pairs lists a map with merge keys followed; a key given directly wins.
func (y *yamlReader) pairs(m *yaml.Node) []pair {
	defer y.enter()()
	out := make([]pair, 0, len(m.Content)/2)
	seen := make(map[string]bool, len(m.Content)/2)
	var merges []*yaml.Node
	for i := 0; i+1 < len(m.Content); i += 2 {
		k := y.follow(m.Content[i])
		if k == nil {
			return out
		}
		if k.Kind != yaml.ScalarNode {
			y.at(k, Error, "yaml-shape", "", "a key is a plain word")
			continue
		}
		if k.Tag == "!!merge" {
			merges = append(merges, m.Content[i+1])
			continue
		}
		if seen[k.Value] {
			y.at(k, Error, "yaml-twice", "merge the two", "%s is given twice in one map", k.Value)
			continue
		}
		seen[k.Value] = true
		out = append(out, pair{k, m.Content[i+1]})
	}
	for _, g := range merges {
		g = y.follow(g)
		if g == nil {
			return out
		}
		list := []*yaml.Node{g}
		if g.Kind == yaml.SequenceNode {
			list = g.Content
		}
		for _, one := range list {
			one = y.follow(one)
			if one == nil || one.Kind != yaml.MappingNode {
				continue
			}
			for _, p := range y.pairs(one) {
				if !seen[p.key.Value] {
					seen[p.key.Value] = true
					out = append(out, p)
				}
			}
		}
	}
	return out
}

// word makes a token of a scalar.
func (y *yamlReader) word(n *yaml.Node) word {
	col := n.Column
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		col++
	}
	return word{text: n.Value, line: int32(n.Line), col: int32(col), end: int32(col + len(n.Value))}
}

// words splits a scalar as a line of the other syntax.
func (y *yamlReader) words(n *yaml.Node) []word {
	w := y.word(n)
	exact := n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0
	return split(strings.ReplaceAll(n.Value, "\n", " "), place{src: y.src, line: int(w.line), col: int(w.col), exact: exact}, nil)
}

func (y *yamlReader) make(key word, args ...word) *node {
	n := y.arena.node()
	n.src, n.key, n.args = y.src, key, y.arena.take(args)
	return n
}

func comment(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

// remember keeps the comments of a key and its value.
func (y *yamlReader) remember(n *node, k, v *yaml.Node) {
	if !y.keep {
		return
	}
	if k.HeadComment != "" {
		n.comments().above = comment(k.HeadComment)
	}
	if c := k.LineComment + v.LineComment; c != "" {
		n.comments().beside = strings.ReplaceAll(c, "\n", " ")
	}
}

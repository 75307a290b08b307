package config

import (
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// yamlReader turns a YAML document into the same tree that the other syntax gives, by the shapes of the keyword table.
type yamlReader struct {
	*reporter
	arena *arena
	src   *source
	count int
	depth int
	keep  bool
	full  bool // too many nodes: already said
}

// readYAML gives the tree of a YAML document, nil when there is none.
func readYAML(r *reader, src *source) *node {
	r.sources[src.name] = src
	dec := yaml.NewDecoder(strings.NewReader(src.text))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return &node{src: src}
		}
		syntaxError(r.reporter, src, err)
		return nil
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		if err != nil {
			syntaxError(r.reporter, src, err)
			return nil
		}
		r.add(src, second.Line, 1, 0, Error, "yaml-documents", "keep one", "the file has more than one YAML document")
	}
	y := &yamlReader{reporter: r.reporter, arena: &r.arena, src: src, keep: r.keep}
	root := &node{src: src, block: true}
	if len(doc.Content) == 0 {
		return root
	}
	top := y.follow(doc.Content[0])
	if top == nil || isNull(top) {
		return root
	}
	if top.Kind != yaml.MappingNode {
		y.at(top, Error, "yaml-shape", "begin with global_defs:, vrrp_instance: or virtual_server:", "a configuration is a map of keywords")
		return nil
	}
	root.kids = y.block(rootTable.info, top, nil)
	if y.keep {
		root.comments().below = comment(doc.FootComment)
		if head := comment(doc.HeadComment); len(head) > 0 && len(root.kids) > 0 {
			c := root.kids[0].comments()
			c.above = append(head, c.above...)
		}
	}
	return root
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

// block turns a map into the lines of a block. Keys named in skip belong to the head of the block.
func (y *yamlReader) block(b *blockInfo, m *yaml.Node, skip map[string]bool) []*node {
	defer y.enter()()
	var out []*node
	for _, p := range y.pairs(m) {
		if skip[p.key.Value] {
			continue
		}
		key := y.word(p.key)
		v := y.follow(p.value)
		if v == nil {
			return out
		}
		from := len(out)
		k := b.find(p.key.Value)
		if k == nil {
			n := y.make(key)
			n.block = v.Kind == yaml.MappingNode || v.Kind == yaml.SequenceNode
			if v.Kind == yaml.ScalarNode {
				n.args = y.arena.take([]word{y.word(v)})
			}
			out = append(out, n)
			continue
		}
		out = append(out, y.value(k, key, v)...)
		if len(out) > from {
			y.remember(out[from], p.key, v)
		}
	}
	return out
}

// value turns the value of a keyword into one or more lines.
func (y *yamlReader) value(k *keyword, key word, v *yaml.Node) []*node {
	switch k.shape {
	case shapeBlock:
		return y.blocks(k, key, v)
	case shapeLines:
		if len(k.named) > 0 {
			return y.namedLists(k, key, v)
		}
		n := y.make(key)
		n.block = true
		n.kids = y.entries(k, v)
		return []*node{n}
	case shapeNames:
		n := y.make(key)
		n.block = true
		for _, item := range y.list(v) {
			if w, ok := y.scalar(k, item); ok {
				n.kids = append(n.kids, y.make(w))
			}
		}
		return []*node{n}
	}
	// Everything else may be given several times as a list, if it may be given several times at all.
	if k.many && v.Kind == yaml.SequenceNode {
		var out []*node
		for _, item := range y.list(v) {
			out = append(out, y.single(k, key, item)...)
		}
		return out
	}
	return y.single(k, key, v)
}

func (y *yamlReader) single(k *keyword, key word, v *yaml.Node) []*node {
	one := func(args ...word) []*node { return []*node{y.make(key, args...)} }
	switch k.shape {
	case shapeFlag, shapeBool:
		if v.Kind != yaml.ScalarNode {
			y.at(v, Error, "yaml-shape", "write "+k.name+": true", "%s is true or false", k.name)
			return nil
		}
		on, ok := parseBool(v.Value)
		if !ok {
			y.at(v, Error, "yaml-shape", "write "+k.name+": true", "%s is true or false, not %q", k.name, clip(v.Value))
			return nil
		}
		if k.shape == shapeFlag {
			if on {
				return one()
			}
			return nil
		}
		w := y.word(v)
		w.text = strconv.FormatBool(on)
		return one(w)
	case shapeWords, shapeCommand:
		return y.wordsOf(k, key, v)
	}
	w, ok := y.scalar(k, v)
	if !ok {
		return nil
	}
	return one(w)
}

// scalar reads a plain value.
func (y *yamlReader) scalar(k *keyword, v *yaml.Node) (word, bool) {
	if v.Kind != yaml.ScalarNode {
		y.at(v, Error, "yaml-shape", "", "%s takes a plain value", k.name)
		return word{}, false
	}
	if isNull(v) {
		y.at(v, Error, "missing-argument", "", "%s needs a value", k.name)
		return word{}, false
	}
	if k.shape == shapeInt && len(v.Value) > 1 && (v.Value[0] == '0' || strings.HasPrefix(v.Value, "-0")) {
		y.at(v, Error, "bad-number", "YAML reads it as octal: write it without leading zeros", "%s: the number %s begins with a zero", k.name, clip(v.Value))
		return word{}, false
	}
	return y.word(v), true
}

// list is a sequence, or a single value taken as a sequence of one.
func (y *yamlReader) list(v *yaml.Node) []*yaml.Node {
	if isNull(v) {
		return nil
	}
	if v.Kind != yaml.SequenceNode {
		return []*yaml.Node{v}
	}
	out := make([]*yaml.Node, 0, len(v.Content))
	for _, c := range v.Content {
		if c = y.follow(c); c != nil {
			out = append(out, c)
		}
	}
	return out
}

// wordsOf reads several words: a string, a list of words, or a map by the names of the entry.
func (y *yamlReader) wordsOf(k *keyword, key word, v *yaml.Node) []*node {
	switch v.Kind {
	case yaml.ScalarNode:
		if isNull(v) {
			return []*node{y.make(key)}
		}
		if on, ok := parseBool(v.Value); ok && v.Tag == "!!bool" && k.shape == shapeWords {
			if on {
				return []*node{y.make(key)}
			}
			return nil
		}
		if k.shape == shapeCommand {
			if v.Tag == "!!bool" && v.Value == "true" {
				return []*node{y.make(key)}
			}
			return []*node{y.make(key, y.word(v))}
		}
		return []*node{y.make(key, y.words(v)...)}
	case yaml.SequenceNode:
		var ws []word
		for _, item := range y.list(v) {
			if w, ok := y.scalar(k, item); ok {
				ws = append(ws, w)
			}
		}
		return []*node{y.make(key, ws...)}
	}
	e := k.entry
	if k.shape == shapeCommand {
		e = &entrySpec{first: []string{"command", "user", "group"}}
	}
	ws, ok := y.entryMap(k, e, v)
	if !ok {
		return nil
	}
	return []*node{y.make(key, ws...)}
}

// entryMap turns {address: A, dev: D, no_track: true} into words.
func (y *yamlReader) entryMap(k *keyword, e *entrySpec, v *yaml.Node) ([]word, bool) {
	if e == nil || v.Kind != yaml.MappingNode {
		y.at(v, Error, "yaml-shape", "", "%s takes a string or a list of words", k.name)
		return nil, false
	}
	ps := y.pairs(v)
	var out []word
	for i, name := range e.first {
		for _, p := range ps {
			if p.key.Value != name {
				continue
			}
			x := y.follow(p.value)
			if x == nil {
				return nil, false
			}
			w, ok := y.scalar(k, x)
			if !ok {
				return nil, false
			}
			if len(out) < i {
				y.at(p.key, Error, "missing-argument", "add "+e.first[i-1], "%s of %s without %s", name, k.name, e.first[i-1])
				return nil, false
			}
			out = append(out, w)
		}
	}
next:
	for _, p := range ps {
		for _, name := range e.first {
			if p.key.Value == name {
				continue next
			}
		}
		for _, o := range e.options {
			if o.name != p.key.Value && o.name != "-"+p.key.Value {
				continue
			}
			x := y.follow(p.value)
			if x == nil {
				return nil, false
			}
			w := y.word(p.key)
			w.text = o.name
			if o.args == 0 {
				if on, ok := parseBool(x.Value); !ok {
					y.at(x, Error, "yaml-shape", "write "+o.name+": true", "%s is true or false", o.name)
					return nil, false
				} else if on {
					out = append(out, w)
				}
				continue next
			}
			a, ok := y.scalar(k, x)
			if !ok {
				return nil, false
			}
			out = append(out, w, a)
			continue next
		}
		var all []string
		all = append(all, e.first...)
		for _, o := range e.options {
			all = append(all, o.name)
		}
		hint := ""
		if c := closest(p.key.Value, all); c != "" {
			hint = "did you mean " + c + "?"
		}
		y.at(p.key, Error, "unknown-keyword", hint, "%s has no option %q", k.name, clip(p.key.Value))
		return nil, false
	}
	if len(out) == 0 {
		y.at(v, Error, "missing-argument", "", "an entry of %s is empty", k.name)
		return nil, false
	}
	return out, true
}

// entries reads the lines of a list block.
func (y *yamlReader) entries(k *keyword, v *yaml.Node) []*node {
	defer y.enter()()
	var out []*node
	for _, item := range y.list(v) {
		var ws []word
		switch {
		case item.Kind == yaml.ScalarNode && !isNull(item):
			ws = y.words(item)
		case item.Kind == yaml.SequenceNode:
			for _, c := range y.list(item) {
				if w, ok := y.scalar(k, c); ok {
					ws = append(ws, w)
				}
			}
		default:
			var ok bool
			if ws, ok = y.entryMap(k, k.entry, item); !ok {
				continue
			}
		}
		if len(ws) == 0 {
			continue
		}
		n := y.make(ws[0], ws[1:]...)
		if y.keep {
			if item.HeadComment != "" {
				n.comments().above = comment(item.HeadComment)
			}
			if item.LineComment != "" {
				n.comments().beside = item.LineComment
			}
		}
		out = append(out, n)
	}
	return out
}

// namedLists reads virtual_server_group: a map of names to lists.
func (y *yamlReader) namedLists(k *keyword, key word, v *yaml.Node) []*node {
	if v.Kind != yaml.MappingNode {
		y.at(v, Error, "yaml-shape", "write NAME: [entry, entry]", "%s is a map of names to lists", k.name)
		return nil
	}
	var out []*node
	for _, p := range y.pairs(v) {
		x := y.follow(p.value)
		if x == nil {
			break
		}
		n := y.make(key, y.word(p.key))
		n.key.line, n.key.col, n.key.end = n.args[0].line, n.args[0].col, n.args[0].end
		n.block = true
		n.kids = y.entries(k, x)
		y.remember(n, p.key, x)
		out = append(out, n)
	}
	return out
}

// blocks reads a block, a list of blocks, or a map from names to blocks.
func (y *yamlReader) blocks(k *keyword, key word, v *yaml.Node) []*node {
	if v.Kind == yaml.MappingNode && len(k.named) == 1 && !y.hasKey(v, k.named[0]) {
		var out []*node
		for _, p := range y.pairs(v) {
			x := y.follow(p.value)
			if x == nil {
				break
			}
			if x.Kind != yaml.MappingNode && !isNull(x) {
				y.at(x, Error, "yaml-shape", "", "%s %s is a map", k.name, p.key.Value)
				continue
			}
			name := y.word(p.key)
			n := y.make(word{text: key.text, line: name.line, col: name.col, end: name.end}, name)
			n.block = true
			if x.Kind == yaml.MappingNode {
				n.kids = y.block(k.sub, x, nil)
			}
			y.remember(n, p.key, x)
			out = append(out, n)
		}
		return out
	}
	var out []*node
	for i, item := range y.list(v) {
		if !k.many && i > 0 {
			y.at(item, Error, "yaml-shape", "keep one", "%s may be given once", k.name)
			break
		}
		if item.Kind != yaml.MappingNode && !isNull(item) {
			y.at(item, Error, "yaml-shape", "", "%s is a map", k.name)
			continue
		}
		out = append(out, y.oneBlock(k, key, item))
	}
	if isNull(v) {
		n := y.make(key)
		n.block = true
		out = append(out, n)
	}
	return out
}

func (y *yamlReader) hasKey(m *yaml.Node, name string) bool {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == name && m.Content[i+1].Kind == yaml.ScalarNode {
			return true
		}
	}
	return false
}

// oneBlock reads one map whose keys include the words of the head.
func (y *yamlReader) oneBlock(k *keyword, key word, m *yaml.Node) *node {
	n := y.make(key)
	n.block = true
	if m.Kind != yaml.MappingNode {
		return n
	}
	if len(k.named) > 0 {
		// The head of a list item stands where the item begins.
		n.key.line, n.key.col, n.key.end = int32(m.Line), int32(m.Column), int32(m.Column)
	}
	skip := map[string]bool{}
	var args []word
	if len(k.named) > 0 {
		ps := y.pairs(m)
		for _, p := range ps {
			for _, h := range k.heads {
				if p.key.Value != h {
					continue
				}
				if x := y.follow(p.value); x != nil {
					if w, ok := y.scalar(k, x); ok {
						head := y.word(p.key)
						args = append(args, head, w)
						skip[h] = true
					}
				}
			}
		}
		if len(args) == 0 {
			for i, name := range k.named {
				for _, p := range ps {
					if p.key.Value != name {
						continue
					}
					skip[name] = true
					if x := y.follow(p.value); x != nil {
						if w, ok := y.scalar(k, x); ok && len(args) == i {
							args = append(args, w)
						}
					}
				}
			}
		}
		n.args = y.arena.take(args)
	}
	n.kids = y.block(k.sub, m, skip)
	if y.keep && m.HeadComment != "" {
		n.comments().above = comment(m.HeadComment)
	}
	return n
}

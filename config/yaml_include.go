package config

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// Where YAML includes. A key include in any map stands for the keywords of the files: there a document is a map. An item
// {include: FILE} of a list stands for the items of the files: there a document is a list, or one item. The words and patterns are
// those of the other syntax, and so is what a file may be; a list names several. Either syntax may include the other.

// included reads the files that the value v of an include key names. take gets each document; y.src is then that file.
// Files in keepalived's language come as lines.
func (y *yamlReader) included(key, v *yaml.Node, take func(doc *yaml.Node), lines func([]*node)) {
	v = y.follow(v)
	if v == nil || y.files.stopped {
		return
	}
	defer y.enter()()
	checks, _ := y.files.includeForm(key.Value)
	files := y.list(v)
	if isNull(v) {
		files = []*yaml.Node{v}
	}
	for _, one := range files {
		if one.Kind != yaml.ScalarNode || isNull(one) || strings.TrimSpace(one.Value) == "" {
			y.at(one, Error, "yaml-shape", "write "+key.Value+": FILE, or a list of files", "%s names files or patterns", key.Value)
			continue
		}
		w := y.word(one)
		here := y.src
		at := place{src: here, line: int(w.line), col: int(w.col), exact: true}
		y.files.includeFiles(one.Value, checks, int(w.end-w.col), at, func(src *source) {
			defer func() { y.src = here }()
			if !includedYAML(src.text) && !isYAMLName(src.name) {
				lines(y.files.fragment(src))
				return
			}
			src.yaml = true
			y.src = src
			if doc := y.document(); doc != nil && !y.full {
				take(doc)
			}
		})
		y.src = here
	}
}

// isYAMLName decides where the content does not: a file of bare addresses is a document of one line to YAML.
func isYAMLName(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".json")
}

// includedYAML tells the syntax of an included file: a list is a document too, and a brace alone may begin a block.
func includedYAML(text string) bool {
	first := ""
	for rest := text; rest != "" && first == ""; {
		line := rest
		if i := strings.IndexByte(rest, '\n'); i >= 0 {
			line, rest = rest[:i], rest[i+1:]
		} else {
			rest = ""
		}
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			first = line
		}
	}
	if strings.HasPrefix(first, "- ") || first == "-" || strings.HasPrefix(first, "[") {
		return true
	}
	if strings.HasPrefix(first, "{") {
		rest := strings.TrimLeft(text[strings.IndexByte(text, '{')+1:], " \t\r\n")
		return strings.HasPrefix(rest, `"`)
	}
	return looksLikeYAML(text)
}

// fragment reads a file in keepalived's language that a YAML file includes.
func (r *reader) fragment(src *source) []*node {
	root, open, openAt, last, tooDeep, physical := r.root, r.open, r.openAt, r.last, r.tooDeep, r.physical
	r.root, r.open, r.openAt, r.last, r.tooDeep, r.physical = node{src: src}, nil, nil, nil, 0, nil
	r.read(src)
	r.unclosed()
	kids := r.root.kids
	r.root, r.open, r.openAt, r.last, r.tooDeep, r.physical = root, open, openAt, last, tooDeep, physical
	return kids
}

// includeItem recognises {include: FILE}.
func (y *yamlReader) includeItem(n *yaml.Node) (key, value *yaml.Node, ok bool) {
	if n.Kind != yaml.MappingNode || len(n.Content) != 2 || n.Content[0].Kind != yaml.ScalarNode {
		return nil, nil, false
	}
	_, ok = y.files.includeForm(n.Content[0].Value)
	return n.Content[0], n.Content[1], ok
}

// linesOf reads a document as the entries of a list.
func (y *yamlReader) linesOf(k *keyword, doc *yaml.Node) []*node {
	if k.shape == shapeNames {
		return y.nameLines(k, doc)
	}
	return y.entries(k, doc)
}

// includeKey adds what an include key of a block brings to out; false when p is no such key.
func (y *yamlReader) includeKey(b *blockInfo, p pair, out *[]*node) bool {
	if p.key.Value == "include_check" {
		w := y.word(p.key)
		var words []string
		if v := y.follow(p.value); v != nil {
			for _, one := range y.list(v) {
				words = append(words, strings.Fields(one.Value)...)
			}
		}
		y.files.includeCheck(words, place{src: y.src, line: int(w.line), col: int(w.col), exact: true})
		return true
	}
	if _, ok := y.files.includeForm(p.key.Value); !ok {
		return false
	}
	y.included(p.key, p.value, func(doc *yaml.Node) { *out = append(*out, y.top(b, doc)...) }, func(ns []*node) { *out = append(*out, ns...) })
	return true
}

// under takes lines of keepalived's language where blocks of k are wanted: such blocks, or else what stands inside of one.
func (y *yamlReader) under(k *keyword, key word, ns []*node) []*node {
	for _, n := range ns {
		if n.key.text == k.name || contains(k.aliases, n.key.text) {
			return ns
		}
	}
	if len(k.named) > 0 || len(ns) == 0 {
		return ns
	}
	n := y.make(key)
	n.block, n.kids = true, ns
	return []*node{n}
}

package config

import (
	"gopkg.in/yaml.v3"
)

// block turns a map into the lines of a block. Keys named in skip belong to the head of the block.
func (y *yamlReader) block(b *blockInfo, m *yaml.Node, skip map[string]bool) []*node {
	defer y.enter()()
	var out []*node
	for _, p := range y.pairs(m) {
		if skip[p.key.Value] {
			continue
		}
		if y.includeKey(b, p, &out) {
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

// entries reads the lines of a list block.
func (y *yamlReader) entries(k *keyword, v *yaml.Node) []*node {
	defer y.enter()()
	var out []*node
	for _, item := range y.list(v) {
		if key, files, ok := y.includeItem(item); ok {
			y.included(key, files, func(doc *yaml.Node) { out = append(out, y.entries(k, doc)...) }, func(ns []*node) { out = append(out, ns...) })
			continue
		}
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
		if _, ok := y.files.includeForm(p.key.Value); ok && x.Kind == yaml.ScalarNode {
			y.included(p.key, x, func(doc *yaml.Node) { out = append(out, y.namedLists(k, key, doc)...) }, func(ns []*node) { out = append(out, ns...) })
			continue
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
	defer y.enter()()
	if _, _, ok := y.includeItem(v); !ok && v.Kind == yaml.MappingNode && len(k.named) == 1 && !y.hasKey(v, k.named[0]) {
		var out []*node
		for _, p := range y.pairs(v) {
			x := y.follow(p.value)
			if x == nil {
				break
			}
			if _, ok := y.files.includeForm(p.key.Value); ok && x.Kind != yaml.MappingNode && !isNull(x) {
				y.included(p.key, x, func(doc *yaml.Node) { out = append(out, y.blocks(k, key, doc)...) }, func(ns []*node) { out = append(out, ns...) })
				continue
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
		if word, files, ok := y.includeItem(item); ok {
			y.included(word, files, func(doc *yaml.Node) { out = append(out, y.blocks(k, key, doc)...) }, func(ns []*node) { out = append(out, y.under(k, key, ns)...) })
			continue
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

package config

import (
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

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
		n.kids = y.nameLines(k, v)
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
		hint := "it has " + strings.Join(all, ", ")
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

// nameLines reads a list of words, one to a line.
func (y *yamlReader) nameLines(k *keyword, v *yaml.Node) []*node {
	var out []*node
	for _, item := range y.list(v) {
		if key, files, ok := y.includeItem(item); ok {
			y.included(key, files, func(doc *yaml.Node) { out = append(out, y.nameLines(k, doc)...) }, func(ns []*node) { out = append(out, ns...) })
			continue
		}
		if w, ok := y.scalar(k, item); ok {
			out = append(out, y.make(w))
		}
	}
	return out
}

package config

import (
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Keyword is one row of the keyword table, for documentation and for tests elsewhere.
type Keyword struct {
	// Block is where it stands, "" for the top level.
	Block   string
	Name    string
	Aliases []string
	// Tier is A (in most deployments), B (common) or C (rare).
	Tier string
	// Use is "acted on", "understood" (carried in the Model, nothing acts on it yet), "not needed" or "obsolete".
	Use string
	// Owner says that it decides who owns an address: while only understood it is an error.
	Owner     bool
	Arguments string
	Default   string
	Doc       string
}

// Keywords lists the whole table.
func Keywords() []Keyword {
	var out []Keyword
	for _, b := range sortedBlocks() {
		for _, k := range b.rows {
			out = append(out, Keyword{Block: b.name, Name: k.name, Aliases: k.aliases, Tier: string(k.tier), Use: k.use.String(), Owner: k.owner,
				Arguments: k.arguments(), Default: k.def, Doc: k.doc})
		}
	}
	return out
}

// String is the use as the documentation says it.
func (u use) String() string {
	return [...]string{idle: "understood", acts: "acted on", moot: "not needed", gone: "obsolete"}[u]
}

// sortedBlocks puts the top level first and the blocks in the order in which they occur in others.
func sortedBlocks() []*blockInfo {
	var out []*blockInfo
	seen := map[*blockInfo]bool{}
	var visit func(b *blockInfo)
	visit = func(b *blockInfo) {
		if b == nil || seen[b] {
			return
		}
		seen[b] = true
		out = append(out, b)
		for _, k := range b.rows {
			visit(k.sub)
		}
	}
	visit(rootTable.info)
	return out
}

// arguments is what follows the keyword.
func (k *keyword) arguments() string {
	switch k.shape {
	case shapeFlag:
		return ""
	case shapeBool:
		return "[on or off]"
	case shapeInt:
		return strconv.FormatInt(k.min, 10) + " to " + strconv.FormatInt(k.max, 10)
	case shapeTime:
		return unitName(k.unit) + ", " + timeText(time.Duration(k.min), k.unit) + " to " + timeText(time.Duration(k.max), k.unit)
	case shapeWord:
		return "WORD"
	case shapeText:
		return "TEXT"
	case shapeEnum:
		if len(k.enum) > 0 {
			return strings.Join(k.enum, ", ")
		}
		return "WORD"
	case shapeAddr:
		return "ADDRESS"
	case shapeCommand:
		return "COMMAND [USER [GROUP]]"
	case shapeNames:
		return "{ WORD ... }"
	case shapeLines:
		return strings.TrimSpace(strings.ToUpper(strings.Join(k.named, " ")) + " { lines }")
	case shapeBlock:
		head := strings.ToUpper(strings.Join(k.named, " "))
		for _, h := range k.heads {
			head += " or " + h + " VALUE"
		}
		return strings.TrimSpace(head + " { keywords }")
	}
	if k.entry != nil {
		out := strings.ToUpper(strings.Join(k.entry.first, " "))
		for _, o := range k.entry.options {
			out += " [" + o.name + strings.Repeat(" VALUE", o.args) + "]"
		}
		return strings.TrimSpace(out)
	}
	return "WORDS"
}

// KeywordsMarkdown is docs/keywords.md: every keyword and what Holdfast does with it.
func KeywordsMarkdown() string {
	var b strings.Builder
	b.WriteString("# Every keyword\n\nGenerated from the keyword table by `go test ./config -run Generated -update`; do not edit.\n\n" +
		"Tier A keywords are in most deployments, B are common, C are rare. *Acted on*: the daemon does what the keyword says. *Understood*: it is checked and\n" +
		"carried, but nothing acts on it yet; one that decides who owns an address (marked †) is then an error, the others are a warning. *Not needed*: it is about\n" +
		"keepalived's own processes, buffers or build. *Obsolete*: without effect in keepalived too. Holdfast's own keywords are in the tables like the others.\n\n")
	counts := map[string]map[string]int{}
	for _, k := range Keywords() {
		if counts[k.Tier] == nil {
			counts[k.Tier] = map[string]int{}
		}
		counts[k.Tier][k.Use]++
	}
	b.WriteString("| Tier | acted on | understood | not needed | obsolete |\n|---|---|---|---|---|\n")
	for _, t := range []string{"A", "B", "C"} {
		c := counts[t]
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d |\n", t, c["acted on"], c["understood"], c["not needed"], c["obsolete"])
	}
	for _, blk := range sortedBlocks() {
		name := "`" + blk.name + "`"
		if blk.name == "" {
			name = "Top level"
		}
		fmt.Fprintf(&b, "\n## %s\n\n| Keyword | Arguments | Default | Tier | Holdfast | Meaning |\n|---|---|---|---|---|---|\n", name)
		for _, k := range blk.rows {
			names := "`" + k.name + "`"
			for _, a := range k.aliases {
				names += ", `" + a + "`"
			}
			mark := ""
			if k.owner {
				mark = " †"
			}
			fmt.Fprintf(&b, "| %s%s | %s | %s | %c | %s | %s |\n", names, mark, cell(k.arguments()), cell(k.def), k.tier, k.use, cell(k.doc))
			if k.entry != nil && k.shape == shapeLines {
				for _, o := range k.entry.options {
					if o.doc == "" {
						continue
					}
					fmt.Fprintf(&b, "| &nbsp;&nbsp;%s | %s | | | | %s |\n", "`"+o.name+"`", strings.TrimSpace(strings.Repeat("VALUE ", o.args)), cell(o.doc))
				}
			}
		}
	}
	return b.String()
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// Schema is the JSON Schema of the YAML form, for editors.
func Schema() []byte {
	defs := map[string]any{}
	for _, b := range sortedBlocks() {
		if b.name != "" {
			defs[b.name] = blockSchema(b, nil)
		}
	}
	for name, def := range includeSchemas() {
		defs[name] = def
	}
	defs["_switch"] = object{"anyOf": []any{object{"type": "boolean"}, object{"enum": []string{"on", "off", "yes", "no", "true", "false"}}}}
	defs["_time"] = object{"anyOf": []any{object{"type": "number"}, object{"type": "string", "pattern": `^([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|ms|s|m|h)?$`}}}
	root := blockSchema(rootTable.info, nil)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Holdfast configuration"
	root["$defs"] = defs
	out, err := json.MarshalIndent(root, "", " ")
	if err != nil {
		panic(err) // plain maps always marshal
	}
	return append(out, '\n')
}

type object = map[string]any

func blockSchema(b *blockInfo, head []string) object {
	props := object{}
	for _, h := range head {
		props[h] = object{"type": []string{"string", "integer"}}
	}
	for _, k := range b.rows {
		s := k.schema()
		props[k.name] = s
		for _, a := range k.aliases {
			props[a] = object{"$comment": "older spelling of " + k.name, "anyOf": []any{s}}
		}
	}
	for _, w := range includeWords {
		props[w] = object{"$ref": "#/$defs/_include"}
	}
	props["include_check"] = object{"anyOf": []any{plainValue, wordList}, "description": "What the includes after it are strict about."}
	return object{"type": "object", "additionalProperties": false, "properties": props}
}

// includeSchemas describe an include key, and an item of a list that is nothing but an include.
func includeSchemas() object {
	item := object{}
	for _, w := range includeWords {
		item[w] = object{"$ref": "#/$defs/_include"}
	}
	return object{
		"_include": object{"anyOf": []any{object{"type": "string"}, object{"type": "array", "items": object{"type": "string"}}},
			"description": "A file, a pattern, or a list of them, relative to the including file."},
		"_includes": object{"type": "object", "additionalProperties": false, "properties": item, "minProperties": 1, "maxProperties": 1,
			"description": "Stands for the items of the file."},
	}
}

// includeKeys are the include words where keys are names: one of them may be a name after all.
func includeKeys(ref object) object {
	out := object{}
	for _, w := range includeWords {
		out[w] = object{"anyOf": []any{ref, object{"$ref": "#/$defs/_include"}}}
	}
	return out
}

var includeItem = object{"$ref": "#/$defs/_includes"}

func (k *keyword) schema() object {
	s := k.bare()
	doc := k.doc
	if k.def != "" {
		doc += " Default: " + k.def + "."
	}
	if k.use == idle {
		doc += " Not acted on yet."
	}
	if doc != "" {
		s["description"] = strings.TrimSpace(doc)
	}
	return s
}

var (
	plainValue = object{"type": []string{"string", "number"}}
	wordList   = object{"type": "array", "items": plainValue}
)

func (k *keyword) bare() object {
	switch k.shape {
	case shapeFlag, shapeBool:
		return object{"$ref": "#/$defs/_switch"}
	case shapeInt:
		return object{"type": "integer", "minimum": k.min, "maximum": k.max}
	case shapeTime:
		return object{"$ref": "#/$defs/_time"}
	case shapeEnum:
		if len(k.enum) > 0 {
			values := make([]any, 0, len(k.enum))
			for _, v := range k.enum {
				values = append(values, v)
				if f, err := strconv.ParseFloat(v, 64); err == nil {
					values = append(values, f)
				}
			}
			return object{"enum": values}
		}
		return object{"type": []string{"string", "number"}}
	case shapeWord, shapeAddr, shapeText:
		return object{"type": []string{"string", "number"}}
	case shapeNames:
		list := object{"type": "array", "items": object{"anyOf": []any{plainValue, includeItem}}}
		return object{"anyOf": []any{plainValue, list, includeItem}}
	case shapeCommand:
		return object{"anyOf": []any{object{"type": []string{"string", "boolean"}}, wordList,
			entrySchema(&entrySpec{first: []string{"command", "user", "group"}})}}
	case shapeWords:
		forms := []any{object{"type": []string{"string", "number", "boolean"}}, wordList}
		if k.entry != nil {
			forms = append(forms, entrySchema(k.entry))
		}
		return object{"anyOf": forms}
	case shapeLines:
		item := []any{plainValue, wordList, includeItem}
		if k.entry != nil {
			item = append(item, entrySchema(k.entry))
		}
		list := object{"type": "array", "items": object{"anyOf": item}}
		if len(k.named) > 0 {
			return object{"type": "object", "additionalProperties": object{"anyOf": []any{list, object{"type": "string"}}}}
		}
		return object{"anyOf": []any{list, plainValue, includeItem, object{"type": "null"}}}
	}
	ref := object{"$ref": "#/$defs/" + k.sub.name}
	if len(k.named) > 0 {
		item := blockSchema(k.sub, append(append([]string{}, k.named...), k.heads...))
		forms := []any{object{"type": "array", "items": object{"anyOf": []any{item, includeItem}}}, item, includeItem}
		if len(k.named) == 1 {
			forms = append(forms, object{"type": "object", "additionalProperties": object{"anyOf": []any{ref, object{"type": "null"}}},
				"properties": includeKeys(ref)})
		}
		return object{"anyOf": forms}
	}
	forms := []any{ref, object{"type": "null"}}
	if k.many {
		forms = append(forms, object{"type": "array", "items": object{"anyOf": []any{ref, includeItem}}})
	}
	return object{"anyOf": forms}
}

func entrySchema(e *entrySpec) object {
	props := object{}
	names := append([]string{}, e.first...)
	sort.Strings(names)
	for _, n := range names {
		props[n] = plainValue
	}
	for _, o := range e.options {
		v := object{"type": []string{"string", "number"}}
		if o.args == 0 {
			v = object{"type": "boolean"}
		}
		if o.doc != "" {
			v["description"] = o.doc
		}
		props[strings.TrimPrefix(o.name, "-")] = v
	}
	return object{"type": "object", "additionalProperties": false, "properties": props}
}

package config

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// yamlBlock writes the lines of a block as a map. lead is written instead of the indentation of the first line ("- " of a list).
func (p *printer) yamlBlock(info *blockInfo, kids []*node, depth int, lead string) {
	groups := map[*keyword][]*node{}
	order := make([]*keyword, 0, len(kids))
	start := func() {
		if lead != "" {
			p.b.WriteString(lead)
			lead = ""
			return
		}
		p.yamlIndent(depth)
	}
	var lost []*node
	for _, n := range kids {
		k := info.find(n.key.text)
		if k == nil {
			lost = append(lost, n)
			continue
		}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], n)
	}
	for i, k := range order {
		if depth == 0 && i > 0 {
			p.b.WriteByte('\n')
		}
		p.yamlKeyword(k, groups[k], depth, start)
	}
	if len(order) == 0 && lead != "" {
		start()
		p.b.WriteString("{}\n")
	}
	for _, n := range lost {
		p.yamlIndent(depth)
		p.lost(n, 0, "# ")
	}
}

func (p *printer) yamlIndent(depth int) { p.b.WriteString(strings.Repeat("  ", depth)) }

// above writes the comments before a line.
func (p *printer) above(n *node, depth int) {
	if n.notes == nil {
		return
	}
	for _, s := range n.notes.above {
		p.yamlIndent(depth)
		p.b.WriteString(hash(s) + "\n")
	}
}

func (p *printer) beside(n *node) {
	if n.notes != nil && n.notes.beside != "" {
		p.b.WriteString("  " + hash(n.notes.beside))
	}
	p.b.WriteByte('\n')
}

func (p *printer) yamlKeyword(k *keyword, nodes []*node, depth int, start func()) {
	switch k.shape {
	case shapeBlock:
		p.yamlBlocks(k, nodes, depth, start)
		return
	case shapeLines, shapeNames:
		if len(k.named) > 0 {
			start()
			p.b.WriteString(k.name + ":\n")
			for _, n := range nodes {
				p.above(n, depth+1)
				p.yamlIndent(depth + 1)
				p.b.WriteString(yamlScalar(n.text(0)) + ":")
				p.yamlEntries(k, []*node{n}, depth+2)
			}
			return
		}
		for _, n := range nodes {
			p.above(n, depth)
		}
		start()
		p.b.WriteString(k.name + ":")
		p.yamlEntries(k, nodes, depth+1)
		return
	}
	if k.many && len(nodes) > 1 {
		start()
		p.b.WriteString(k.name + ":\n")
		for _, n := range nodes {
			p.above(n, depth+1)
			p.yamlIndent(depth + 1)
			p.b.WriteString("- " + p.yamlValue(k, n))
			p.beside(n)
		}
		return
	}
	n := nodes[len(nodes)-1]
	if k.shape == shapeCommand {
		n = nodes[0]
	}
	p.above(n, depth)
	start()
	p.b.WriteString(k.name + ": " + p.yamlValue(k, n))
	p.beside(n)
}

// yamlEntries writes the entries of one or more lists after their key.
func (p *printer) yamlEntries(k *keyword, nodes []*node, depth int) {
	count := 0
	for _, n := range nodes {
		count += len(n.kids)
	}
	if count == 0 {
		p.b.WriteString(" []\n")
		return
	}
	p.b.WriteByte('\n')
	for _, n := range nodes {
		for _, e := range n.kids {
			p.above(e, depth)
			if k.shape == shapeNames {
				for i, w := range append([]string{e.key.text}, texts(e)...) {
					p.yamlIndent(depth)
					p.b.WriteString("- " + yamlScalar(w))
					if i == 0 {
						p.beside(e)
					} else {
						p.b.WriteByte('\n')
					}
				}
				continue
			}
			p.yamlIndent(depth)
			p.b.WriteString("- " + yamlScalar(lineOf(append([]string{e.key.text}, texts(e)...))))
			p.beside(e)
		}
		if n.notes != nil {
			for _, s := range n.notes.below {
				p.yamlIndent(depth)
				p.b.WriteString(hash(s) + "\n")
			}
		}
	}
}

// lineOf joins words so that split gives them back.
func lineOf(ws []string) string {
	out := make([]string, len(ws))
	for i, w := range ws {
		out[i] = w
		if w == "" || strings.ContainsAny(w, " \t") {
			out[i] = `"` + w + `"`
		}
	}
	return strings.Join(out, " ")
}

func (p *printer) yamlBlocks(k *keyword, nodes []*node, depth int, start func()) {
	if !k.many && len(k.named) == 0 {
		// Several blocks of one kind are one map.
		var kids []*node
		for _, n := range nodes {
			kids = append(kids, n.kids...)
		}
		p.above(nodes[0], depth)
		start()
		p.b.WriteString(k.name + ":")
		if len(kids) == 0 {
			p.b.WriteString(" {}\n")
			return
		}
		p.beside(nodes[0])
		p.yamlBlock(k.sub, kids, depth+1, "")
		for _, n := range nodes {
			if n.notes != nil {
				for _, s := range n.notes.below {
					p.yamlIndent(depth + 1)
					p.b.WriteString(hash(s) + "\n")
				}
			}
		}
		return
	}
	start()
	p.b.WriteString(k.name + ":\n")
	for _, n := range nodes {
		p.above(n, depth+1)
		lead := strings.Repeat("  ", depth+1) + "- "
		for i := range n.args {
			name := ""
			switch {
			case len(n.args) == 2 && contains(k.heads, n.args[0].text):
				if i == 0 {
					continue
				}
				name = n.args[0].text
			case i < len(k.named):
				name = k.named[i]
			default:
				continue
			}
			p.b.WriteString(lead + name + ": " + yamlScalar(n.args[i].text))
			lead = strings.Repeat("  ", depth+2)
			if i == len(n.args)-1 {
				p.beside(n)
			} else {
				p.b.WriteByte('\n')
			}
		}
		if lead == strings.Repeat("  ", depth+2) {
			lead = ""
		}
		p.yamlBlock(k.sub, n.kids, depth+2, lead)
		if n.notes != nil {
			for _, s := range n.notes.below {
				p.yamlIndent(depth + 2)
				p.b.WriteString(hash(s) + "\n")
			}
		}
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// yamlValue is the value of a keyword that is no block.
func (p *printer) yamlValue(k *keyword, n *node) string {
	switch k.shape {
	case shapeFlag:
		return "true"
	case shapeBool:
		if len(n.args) == 0 {
			return "true"
		}
		if v, ok := parseBool(n.text(0)); ok {
			return strconv.FormatBool(v)
		}
	case shapeCommand:
		ws := commandWords(n)
		switch len(ws) {
		case 0:
			return "true"
		case 1:
			return yamlScalar(ws[0])
		}
		s := "{command: " + yamlFlow(ws[0]) + ", user: " + yamlFlow(ws[1])
		if len(ws) > 2 {
			s += ", group: " + yamlFlow(ws[2])
		}
		return s + "}"
	case shapeText:
		return yamlScalar(textValue(n))
	case shapeTime:
		if v, ok := parseTime(n.text(0), k.unit, n.src.yaml); ok {
			return yamlTime(v)
		}
	case shapeWords:
		if len(n.args) == 0 {
			return "true"
		}
		return yamlScalar(lineOf(texts(n)))
	}
	if len(n.args) == 0 {
		return `""`
	}
	return yamlScalar(n.text(0))
}

// yamlTime writes a duration in the largest unit that needs no fraction.
func yamlTime(v time.Duration) string {
	for _, u := range []struct {
		d    time.Duration
		name string
	}{{time.Second, "s"}, {time.Millisecond, "ms"}, {time.Microsecond, "us"}} {
		if v%u.d == 0 {
			return strconv.FormatInt(int64(v/u.d), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(v), 10) + "ns"
}

var plainYAML = regexp.MustCompile(`^[A-Za-z0-9/.$^_+=(][^#:'"\\\x00-\x1f\x7f-\x{ffff}]*$`)

// yamlScalar quotes a string where YAML would read something else.
func yamlScalar(s string) string {
	if plainScalar(s) {
		return s
	}
	if strings.ContainsAny(s, "\n\t\r\\") || strings.IndexFunc(s, func(c rune) bool { return c < ' ' || c >= 0x7f }) >= 0 {
		return strconv.QuoteToASCII(s)
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

func plainScalar(s string) bool {
	if s == "" || strings.TrimSpace(s) != s {
		return false
	}
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no", "on", "off", "null", "~", "y", "n":
		return false
	}
	if plainYAML.MatchString(s) {
		return true
	}
	// Addresses of IPv6: colons that are followed by no blank and do not end the word.
	for _, c := range s {
		if c >= 0x7f || c < ' ' {
			return false
		}
	}
	return !strings.ContainsAny(s, `#'"\`) && !strings.Contains(s, ": ") && !strings.HasSuffix(s, ":") && (s[0] >= '0' && s[0] <= '9' || s[0] >= 'a' && s[0] <= 'z' || s[0] >= 'A' && s[0] <= 'Z' || s[0] == '/') ||
		len(s) > 1 && s[0] == '-' && s[1] >= '0' && s[1] <= '9' && plainYAML.MatchString(s[1:])
}

// yamlFlow is yamlScalar inside {a: b}.
func yamlFlow(s string) string {
	if strings.ContainsAny(s, ",[]{}:") {
		if strings.ContainsAny(s, "\n\t\r\\") {
			return strconv.QuoteToASCII(s)
		}
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return yamlScalar(s)
}

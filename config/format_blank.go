package config

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// keepBlanks puts the blank lines of a YAML text back that the encoder drops: one above each key or item that had some above it. Should that
// change the meaning in any way, the text stays without.
func keepBlanks(before *yaml.Node, text, out string) string {
	var after yaml.Node
	if yaml.Unmarshal([]byte(out), &after) != nil {
		return out
	}
	was, is := lineStarts(before, nil), lineStarts(&after, nil)
	if len(was) != len(is) {
		return out
	}
	lines, now := strings.Split(text, "\n"), strings.Split(out, "\n")
	blanks := map[int]bool{} // lines of the output, from 0, above which one goes
	last := 0
	for k := range was {
		if was[k] == last {
			continue // another word of the same line
		}
		last = was[k]
		if top := aboveComments(lines, was[k]-1); top > 0 && blankLine(lines[top-1]) {
			if at := aboveComments(now, is[k]-1); at > 0 {
				blanks[at] = true
			}
		}
	}
	var b strings.Builder
	for i, l := range now {
		if blanks[i] && !blankLine(now[i-1]) {
			b.WriteByte('\n')
		}
		b.WriteString(l)
		if i < len(now)-1 {
			b.WriteByte('\n')
		}
	}
	var check yaml.Node
	if yaml.Unmarshal([]byte(b.String()), &check) != nil || !sameYAML(before, &check) && !sameYAML(&after, &check) {
		return out
	}
	return b.String()
}

func blankLine(s string) bool { return strings.Trim(s, " \t\r") == "" }

// aboveComments is the first of the comment lines right above line i, or i.
func aboveComments(lines []string, i int) int {
	for i > 0 && i <= len(lines) && strings.HasPrefix(strings.TrimLeft(lines[i-1], " \t"), "#") {
		i--
	}
	return min(i, len(lines))
}

// lineStarts lists the lines of keys and items in the order of the text.
func lineStarts(n *yaml.Node, out []int) []int {
	switch n.Kind {
	case yaml.DocumentNode:
		for _, c := range n.Content {
			out = lineStarts(c, out)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			out = lineStarts(n.Content[i+1], append(out, n.Content[i].Line))
		}
	case yaml.SequenceNode:
		for _, c := range n.Content {
			out = lineStarts(c, append(out, c.Line))
		}
	}
	return out
}

// sameYAML compares two documents, comments included.
func sameYAML(a, b *yaml.Node) bool {
	return a.Kind == b.Kind && a.Value == b.Value && a.Tag == b.Tag && a.Anchor == b.Anchor && a.Style == b.Style &&
		comments(a) == comments(b) && slices.EqualFunc(a.Content, b.Content, sameYAML)
}

func comments(n *yaml.Node) string {
	return n.HeadComment + "\x00" + n.LineComment + "\x00" + n.FootComment
}

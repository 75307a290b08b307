package event

import (
	"fmt"
	"strings"
)

// Markdown is the table of all events, as docs/events.md has it.
func Markdown() string {
	var b strings.Builder
	b.WriteString("# Events\n\nOne line of the log is one event. `event` is its id, which never changes; the message is constant; facts are fields. The same events are\n" +
		"what `holdfast events --follow` and `holdfast status` show. This page is generated from the catalogue (`go test ./internal/event -update`).\n")
	room := ""
	for _, k := range Catalogue() {
		prefix, _, _ := strings.Cut(k.ID, ".")
		if prefix != room {
			room = prefix
			fmt.Fprintf(&b, "\n## %s\n\n| event | level | message | fields | when, and what to do |\n|---|---|---|---|---|\n", room)
		}
		fields := make([]string, len(k.Fields))
		for i, f := range k.Fields {
			fields[i] = "`" + f + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", k.ID, k.levels(), cell(k.Message), strings.Join(fields, " "), cell(k.Doc))
	}
	return b.String()
}

// cell keeps a text inside its cell.
func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

// levels is how loud events of the kind are, in words.
func (k *Kind) levels() string {
	if k.warnField == "" {
		return k.Level.String()
	}
	return k.Level.String() + "; warn when `" + k.warnField + "` is " + k.warnValue
}

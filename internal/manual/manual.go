// Package manual turns the commands of the program into manual pages (man(7)) for section 8.
//
// It promises: the pages say exactly what --help says, plus where to find the rest; the same program gives the same pages on every
// day. It never writes a file.
package manual

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Page is one manual page.
type Page struct {
	// Name is its file name: holdfast-run.8.
	Name string
	// Text is its source.
	Text string
}

// Pages are the pages of root and of everything below it that is not hidden, root first.
func Pages(root *cobra.Command, version string) []Page {
	pages := []Page{page(root, version)}
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" && c.Name() != "completion" {
			pages = append(pages, Pages(c, version)...)
		}
	}
	return pages
}

func name(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

func page(c *cobra.Command, version string) Page {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line(`.TH "%s" "8" "" "Holdfast %s" "System administration"`, strings.ToUpper(escape(name(c))), escape(version))
	line(".SH NAME")
	line(`%s \- %s`, escape(name(c)), escape(c.Short))
	line(".SH SYNOPSIS")
	if c.Runnable() {
		line(".B %s", escape(c.UseLine()))
	} else {
		line(".B %s", escape(c.CommandPath()+" COMMAND"))
	}
	line(".SH DESCRIPTION")
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	paragraphs(&b, text)
	if subs := available(c); len(subs) > 0 {
		line(".SH COMMANDS")
		for _, s := range subs {
			line(".TP\n.BR %s (8)\n%s", escape(name(s)), escape(s.Short))
		}
	}
	if flags := c.NonInheritedFlags(); flags.HasAvailableFlags() {
		line(".SH OPTIONS")
		flags.VisitAll(func(f *pflag.Flag) { option(&b, f) })
	}
	if c.Example != "" {
		line(".SH EXAMPLES\n.nf\n%s\n.fi", escape(c.Example))
	}
	line(".SH EXIT STATUS")
	line(".TP\n.B 0\nit is done, or all is well\n.TP\n.B 1\nit failed, or was refused\n.TP\n.B 2\nthere is no usable configuration")
	if !c.HasParent() {
		line(".SH FILES")
		line(".TP\n.I /etc/holdfast/holdfast.yaml\nthe configuration, in YAML or keepalived's language")
		line(".TP\n.I /etc/keepalived/keepalived.conf\nthe configuration if the former does not exist")
		line(".TP\n.I /run/holdfast\nrun directory: control socket, lock, what a restarted daemon goes on from")
	}
	line(".SH SEE ALSO")
	var also []string
	if c.HasParent() {
		also = append(also, reference(c.Parent()))
	}
	for _, s := range available(c) {
		also = append(also, reference(s))
	}
	also = append(also, `.BR keepalived.conf (5)`, `.BR ipvsadm (8)`)
	line("%s", strings.Join(also, " ,\n"))
	return Page{Name: name(c) + ".8", Text: b.String()}
}

func reference(c *cobra.Command) string { return fmt.Sprintf(".BR %s (8)", escape(name(c))) }

func available(c *cobra.Command) (subs []*cobra.Command) {
	for _, s := range c.Commands() {
		if s.IsAvailableCommand() && s.Name() != "help" && s.Name() != "completion" {
			subs = append(subs, s)
		}
	}
	return subs
}

func option(b *strings.Builder, f *pflag.Flag) {
	if f.Hidden || f.Name == "help" {
		return
	}
	value, usage := pflag.UnquoteUsage(f)
	b.WriteString(".TP\n")
	if f.Shorthand != "" {
		fmt.Fprintf(b, `\fB\-%s\fP, `, escape(f.Shorthand))
	}
	fmt.Fprintf(b, `\fB\-\-%s\fP`, escape(f.Name))
	if value != "" {
		fmt.Fprintf(b, ` \fI%s\fP`, escape(value))
	}
	b.WriteString("\n" + escape(usage))
	if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "0s" && f.DefValue != "[]" {
		fmt.Fprintf(b, " (default: %s)", escape(f.DefValue))
	}
	b.WriteString("\n")
}

// paragraphs writes text; empty lines separate paragraphs, indented lines stay as they are.
func paragraphs(b *strings.Builder, text string) {
	literal := false
	for _, l := range strings.Split(strings.TrimSpace(text), "\n") {
		indented := strings.HasPrefix(l, "  ") || strings.HasPrefix(l, "\t")
		if indented != literal {
			b.WriteString(map[bool]string{true: ".nf\n", false: ".fi\n"}[indented])
			literal = indented
		}
		if strings.TrimSpace(l) == "" {
			b.WriteString(".PP\n")
			continue
		}
		b.WriteString(escape(l) + "\n")
	}
	if literal {
		b.WriteString(".fi\n")
	}
}

// escape makes text harmless for troff: backslashes, dashes that must stay dashes, and lines that would be requests.
func escape(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}

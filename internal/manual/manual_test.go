package manual

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func tree() *cobra.Command {
	root := &cobra.Command{Use: "holdfast", Short: "Keeps directors serving"}
	run := &cobra.Command{Use: "run [-c FILE]", Short: "The daemon", Long: "First.\n\n  literal -x\n.dot", RunE: func(*cobra.Command, []string) error { return nil }}
	run.Flags().StringP("config", "c", "/etc/x", "read `FILE`")
	run.Flags().Bool("quiet", false, "say nothing")
	_ = run.Flags().MarkHidden("quiet")
	hidden := &cobra.Command{Use: "secret", Hidden: true, RunE: run.RunE}
	root.AddCommand(run, hidden)
	return root
}

func TestPages(t *testing.T) {
	pages := Pages(tree(), "1.2-3")
	if len(pages) != 2 || pages[0].Name != "holdfast.8" || pages[1].Name != "holdfast-run.8" {
		t.Fatalf("got %d pages", len(pages))
	}
	for _, want := range []string{`.TH "HOLDFAST\-RUN" "8" "" "Holdfast 1.2\-3"`, `holdfast\-run \- The daemon`, `.B holdfast run [\-c FILE]`,
		".nf\n  literal \\-x\n.fi\n\\&.dot", "\\fB\\-c\\fP, \\fB\\-\\-config\\fP \\fIFILE\\fP\nread FILE (default: /etc/x)", ".BR holdfast (8)"} {
		if !strings.Contains(pages[1].Text, want) {
			t.Errorf("%q is missing in\n%s", want, pages[1].Text)
		}
	}
	if strings.Contains(pages[0].Text, "secret") || strings.Contains(pages[1].Text, "quiet") {
		t.Error("what is hidden stays hidden")
	}
}

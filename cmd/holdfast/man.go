package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/holdfast-ha/holdfast/internal/manual"
)

func init() { register(manCommand) }

func manCommand() *cobra.Command {
	return &cobra.Command{
		Use: "man [DIR]", Short: "Write the manual pages",
		Long: "man writes the manual pages of this program into DIR, for instance /usr/local/share/man/man8. Without DIR it prints the main page:\n\n" +
			"  holdfast man | man -l -",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			pages := manual.Pages(cmd.Root(), versionString())
			if len(args) == 0 {
				_, err := fmt.Fprint(cmd.OutOrStdout(), pages[0].Text)
				return err
			}
			for _, p := range pages {
				if err := os.WriteFile(filepath.Join(args[0], p.Name), []byte(p.Text), 0o644); err != nil {
					return fmt.Errorf("write manual page: %w", err)
				}
			}
			return nil
		},
	}
}

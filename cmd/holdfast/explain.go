package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast-ha/holdfast/config"
)

func init() { register(explainCommand) }

func explainCommand() *cobra.Command {
	var peer int
	var id *string
	c := &cobra.Command{
		Use:   "explain FILE | CODE | KEYWORD",
		Short: "Say in plain words what a configuration will do, or what a word means",
		Long: "explain computes takeover times, the priority under every combination of tracked failures, how long a dead real server\n" +
			"stays in the table, and what happens when none is left. --peer compares the priorities with the other director's.\n" +
			"With the code that check puts in brackets after a message, it says what is the matter and what to do, and with a keyword\n" +
			"where it may stand, what it takes and what the daemon does with it.",
		ValidArgsFunction: func(_ *cobra.Command, args []string, begin string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return config.CompleteWord(begin), cobra.ShellCompDirectiveDefault
		},
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				if text := config.ExplainWord(strings.Trim(args[0], "[]")); text != "" {
					if _, err := os.Stat(args[0]); err != nil {
						_, err := fmt.Fprint(cmd.OutOrStdout(), text)
						return err
					}
				}
			}
			if len(args) == 1 && !strings.ContainsAny(args[0], "/.") {
				if _, err := os.Stat(args[0]); err != nil {
					return fmt.Errorf("%q is no file, no keyword and no code of a message", args[0])
				}
			}
			name, err := configFile("", args)
			if err != nil {
				return err
			}
			m, ds := parseFile(name, config.Options{ConfigID: *id})
			if ds.RefuseStart() {
				if err := printDiagnostics(cmd.ErrOrStderr(), name, ds, false, false); err != nil {
					return err
				}
				return exitError{code: exitFatal}
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), config.Explain(m, peer))
			return err
		},
	}
	c.Flags().IntVar(&peer, "peer", 0, "priority of the other director")
	id = configIDFlag(c)
	return c
}

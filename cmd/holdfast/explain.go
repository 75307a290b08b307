package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/holdfast-ha/holdfast/config"
)

func init() { register(explainCommand) }

func explainCommand() *cobra.Command {
	var peer int
	c := &cobra.Command{
		Use:   "explain FILE",
		Short: "Say in plain words what a configuration will do",
		Long: "explain computes takeover times, the priority under every combination of tracked failures, how long a dead real server\n" +
			"stays in the table, and what happens when none is left. --peer compares the priorities with the other director's.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := configFile("", args)
			if err != nil {
				return err
			}
			m, ds := parseFile(name, config.Options{})
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
	return c
}

package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/holdfast-ha/holdfast/config"
)

func init() { register(planCommand) }

func planCommand() *cobra.Command {
	var asJSON bool
	var id *string
	c := &cobra.Command{
		Use:   "plan OLD NEW",
		Short: "Show what a reload from one configuration to another would do",
		Long: "plan lists, object by object, what a reload from OLD to NEW adds, changes and removes. Lines marked with ! are changes after which\n" +
			"the directors refuse each other's advertisements until every one of them has been reloaded. A reload of the daemon executes this list\n" +
			"and nothing else; \"holdfast reload --wait\" prints it, and so do its events config.change.\n" +
			"It exits 1 when NEW has errors: the daemon would refuse it and change nothing.",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			old, was := parseFile(args[0], config.Options{ConfigID: *id})
			if was.RefuseStart() {
				if err := printDiagnostics(cmd.ErrOrStderr(), args[0], was, false, false); err != nil {
					return err
				}
				return exitError{code: exitFatal, err: fmt.Errorf("%s cannot run: there is nothing to reload from", args[0])}
			}
			next, ds := parseFile(args[1], config.Options{ConfigID: *id})
			if ds.HasErrors() {
				if err := printDiagnostics(cmd.ErrOrStderr(), args[1], ds, false, false); err != nil {
					return err
				}
				return exitError{code: exitFatal, err: fmt.Errorf("%s has errors: a reload would refuse it and change nothing", args[1])}
			}
			changes := config.Diff(old, next)
			w := cmd.OutOrStdout()
			if asJSON {
				if changes == nil {
					changes = []config.Change{}
				}
				e := json.NewEncoder(w)
				e.SetIndent("", "  ")
				return e.Encode(changes)
			}
			if len(changes) == 0 {
				_, err := fmt.Fprintln(w, "nothing changes")
				return err
			}
			for _, c := range changes {
				for _, line := range c.Lines() {
					if _, err := fmt.Fprintln(w, line); err != nil {
						return err
					}
				}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write the list as JSON")
	id = configIDFlag(c)
	return c
}

package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/holdfast-ha/holdfast/config"
)

func init() { register(convertCommand) }

func convertCommand() *cobra.Command {
	var to string
	var id *string
	c := &cobra.Command{
		Use:   "convert FILE",
		Short: "Write a configuration in the other syntax",
		Long: "convert writes keepalived's language as YAML and YAML as keepalived's language, or whichever --to names. The result means the same;\n" +
			"includes, definitions and conditionals come out expanded, comments stay with their lines. It exits 1 when FILE has errors.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := configFile("", args)
			if err != nil {
				return err
			}
			dir, _ := os.Getwd()
			opts := config.Options{Dir: dir, ConfigID: *id}
			fsys, host := os.DirFS("/"), configHost()
			switch to {
			case "":
				m, _ := config.Parse(fsys, name, host, opts)
				to = "yaml"
				if m.Syntax == "yaml" {
					to = "keepalived"
				}
			case "yaml", "keepalived":
			default:
				return fmt.Errorf("--to is yaml or keepalived, not %q", to)
			}
			text, ds := config.Convert(fsys, name, host, opts, to)
			if _, err := fmt.Fprint(cmd.OutOrStdout(), text); err != nil {
				return err
			}
			if !ds.Fails(false) {
				return nil
			}
			if err := printDiagnostics(cmd.ErrOrStderr(), name, ds, false, false); err != nil {
				return err
			}
			return exitError{code: exitFatal}
		},
	}
	c.Flags().StringVar(&to, "to", "", "yaml or keepalived (default: the other one)")
	id = configIDFlag(c)
	return c
}

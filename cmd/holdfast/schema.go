package main

import (
	"github.com/spf13/cobra"

	"github.com/holdfast-ha/holdfast/config"
)

func init() { register(schemaCommand) }

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Write the JSON Schema of the YAML configuration, for editors", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(config.Schema())
			return err
		},
	}
}

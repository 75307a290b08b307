package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func init() { register(releaseCommand) }

func releaseCommand() *cobra.Command {
	var c client
	cmd := &cobra.Command{
		Use: "release", Short: "Remove what a daemon that died left behind", Args: cobra.NoArgs,
		Long: "Removes the addresses and the IPVS services that a daemon recorded in the run directory and did not remove because it died. While a daemon runs\n" +
			"there it does nothing. The systemd unit runs it when the daemon cannot be started again.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			removed, err := release(c.runDir)
			for _, r := range removed {
				fmt.Fprintln(cmd.OutOrStdout(), "removed", r)
			}
			return err
		},
	}
	c.flags(cmd)
	return cmd
}

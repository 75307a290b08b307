package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-ha/holdfast/internal/control"
)

func init() { register(reconcileCommand) }

// reconcileWithin is how long reading back and repairing every service may take.
const reconcileWithin = 2 * time.Minute

func reconcileCommand() *cobra.Command {
	var c client
	cmd := &cobra.Command{
		Use: "reconcile", Short: "Read the IPVS tables back now and repair what differs", Args: cobra.NoArgs,
		Long: "Reads the IPVS tables back now, every service and server, and repairs what differs from the configuration and the checks.\n" +
			"Weights set by hand in the kernel end. Exit status 1: the kernel refuses something. The daemon does the same by itself every few seconds, in slices and without touching such weights.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var r control.Converged
			if err := c.do(control.Request{Op: control.OpConverge}, reconcileWithin, &r); err != nil {
				return err
			}
			for _, p := range r.Problems {
				fmt.Fprintln(cmd.OutOrStdout(), "refused:", p)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "operations written: %d\n", r.Writes)
			if len(r.Problems) > 0 {
				return exitError{code: exitFatal}
			}
			return nil
		},
	}
	c.flags(cmd)
	return cmd
}

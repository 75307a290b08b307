package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-ha/holdfast/internal/control"
)

func init() { register(handoverCommand) }

func handoverCommand() *cobra.Command {
	var c client
	var cancel bool
	var period time.Duration
	cmd := &cobra.Command{
		Use: "handover [INSTANCE]", Short: "Give the addresses to a successor without a gap", Args: cobra.MaximumNArgs(1),
		Long: "Gives the addresses of an instance, or of all, to a successor; the sync group goes along. The old master keeps serving until the\n" +
			"successor is heard, and then does not preempt until the successor dies, --for has passed, or --cancel says so.\n" +
			"Exit status 1: nobody took over, this director stays MASTER.",
		RunE: func(cmd *cobra.Command, args []string) error {
			r := control.Request{Op: control.OpHandover, Cancel: cancel, For: period}
			if len(args) == 1 {
				r.Instance = args[0]
			}
			var done control.HandedOver
			if err := c.do(r, 0, &done); err != nil {
				return err
			}
			if cancel {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), "taken back: this director may preempt again")
				return err
			}
			if len(done.Nothing) > 0 {
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "nothing to hand over: %s; this director does not preempt now (handover --cancel ends that)\n", strings.Join(done.Nothing, ", "))
				return err
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "handed over")
			return err
		},
	}
	c.flags(cmd)
	cmd.Flags().BoolVar(&cancel, "cancel", false, "take an earlier hand-over back")
	cmd.Flags().DurationVar(&period, "for", 0, "do not preempt for this long (0: until told, or until the successor dies)")
	return cmd
}

package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-ha/holdfast/internal/control"
)

func init() {
	register(drainCommand)
	register(undrainCommand)
	register(weightCommand)
}

func drainCommand() *cobra.Command {
	var c client
	var timeout time.Duration
	var why string
	cmd := &cobra.Command{
		Use: "drain VIRTUAL_SERVER REAL_SERVER", Short: "Give a real server no new connections", Args: cobra.ExactArgs(2),
		Long: "Gives a real server no new connections; those it has may end. When none is left it leaves the table. The wish is kept over\n" +
			"restarts and boots until 'holdfast undrain', on this director alone: tell the other one too. Under schedulers that go on choosing\n" +
			"servers of weight 0 (dh; sh and mh without fallback) it leaves at once. Names are those of 'holdfast status', such as 'TCP 192.0.2.1:80' or 192.0.2.1:80.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if timeout < 0 {
				return fmt.Errorf("--timeout %s: want 0 or more", timeout)
			}
			err := c.do(control.Request{Op: control.OpDrain, VirtualServer: args[0], RealServer: args[1], Timeout: timeout, Why: why}, askWithin, nil)
			if err == nil {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s gets no new connections from this director; other directors have to be told too. 'holdfast status' shows what is left\n", args[1])
			}
			return err
		},
	}
	c.flags(cmd)
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "take it out of the table after this time although connections are left (0: wait for the last one)")
	cmd.Flags().StringVar(&why, "why", "", "a word for those who look at status")
	return cmd
}

func undrainCommand() *cobra.Command {
	var c client
	cmd := &cobra.Command{
		Use: "undrain VIRTUAL_SERVER REAL_SERVER", Short: "Let a drained real server serve again", Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			return c.do(control.Request{Op: control.OpUndrain, VirtualServer: args[0], RealServer: args[1]}, askWithin, nil)
		},
	}
	c.flags(cmd)
	return cmd
}

func weightCommand() *cobra.Command {
	var c client
	cmd := &cobra.Command{
		Use: "weight VIRTUAL_SERVER REAL_SERVER WEIGHT|auto", Short: "Choose the weight of a real server", Args: cobra.ExactArgs(3),
		Long: "Chooses the weight of a real server in place of the configured one, kept over restarts; 'auto' takes it back.",
		RunE: func(_ *cobra.Command, args []string) error {
			weight := -1
			if args[2] != "auto" {
				n, err := strconv.ParseUint(args[2], 10, 16)
				if err != nil {
					return fmt.Errorf("weight %q: want a number from 0 to 65535, or auto", args[2])
				}
				weight = int(n)
			}
			return c.do(control.Request{Op: control.OpWeight, VirtualServer: args[0], RealServer: args[1], Weight: weight}, askWithin, nil)
		},
	}
	c.flags(cmd)
	return cmd
}

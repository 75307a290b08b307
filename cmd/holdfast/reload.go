package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/holdfast-ha/holdfast/internal/control"
)

func init() { register(reloadCommand) }

func reloadCommand() *cobra.Command {
	var c client
	var wait bool
	cmd := &cobra.Command{
		Use: "reload", Short: "Make the daemon read its configuration again", Args: cobra.NoArgs,
		Long: "Makes the daemon read its configuration again, as SIGHUP does. A configuration with errors changes nothing.\n" +
			"With --wait: what was done, as \"holdfast plan\" shows it; exit status 0 when it is in force, 1 when it was refused.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var r control.Reloaded
			request := control.Request{Op: control.OpReload, Wait: wait}
			if !wait {
				return c.do(request, askWithin, nil)
			}
			if err := c.do(request, 0, &r); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			for _, o := range r.Operations {
				fmt.Fprintln(out, o)
			}
			for _, w := range r.Warnings {
				fmt.Fprintln(out, w)
			}
			for _, p := range r.Problems {
				fmt.Fprintln(out, "waits:", p)
			}
			what := "in force"
			if !r.Changed {
				what = "already in force, nothing changed"
			}
			fmt.Fprintf(out, "configuration %d %s\n", r.Generation, what)
			return nil
		},
	}
	c.flags(cmd)
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until the configuration is in force or refused")
	return cmd
}

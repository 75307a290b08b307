package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/internal/view"
)

func init() { register(statusCommand) }

func statusCommand() *cobra.Command {
	var c client
	var output string
	var asJSON, watch, problems bool
	cmd := &cobra.Command{
		Use: "status [NAME...]", Short: "Show instances, virtual servers, checks and the last events",
		Long: "Shows a summary, what is wrong, then every instance, virtual server, real server and tracked thing, and the last events. With NAMEs only\n" +
			"objects whose names or addresses contain one of them; the summary stays that of all. -o json has the same, for programs: fields are added, never\n" +
			"renamed. Exit status 1: the daemon does not answer.",
		Example: "  holdfast status --problems\n  holdfast status 192.0.2.1:443 VI_1\n  holdfast status -o json | jq '.instances[].state'",
		RunE: func(cmd *cobra.Command, names []string) error {
			if asJSON {
				output = "json"
			}
			if output != "text" && output != "json" {
				return fmt.Errorf("-o %s: use text or json", output)
			}
			for {
				var s control.Status
				if err := c.do(control.Request{Op: control.OpStatus}, askWithin, &s); err != nil {
					return err
				}
				out := cmd.OutOrStdout()
				if watch {
					fmt.Fprint(out, "\x1b[H\x1b[2J")
				}
				chosen := view.Choose(s, names, problems)
				var err error
				if output == "json" {
					e := json.NewEncoder(out)
					e.SetIndent("", "  ")
					err = e.Encode(chosen)
				} else {
					err = view.Status(out, s, chosen)
				}
				if err != nil || !watch {
					return err
				}
				time.Sleep(time.Second)
			}
		},
	}
	c.flags(cmd)
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	cmd.Flags().BoolVar(&asJSON, "json", false, "the same as -o json")
	cmd.Flags().BoolVarP(&problems, "problems", "p", false, "only objects that are not as they should be")
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "show it anew every second")
	return cmd
}

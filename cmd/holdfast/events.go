package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/internal/view"
)

func init() { register(eventsCommand) }

func eventsCommand() *cobra.Command {
	var c client
	var follow bool
	var output string
	cmd := &cobra.Command{
		Use: "events", Short: "Show what happened lately, and with --follow what happens", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != "text" && output != "json" {
				return fmt.Errorf("-o %s: use text or json", output)
			}
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			out := cmd.OutOrStdout()
			return control.Events(ctx, c.runDir, follow, func(l control.Line) error {
				if output == "json" {
					return json.NewEncoder(out).Encode(named(l))
				}
				if l.Missed > 0 {
					fmt.Fprintf(out, "(%d events were not read in time)\n", l.Missed)
				}
				return view.Event(out, l.Event)
			})
		},
	}
	c.flags(cmd)
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "keep showing events as they happen")
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json (one object per line)")
	return cmd
}

// named is an event with the names of its facts, as programs want it.
func named(l control.Line) map[string]any {
	out := map[string]any{"time": l.Event.Time, "event": l.Event.ID, "message": l.Event.Kind().Message, "level": l.Event.Level().String()}
	for i, v := range l.Event.Values {
		if fields := l.Event.Kind().Fields; i < len(fields) {
			out[fields[i]] = v
		}
	}
	if l.Missed > 0 {
		out["missed"] = l.Missed
	}
	return out
}

package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-ha/holdfast/internal/control"
)

// askWithin is how long the daemon may take to answer a short question.
const askWithin = 15 * time.Second

// client is what the subcommands that talk to the daemon have in common.
type client struct{ runDir string }

func (c *client) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.runDir, "run-dir", defaultRunDir, "run directory of the daemon to talk to")
}

// do asks and waits for the answer, at most within; Ctrl-C ends the waiting. within 0 waits for ever.
func (c *client) do(r control.Request, within time.Duration, out any) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if within > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, within)
		defer cancel()
	}
	return control.Do(ctx, c.runDir, r, out)
}

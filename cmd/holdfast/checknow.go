package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-ha/holdfast/checkers/probe"
	"github.com/holdfast-ha/holdfast/internal/control"
)

func init() { register(checkNowCommand) }

// checkNowWithin is how long the attempts may take that check-now waits for.
const checkNowWithin = 2 * time.Minute

func checkNowCommand() *cobra.Command {
	var c client
	cmd := &cobra.Command{
		Use: "check-now [TARGET | VIRTUAL_SERVER REAL_SERVER]", Short: "Run checks at once instead of at their next turn, and tell each step", Args: cobra.MaximumNArgs(2),
		Long: "Makes the daemon run the checks of TARGET now, waits for them and tells how far each got. TARGET is a virtual server, a real server or what\n" +
			"a check asks, as 'holdfast status' shows them; an address without its port will do. The attempts count like any others. Without TARGET all\n" +
			"checks run and nothing is waited for. It exits 1 when a check fails. 'holdfast probe' makes an attempt from the terminal, without the daemon.",
		Example: "  holdfast check-now 10.0.0.11\n  holdfast check-now 192.0.2.1:80 10.0.0.11:80",
		RunE: func(cmd *cobra.Command, args []string) error {
			r := control.Request{Op: control.OpCheckNow, Wait: len(args) > 0}
			if len(args) > 0 {
				r.VirtualServer = args[0]
			}
			if len(args) > 1 {
				r.RealServer = args[1]
			}
			var out control.Checked
			if err := c.do(r, checkNowWithin, &out); err != nil {
				return err
			}
			if !r.Wait {
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%d checks run now\n", out.Count)
				return err
			}
			if len(out.Checks) == 0 {
				return fmt.Errorf("no check is about %v; 'holdfast status' shows their names", args)
			}
			return printAttempts(cmd.OutOrStdout(), out.Checks)
		},
	}
	c.flags(cmd)
	return cmd
}

func printAttempts(out io.Writer, all []control.Attempt) error {
	failed := 0
	for _, a := range all {
		fmt.Fprintf(out, "%s, real server %s: %s of %s, at most %s\n", a.VirtualServer, a.RealServer, a.Kind, a.Target, a.Limit)
		switch {
		case a.Suspended:
			fmt.Fprintln(out, "    suspended: the address is elsewhere")
			continue
		case !a.Ended:
			fmt.Fprintln(out, "    the attempt has not ended yet")
			failed++
			continue
		}
		for _, line := range probe.Steps(a.Result) {
			fmt.Fprintln(out, "    "+line)
		}
		if !a.Result.OK {
			failed++
		}
		state := "down"
		if a.Up {
			state = "up"
		}
		line := "    the check is " + state
		if a.Streak > 0 {
			line += fmt.Sprintf(", %d in a row say otherwise", a.Streak)
		}
		if a.Shared > 1 {
			line += fmt.Sprintf(", one attempt for %d checks", a.Shared)
		}
		if !a.Next.IsZero() {
			line += ", next attempt in " + max(time.Until(a.Next), 0).Round(10*time.Millisecond).String()
		}
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	if failed > 0 {
		return exitError{code: exitFatal, err: fmt.Errorf("%d of %d checks fail", failed, len(all))}
	}
	return nil
}

package main

import (
	"context"
	"fmt"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/checkers/probe"
	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/assemble"
	"github.com/holdfast-ha/holdfast/internal/outside"
)

func init() { register(probeCommand) }

func probeCommand() *cobra.Command {
	var file string
	var id *string
	cmd := &cobra.Command{
		Use:   "probe [-c FILE] [REALSERVER]",
		Short: "Run the checks of a real server once, from here, and tell each step",
		Long: "probe makes one attempt of every check whose virtual server, real server or target contains REALSERVER (all checks without it),\n" +
			"from this machine and this process: the daemon is not asked and nothing changes ('holdfast check-now' makes the daemon look). Equal checks run once.\n" +
			"It exits 1 when a check fails.",
		Example: "  holdfast probe 10.0.0.11\n  holdfast probe -c /etc/holdfast/holdfast.conf 10.0.0.11:443",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := configFile(file, nil)
			if err != nil {
				return exitError{code: exitConfig, err: err}
			}
			model, ds := parseFile(file, config.Options{ConfigID: *id})
			if ds.RefuseStart() {
				return exitError{code: exitConfig, err: fmt.Errorf("%s cannot be used; 'holdfast check %s' says why", file, file)}
			}
			wanted := ""
			if len(args) > 0 {
				wanted = args[0]
			}
			specs := matching(assemble.Checks(model), wanted)
			if len(specs) == 0 {
				return fmt.Errorf("no check of %s is about %q", file, wanted)
			}
			ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			programs := outside.NewPrograms()
			defer programs.Close()
			failed := 0
			for _, s := range specs {
				r := probe.Once(ctx, probe.Options{Runner: programs.Checks(), NeverFrom: assemble.VirtualAddresses(model)}, &s.Probe)
				if ctx.Err() != nil {
					return exitError{code: exitFatal}
				}
				if !r.OK {
					failed++
				}
				for i, line := range probe.Explain(&s.Probe, r) {
					if i == 0 {
						line = fmt.Sprintf("%s, real server %s: %s", s.ID.Virtual, s.ID.Real, line)
					} else {
						line = "    " + line
					}
					if _, err := fmt.Fprintln(cmd.OutOrStdout(), line); err != nil {
						return err
					}
				}
			}
			if failed > 0 {
				return exitError{code: exitFatal, err: fmt.Errorf("%d of %d checks fail", failed, len(specs))}
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "", "configuration file (default "+defaultConfigs[0]+", else "+defaultConfigs[1]+")")
	id = configIDFlag(cmd)
	return cmd
}

// matching are the checks that say something about wanted, equal ones once.
func matching(specs []checkers.Spec, wanted string) []checkers.Spec {
	var out []checkers.Spec
	seen := map[checkers.Fingerprint]bool{}
	for _, s := range specs {
		if !strings.Contains(s.ID.Virtual, wanted) && !strings.Contains(s.ID.Real, wanted) && !strings.Contains(s.Probe.Asks(), wanted) {
			continue
		}
		if fp := s.Probe.Fingerprint(); !seen[fp] {
			seen[fp] = true
			out = append(out, s)
		}
	}
	return out
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/holdfast-ha/holdfast/config"
)

func init() { register(checkCommand) }

func checkCommand() *cobra.Command {
	var file string
	var id *string
	var asJSON, strict, warnOnly bool
	c := &cobra.Command{
		Use:   "check [-c] FILE",
		Short: "Find every problem of a configuration, without root and without the network",
		Long: "check reads a configuration in keepalived's language or in YAML and lists every problem with its place and what to do.\n" +
			"It exits 0 if the daemon can run the file as written and 1 if not: an error, or a word that would be ignored.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := configFile(file, args)
			if err != nil {
				return err
			}
			_, ds := parseFile(name, config.Options{ConfigID: *id, WarnOnly: warnOnly})
			if err := printDiagnostics(cmd.OutOrStdout(), name, ds, asJSON, strict); err != nil {
				return err
			}
			if ds.Fails(strict) {
				return exitError{code: exitFatal}
			}
			return nil
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "", "the file to check")
	id = configIDFlag(c)
	c.Flags().BoolVar(&asJSON, "json", false, "write the problems as JSON")
	c.Flags().BoolVar(&strict, "strict", false, "warnings fail too")
	c.Flags().BoolVar(&warnOnly, "warn-only", false, "words that decide who owns an address but are not acted on are warnings")
	return c
}

// configFile is the file named by the flag or the argument, or else the default one that exists.
func configFile(flag string, args []string) (string, error) {
	switch {
	case flag != "" && len(args) > 0:
		return "", fmt.Errorf("two configurations are named: %s and %s", flag, args[0])
	case flag != "":
		return flag, nil
	case len(args) > 0:
		return args[0], nil
	}
	for _, name := range []string{"/etc/holdfast/holdfast.yaml", "/etc/keepalived/keepalived.conf"} {
		if _, err := os.Stat(name); err == nil {
			return name, nil
		}
	}
	return "", fmt.Errorf("no configuration is named, and neither /etc/holdfast/holdfast.yaml nor /etc/keepalived/keepalived.conf exists")
}

// printDiagnostics writes what is to be said about a file.
func printDiagnostics(w io.Writer, name string, ds config.Diagnostics, asJSON, strict bool) error {
	if asJSON {
		if ds == nil {
			ds = config.Diagnostics{}
		}
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			File        string             `json:"file"`
			OK          bool               `json:"ok"`
			Errors      int                `json:"errors"`
			Warnings    int                `json:"warnings"`
			Notes       int                `json:"notes"`
			Diagnostics config.Diagnostics `json:"diagnostics"`
		}{name, !ds.Fails(strict), ds.Count(config.Error), ds.Count(config.Warning), ds.Count(config.Note), ds})
	}
	verdict := "can run as written"
	if ds.Fails(strict) {
		verdict = "cannot run as written"
	}
	_, err := fmt.Fprintf(w, "%s%s: %s: %s\n", ds.Text(isTerminal(w)), name, verdict, ds.Summary())
	return err
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""
}

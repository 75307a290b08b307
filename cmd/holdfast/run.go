package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/holdfast-ha/holdfast/internal/logs"
)

// defaultConfigs are tried in this order when no -c is given.
var defaultConfigs = []string{"/etc/holdfast/holdfast.yaml", "/etc/keepalived/keepalived.conf"}

// defaultRunDir holds the lock, the control socket and the adoption state.
const defaultRunDir = "/run/holdfast"

// daemonFlags are the flags of both processes.
type daemonFlags struct {
	config, runDir, format, level string
}

func (f *daemonFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.config, "config", "c", "", "configuration file (default "+defaultConfigs[0]+", else "+defaultConfigs[1]+")")
	cmd.Flags().StringVar(&f.runDir, "run-dir", defaultRunDir, "directory of the lock, the control socket and the state")
	cmd.Flags().StringVar(&f.format, "log-format", "text", "text or json")
	cmd.Flags().StringVar(&f.level, "log-level", "info", "debug, info, warn or error")
}

// resolve fills in the default configuration and checks what can be checked before anything starts.
func (f *daemonFlags) resolve() error {
	if f.format != "text" && f.format != "json" {
		return exitError{exitConfig, errors.New("--log-format " + f.format + ": use text or json")}
	}
	if f.config != "" {
		return nil
	}
	for _, name := range defaultConfigs {
		if _, err := os.Stat(name); err == nil {
			f.config = name
			return nil
		}
	}
	return exitError{exitConfig, errors.New("no configuration: neither " + defaultConfigs[0] + " nor " + defaultConfigs[1] + " is there; name one with -c FILE")}
}

// log opens the process's log on the inherited stderr.
func (f *daemonFlags) log(process string) (*logs.Log, *logs.Writer, error) {
	w := logs.NewWriter(os.Stderr, 0, logs.ToJournal(os.Stderr))
	l, err := logs.New(w, logs.Options{Process: process, JSON: f.format == "json", Level: f.level})
	if err != nil {
		return nil, nil, exitError{exitConfig, err}
	}
	return l, w, nil
}

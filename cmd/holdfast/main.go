// Command holdfast is the daemon and everything around it: one small file per subcommand, flags and exit codes only.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Exit codes. keepalived's are used where it has one for the case.
const (
	exitFatal = 1
	// exitConfig: the configuration cannot be read or used at all.
	exitConfig = 2
)

// exitError carries an exit code other than 1 out of a command. A nil err ends without a message.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e exitError) Unwrap() error { return e.err }

// commands are the subcommands; every file of this package adds its own from init.
var commands []func() *cobra.Command

func register(c func() *cobra.Command) { commands = append(commands, c) }

// byName are other names of the binary and what they run instead of the subcommands.
var byName = map[string]func() *cobra.Command{}

func main() { os.Exit(run(os.Args)) }

func run(args []string) int {
	root := newRoot()
	if c := byName[filepath.Base(args[0])]; c != nil {
		root = c()
	}
	root.SetArgs(args[1:])
	if _, ok := byName[filepath.Base(args[0])]; ok {
		root.SetArgs(joinedValues(args[1:]))
	}
	err := root.Execute()
	if err == nil {
		return 0
	}
	var exit exitError
	if errors.As(err, &exit) {
		if exit.err != nil {
			fmt.Fprintln(os.Stderr, "holdfast:", exit.err)
		}
		return exit.code
	}
	fmt.Fprintln(os.Stderr, "holdfast:", err)
	return exitFatal
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "holdfast",
		Short: "Keeps Linux directors serving: VRRP, health checks, IPVS",
		Long: "Holdfast moves virtual addresses between directors (VRRP), checks real servers and keeps the kernel's IPVS tables\n" +
			"what the configuration and the checks say. It reads keepalived's configuration files, or the same in YAML.\n\n" +
			"Exit status of every command: 0 it is done or all is well, 1 it failed or was refused, 2 (run, probe) there is no usable configuration.",
		SilenceErrors: true, SilenceUsage: true, Version: versionString(),
	}
	for _, c := range commands {
		root.AddCommand(c())
	}
	return root
}

// version is what the build says of itself: the release set by the linker, else the commit.
var version = ""

func versionString() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	rev, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 12:
			rev = s.Value[:12]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+"
		}
	}
	if rev == "" {
		return "development"
	}
	return rev + dirty
}

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/logs"
	"github.com/holdfast-ha/holdfast/internal/router"
	"github.com/holdfast-ha/holdfast/internal/state"
)

// defaultConfigs are tried in this order when no -c is given.
var defaultConfigs = []string{"/etc/holdfast/holdfast.yaml", "/etc/keepalived/keepalived.conf"}

// defaultRunDir holds the lock, the control socket and the adoption state.
const defaultRunDir = "/run/holdfast"

// defaultStateDir holds operators' intent.
const defaultStateDir = "/var/lib/holdfast"

// daemonFlags are the flags of both processes.
type daemonFlags struct {
	config, configID, runDir, stateDir, format, level string
	// logTo is stderr, syslog:FACILITY or file:PATH.
	logTo, only, netns                string
	warnOnly, keepIPVS, includeChecks bool
}

func (f *daemonFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.config, "config", "c", "", "configuration file (default "+defaultConfigs[0]+", else "+defaultConfigs[1]+")")
	cmd.Flags().StringVarP(&f.configID, "config-id", "i", "", "name that @ conditionals are compared with (default: the host name up to the first dot)")
	cmd.Flags().StringVar(&f.runDir, "run-dir", defaultRunDir, "directory of the lock, the control socket and the state")
	cmd.Flags().StringVar(&f.stateDir, "state-dir", "", "directory of what outlives a boot: drained servers, weights (default "+defaultStateDir+", or a directory of its own below it for each other run directory)")
	cmd.Flags().BoolVar(&f.warnOnly, "warn-only", false, "start although words that decide who owns an address were not understood")
	cmd.Flags().BoolVar(&f.keepIPVS, "keep-ipvs", false, "leave the IPVS tables in place at stop")
	cmd.Flags().BoolVar(&f.includeChecks, "include-checks", false, "a missing included file is an error")
	cmd.Flags().StringVar(&f.only, "only", "", "act on this part of the configuration alone: vrrp or checkers")
	cmd.Flags().StringVar(&f.netns, "netns", "", "run in this network namespace, a name below /run/netns or a path")
	cmd.Flags().StringVar(&f.logTo, "log-to", "stderr", "stderr, syslog, syslog:FACILITY or file:PATH")
	cmd.Flags().StringVar(&f.format, "log-format", "text", "text or json")
	cmd.Flags().StringVar(&f.level, "log-level", "info", "debug, info, warn or error")
}

// resolve fills in the default configuration and checks what can be checked before anything starts.
func (f *daemonFlags) resolve() error {
	if f.format != "text" && f.format != "json" {
		return exitError{exitConfig, errors.New("--log-format " + f.format + ": use text or json")}
	}
	if f.only != "" && f.only != "vrrp" && f.only != "checkers" {
		return exitError{exitConfig, errors.New("--only " + f.only + ": use vrrp or checkers")}
	}
	if f.stateDir == "" {
		f.stateDir = defaultStateDir
		if f.runDir != defaultRunDir {
			f.stateDir = filepath.Join(defaultStateDir, strings.ReplaceAll(strings.Trim(f.runDir, "/"), "/", "-"))
		}
	}
	if f.config != "" {
		abs, err := filepath.Abs(f.config)
		f.config = abs
		return err
	}
	for _, name := range defaultConfigs {
		if _, err := os.Stat(name); err == nil {
			f.config = name
			return nil
		}
	}
	return exitError{exitConfig, errors.New("no configuration: neither " + defaultConfigs[0] + " nor " + defaultConfigs[1] + " is there; name one with -c FILE")}
}

// balancerArgs start the second process with the same flags.
func (f *daemonFlags) balancerArgs() []string {
	return []string{"balancer", "--config", f.config, "--config-id", f.configID, "--run-dir", f.runDir, "--state-dir", f.stateDir, "--log-format", f.format, "--log-level", f.level,
		"--log-to", f.logTo, "--only", f.only, "--include-checks=" + strconv.FormatBool(f.includeChecks),
		"--warn-only=" + strconv.FormatBool(f.warnOnly), "--keep-ipvs=" + strconv.FormatBool(f.keepIPVS)}
}

// log opens the process's log, by default on the inherited stderr.
func (f *daemonFlags) log(process string) (*logs.Log, *logs.Writer, error) {
	var out io.Writer = os.Stderr
	priority := logs.ToJournal(os.Stderr)
	switch kind, what, _ := strings.Cut(f.logTo, ":"); kind {
	case "stderr":
	case "syslog":
		facility, err := logs.Facility(what)
		if err != nil {
			return nil, nil, exitError{exitConfig, err}
		}
		out, priority = &logs.Syslog{Facility: facility, Tag: "holdfast"}, true
	case "file":
		file, err := logs.OpenFile(what)
		if err != nil {
			return nil, nil, exitError{exitConfig, err}
		}
		out, priority = file, false
	default:
		return nil, nil, exitError{exitConfig, fmt.Errorf("--log-to %s: use stderr, syslog, syslog:FACILITY or file:PATH", f.logTo)}
	}
	w := logs.NewWriter(out, 0, priority)
	l, err := logs.New(w, logs.Options{Process: process, JSON: f.format == "json", Level: f.level})
	if err != nil {
		return nil, nil, exitError{exitConfig, err}
	}
	return l, w, nil
}

func init() { register(runCommand) }

func runCommand() *cobra.Command {
	var f daemonFlags
	cmd := &cobra.Command{
		Use: "run", Short: "Run the daemon in the foreground", Args: cobra.NoArgs,
		Long: "Runs the daemon in the foreground. SIGHUP reloads the configuration, SIGTERM and SIGINT stop: the addresses are handed to a\n" +
			"successor first. A second SIGTERM stops at once. Exit status: 0 stopped as asked, 1 failed, 2 no usable configuration.",
		RunE: func(*cobra.Command, []string) error { return runDaemon(f) },
	}
	f.add(cmd)
	return cmd
}

func runDaemon(f daemonFlags) error {
	smallPages()
	if err := f.resolve(); err != nil {
		return err
	}
	if f.netns == "" && os.Getenv(envNamespace) == "" {
		f.netns = configuredNamespace(f)
	}
	if err := enterNamespace(f.netns); err != nil {
		return err
	}
	log, out, err := f.log("router")
	if err != nil {
		return err
	}
	defer out.Close(flushWithin)
	nameProcess(filepath.Base(os.Args[0])) // pidof keepalived finds it where it runs under that name
	bus := &event.Bus{}
	bus.Add(log.Sink)
	bus.Publish(event.DaemonStarted.With("router", versionString(), os.Getpid(), f.config, f.runDir))
	if pid := keepalivedBeside("/run/keepalived.pid", "/proc"); pid != "" {
		bus.Publish(event.DaemonBeside.With(pid, "systemctl disable --now keepalived"))
	}
	err = router.Main(router.Options{
		RunDir: f.runDir, BalancerArgs: f.balancerArgs(), Version: versionString(), Bus: bus, SetLevel: log.SetLevel, Flush: func() { out.Close(flushWithin) },
		Ended: func() error {
			if f.keepIPVS {
				return nil
			}
			state.RemoveChecks(f.runDir)
			state.RemoveSources(f.runDir)
			_, err := releaseIPVS(f.runDir, bus)
			return err
		},
	})
	if errors.Is(err, router.ErrRefused) {
		return exitError{exitConfig, err}
	}
	if err == nil {
		bus.Publish(event.DaemonStopped.With("router", "asked to"))
		return nil
	}
	bus.Publish(event.DaemonFailed.With(err, failureHint(err)))
	if f.logTo == "stderr" { // the log's line has said it
		return exitError{code: exitFatal}
	}
	return err
}

// keepalivedBeside is the process that the pid file names, if it is a keepalived in this network namespace, else "".
func keepalivedBeside(pidFile, proc string) string {
	b, _ := os.ReadFile(pidFile)
	pid := strings.TrimSpace(string(b))
	if pid == "" || pid == strconv.Itoa(os.Getpid()) {
		return ""
	}
	comm, _ := os.ReadFile(filepath.Join(proc, pid, "comm"))
	own, err := os.Readlink(filepath.Join(proc, "self/ns/net"))
	its, _ := os.Readlink(filepath.Join(proc, pid, "ns/net"))
	if err != nil || its != own || strings.TrimSpace(string(comm)) != "keepalived" {
		return ""
	}
	return pid
}

// failureHint is what a person can do about a daemon that cannot run.
func failureHint(err error) string {
	if errors.Is(err, os.ErrPermission) {
		return "run as root, or with CAP_NET_ADMIN, CAP_NET_RAW and directories of its own (--run-dir, --state-dir)"
	}
	return ""
}

// flushWithin is how long the end of a process waits for its last log lines.
const flushWithin = 2 * time.Second

// nameProcess sets what ps and pkill see: started through a descriptor, the kernel would show its number.
func nameProcess(name string) { _ = os.WriteFile("/proc/self/comm", []byte(name), 0) }

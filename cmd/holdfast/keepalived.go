package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/control"
)

func init() { byName["keepalived"] = keepalivedCommand }

// keepalivedFlags are keepalived's own options. Those that decide who owns an address and that Holdfast does not have are refused; the others
// it does not have are accepted without effect, so that existing units and scripts go on.
type keepalivedFlags struct {
	daemonFlags
	vrrp, check, console, noSyslog, stay, version, keepVRRP, ignoreInt, genhash bool
	facility, logFile, pid, vrrpPid, checkPid, test, signum                     string
}

// envDetached says that the process is the one in the background.
const envDetached = "HOLDFAST_DETACHED"

func keepalivedCommand() *cobra.Command {
	f := &keepalivedFlags{}
	cmd := &cobra.Command{
		Use: "keepalived", Short: "Holdfast under keepalived's name: its options, signals and files", Args: cobra.NoArgs,
		SilenceErrors: true, SilenceUsage: true, CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.OutOrStdout(), cmd.ErrOrStderr()) },
	}
	l := cmd.Flags()
	l.StringVarP(&f.config, "use-file", "f", "/etc/keepalived/keepalived.conf", "configuration file")
	l.BoolVarP(&f.vrrp, "vrrp", "P", false, "VRRP only")
	l.BoolVarP(&f.check, "check", "C", false, "checkers and IPVS only")
	l.BoolVarP(&f.console, "log-console", "l", false, "log to the console")
	l.StringVarP(&f.facility, "log-facility", "S", "daemon", "syslog facility")
	l.StringVarP(&f.logFile, "log-file", "g", "", "log to a file")
	l.Lookup("log-file").NoOptDefVal = "/tmp/keepalived.log"
	l.BoolVarP(&f.noSyslog, "no-syslog", "G", false, "no syslog")
	l.BoolVarP(&f.stay, "dont-fork", "n", false, "stay in the foreground")
	l.BoolVarP(&f.keepIPVS, "dont-release-ipvs", "I", false, "leave IPVS in place at stop")
	l.BoolVarP(&f.keepVRRP, "dont-release-vrrp", "V", false, "leave addresses in place at stop (refused)")
	l.StringVarP(&f.pid, "pid", "p", "/run/keepalived.pid", "pid file")
	l.StringVarP(&f.vrrpPid, "vrrp_pid", "r", "/run/vrrp.pid", "pid file of the VRRP process")
	l.StringVarP(&f.checkPid, "checkers_pid", "c", "/run/checkers.pid", "pid file of the checkers' process")
	l.StringVarP(&f.netns, "namespace", "s", "", "network namespace")
	l.StringVarP(&f.configID, "config-id", "i", "", "name that @ conditionals are compared with")
	l.BoolVarP(&f.includeChecks, "all-config", "e", false, "a missing included file is an error")
	l.StringVarP(&f.test, "config-test", "t", "", "check the configuration, with =FILE write what was found there")
	l.Lookup("config-test").NoOptDefVal = "-"
	l.StringVar(&f.signum, "signum", "", "print the number of STOP, RELOAD, DATA, STATS, STATS_CLEAR or JSON")
	l.BoolVarP(&f.version, "version", "v", false, "print the version")
	l.BoolVarP(&f.genhash, "genhash", "T", false, "refused: curl -s URL | md5sum prints the digest of a page")
	l.BoolVar(&f.ignoreInt, "ignore-sigint", false, "without effect")
	for _, o := range []struct{ long, short string }{
		{"log-detail", "D"}, {"dump-conf", "d"}, {"no_bfd", "B"}, {"all", ""}, {"flush-log-file", ""}, {"release-vips", "X"}, {"dont-respawn", "R"},
		{"address-monitoring", "a"}, {"snmp", "x"}, {"core-dump", "m"}, {"no-mem-check", ""}, {"vmac-check", ""},
	} {
		l.CountP(o.long, o.short, "without effect")
	}
	for _, o := range []struct{ long, short string }{{"umask", "u"}, {"bfd_pid", "b"}, {"snmp-agent-socket", "A"}} {
		l.StringP(o.long, o.short, "", "without effect")
	}
	for _, o := range []struct{ long, short string }{{"core-dump-pattern", "M"}, {"perf", ""}, {"debug", ""}} {
		l.StringP(o.long, o.short, "", "without effect")
		l.Lookup(o.long).NoOptDefVal = "-"
	}
	return cmd
}

// joinedValues writes -tFILE, -gFILE and -MPATTERN, as getopt takes them, in the form that pflag takes.
func joinedValues(args []string) []string {
	out := slices.Clone(args)
	for i, a := range out {
		if len(a) > 2 && a[0] == '-' && strings.IndexByte("tgM", a[1]) >= 0 && a[2] != '=' {
			out[i] = a[:2] + "=" + a[2:]
		}
	}
	return out
}

// keepalivedVersion is in the form of keepalived's own, on stderr as there: exporters and provisioning tools take the version from the second word of the
// first line, and whether there is a JSON dump from the options further down.
const keepalivedVersion = `Keepalived v2.4.3 (01/01,2026)

This is Holdfast %s, which takes keepalived 2.4.3's configuration, options and signals.

configure options: --enable-json --enable-regex --enable-sha1

Config options: NFTABLES LVS REGEX VRRP VRRP_AUTH VRRP_VMAC JSON
`

// signals are keepalived's names for what the daemon does on a signal.
var signals = map[string]syscall.Signal{"STOP": syscall.SIGTERM, "RELOAD": syscall.SIGHUP, "DATA": syscall.SIGUSR1, "STATS": syscall.SIGUSR2, "STATS_CLEAR": 63, "JSON": 36}

func (f *keepalivedFlags) run(out, errs io.Writer) error {
	switch {
	case f.version:
		_, err := fmt.Fprintf(errs, keepalivedVersion, versionString())
		return err
	case f.genhash:
		return errors.New("--genhash: not here; the digest of HTTP_GET is the MD5 sum of the body: curl -s URL | md5sum")
	case f.signum != "":
		n, ok := signals[strings.TrimPrefix(f.signum, "SIG")]
		if !ok {
			return fmt.Errorf("--signum=%s: use STOP, RELOAD, DATA, STATS, STATS_CLEAR or JSON", f.signum)
		}
		_, err := fmt.Fprintln(out, int(n))
		return err
	case f.test != "":
		return f.configTest(errs)
	case f.keepVRRP:
		return exitError{exitConfig, errors.New("-V (--dont-release-vrrp): an address without advertisements is answered by two hosts; Holdfast always lets go. Leave the option out")}
	}
	if f.vrrp != f.check {
		f.only = map[bool]string{true: "vrrp", false: "checkers"}[f.vrrp]
	}
	f.format, f.level, f.runDir = "text", "info", f.ownRunDir()
	switch {
	case f.logFile != "":
		f.logTo = "file:" + f.logFile
	case f.stay || f.console || f.noSyslog:
		f.logTo = "stderr"
	default:
		f.logTo = "syslog:" + f.facility
	}
	if err := f.alone(); err != nil {
		return err
	}
	if !f.stay && os.Getenv(envDetached) == "" {
		return f.detach()
	}
	if err := enterNamespace(f.netns); err != nil {
		return err
	}
	for _, name := range []string{f.pid, f.vrrpPid, f.checkPid} {
		err := os.MkdirAll(filepath.Dir(name), 0o755)
		if err == nil {
			err = os.WriteFile(name, fmt.Appendf(nil, "%d\n", os.Getpid()), 0o644)
		}
		if err != nil {
			return fmt.Errorf("write the pid file: %w", err)
		}
		defer os.Remove(name)
	}
	f.netns = "" // entered
	return runDaemon(f.daemonFlags)
}

// ownRunDir keeps daemons apart that keepalived keeps apart by pid file or namespace.
func (f *keepalivedFlags) ownRunDir() string {
	dir := defaultRunDir
	if f.netns != "" {
		dir += "-" + filepath.Base(f.netns)
	}
	if f.pid != "/run/keepalived.pid" && f.pid != "/var/run/keepalived.pid" {
		dir += "-" + strings.TrimSuffix(strings.ReplaceAll(strings.Trim(f.pid, "/"), "/", "-"), ".pid")
	}
	return dir
}

// alone refuses to start beside a daemon with the same pid file.
func (f *keepalivedFlags) alone() error {
	b, err := os.ReadFile(f.pid)
	if err != nil {
		return nil
	}
	pid := strings.TrimSpace(string(b))
	comm, err := os.ReadFile(filepath.Join("/proc", pid, "comm"))
	name := strings.TrimSpace(string(comm))
	if err != nil || pid == fmt.Sprint(os.Getpid()) || name != "keepalived" && name != "holdfast" {
		return nil
	}
	return fmt.Errorf("daemon is already running: pid %s in %s", pid, f.pid)
}

// detachedWithin is how long the command waits to see the daemon live or die.
const detachedWithin = 5 * time.Second

// detach starts the daemon in a session of its own and returns when it has written its pid file and runs its configuration, or with its exit status
// when it ended before.
func (f *keepalivedFlags) detach() error {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), envDetached+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if f.logTo == "stderr" {
		cmd.Stderr = os.Stderr
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the daemon: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	deadline := time.After(detachedWithin)
	for {
		select {
		case <-ended:
			ended := exitError{code: max(cmd.ProcessState.ExitCode(), exitFatal)}
			if kind, where, _ := strings.Cut(f.logTo, ":"); kind == "file" {
				ended.err = fmt.Errorf("the daemon has ended: see %s", where)
			} else if kind == "syslog" {
				ended.err = errors.New("the daemon has ended: the system log says why (journalctl -t holdfast), and so does the same command with -n -l")
			}
			return ended
		case <-deadline:
			return nil
		case <-time.After(10 * time.Millisecond):
			b, err := os.ReadFile(f.pid)
			if err != nil || strings.TrimSpace(string(b)) != fmt.Sprint(cmd.Process.Pid) {
				continue
			}
			var s control.Status // it answers once the configuration is accepted; another daemon may still be there for a moment
			if err := (&client{runDir: f.runDir}).do(control.Request{Op: control.OpStatus}, time.Second, &s); err == nil && s.Router.PID == cmd.Process.Pid {
				return nil
			}
		}
	}
}

// exitProblem is what keepalived -t ends with when there is anything to report.
const exitProblem = 5

// configTest is keepalived -t: one line per problem in its form. Unlike keepalived, a missing file is a problem.
func (f *keepalivedFlags) configTest(errs io.Writer) error {
	_, diags := parseFile(f.config, config.Options{ConfigID: f.configID, IncludeChecks: f.includeChecks})
	if f.test != "-" {
		file, err := os.Create(f.test)
		if err != nil {
			return fmt.Errorf("write what was found: %w", err)
		}
		defer file.Close()
		errs = file
	}
	found := false
	for _, d := range diags {
		if d.Severity == config.Note {
			continue
		}
		found = true
		text := d.Message
		if d.Hint != "" {
			text += " (" + d.Hint + ")"
		}
		if d.Line > 0 {
			fmt.Fprintf(errs, "(%s: Line %d) %s\n", d.File, d.Line, text)
		} else {
			fmt.Fprintf(errs, "(%s) %s\n", d.File, text)
		}
	}
	if found {
		return exitError{code: exitProblem}
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-ha/holdfast/checkers/probe"
	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/balancer"
	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/outside"
	"github.com/holdfast-ha/holdfast/internal/reconcile"
	"github.com/holdfast-ha/holdfast/internal/router"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/internal/state"
	"github.com/holdfast-ha/holdfast/ipvssync/kernel"
)

func init() { register(balancerCommand) }

// balancerGC trades a little time of a process that has it for memory: with ten thousand checks a third less. A check allocates little,
// so that even this collects only every ten seconds or so.
const balancerGC = 25

func balancerCommand() *cobra.Command {
	var f daemonFlags
	cmd := &cobra.Command{
		Use: "balancer", Short: "The second process of the daemon; started by 'run'", Hidden: true, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return runBalancer(f) },
	}
	f.add(cmd)
	return cmd
}

func runBalancer(f daemonFlags) error {
	heedNoSignals()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(balancerGC)
	}
	nameProcess("holdfast-bal")
	log, out, err := f.log("balancer")
	if err != nil {
		return err
	}
	defer out.Close(flushWithin)
	conn, err := seam.Inherited()
	if err != nil {
		return err
	}
	bus := &event.Bus{}
	bus.Add(log.Sink)
	bus.Publish(event.DaemonStarted.With("balancer", versionString(), os.Getpid(), f.config, f.runDir))

	programs, ipvs := outside.NewPrograms(), kernel.Open()
	prober := probe.New(probe.Options{Runner: programs.Checks()})
	code := balancer.Run(context.Background(), seam.NewConn(conn), balancer.Options{
		Version: versionString(), ConfigFile: f.config, RunDir: f.runDir, StateDir: f.stateDir, Host: state.HostID(),
		Files: os.DirFS("/"),
		Read: func(files fs.FS) (*config.Model, config.Diagnostics) {
			m, diags := config.Parse(files, f.config, configHost(), config.Options{ConfigID: f.configID, WarnOnly: f.warnOnly, IncludeChecks: f.includeChecks})
			return part(m, f.only), diags
		},
		Kernel: ipvs, Prober: prober, Clock: probe.Clock{}, Programs: programs, Bus: bus, SetLevel: log.SetLevel, KeepIPVS: f.keepIPVS,
		Losses: func() (uint64, error) { dropped, failed, why := out.Losses(); return dropped + failed, why },
		Release: func(ctx context.Context) ([]string, error) {
			removed, err := router.ReleaseOrphan(ctx, f.runDir)
			if errors.Is(err, router.ErrRunning) {
				err = nil
			}
			return removed, err
		},
	})
	prober.Close()
	_ = ipvs.Close()
	if code != balancer.ExitClean {
		return exitError{code: code}
	}
	return nil
}

// part is what of a configuration is acted on (keepalived's -P and -C).
func part(m *config.Model, only string) *config.Model {
	p := *m
	switch only {
	case "vrrp":
		p.VirtualServers = nil
	case "checkers":
		p.Instances, p.Groups, p.StaticAddresses, p.StaticRoutes, p.StaticRules = nil, nil, nil, nil, nil
	}
	return &p
}

// release lets go of what a dead router held; a living one is left alone.
func release(runDir string) ([]string, error) {
	removed, err := router.Release(runDir, func() ([]string, error) {
		n, err := releaseIPVS(runDir, nil)
		if n == 0 {
			return nil, err
		}
		return []string{fmt.Sprintf("%d services of IPVS", n)}, err
	})
	if errors.Is(err, router.ErrRunning) {
		return nil, nil
	}
	return removed, err
}

// releaseWithin bounds how long IPVS is worked on in place of a balancer that died: the service manager waits as well.
const releaseWithin = 10 * time.Second

// releaseIPVS removes what a balancer that died recorded as its own, and answers how many services that were.
func releaseIPVS(runDir string, bus *event.Bus) (int, error) {
	if !reconcile.Recorded(runDir) {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), releaseWithin)
	defer cancel()
	ipvs := kernel.Open()
	defer ipvs.Close()
	n, err := reconcile.Release(ctx, ipvs, runDir, state.HostID(), bus)
	if err != nil {
		err = fmt.Errorf("remove from IPVS what a balancer left: %w", err)
	}
	return n, err
}

// heedNoSignals keeps the balancer from ending or reloading by a signal meant for the daemon: the router says when. They are caught and
// dropped, not ignored: ignored they would be in every script.
func heedNoSignals() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGPIPE,
		syscall.Signal(36), syscall.Signal(63))
}

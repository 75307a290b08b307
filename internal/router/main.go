package router

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/keep"
	"github.com/holdfast-ha/holdfast/vrrp"
	"github.com/holdfast-ha/holdfast/vrrp/vrrpnet"
)

// Options are what the command line says.
type Options struct {
	// RunDir is the run directory; it is made if it does not exist.
	RunDir string
	// BalancerArgs make this executable the balancer, without its name: "balancer", "-c", FILE ...
	BalancerArgs []string
	Version      string
	// Bus has the sinks of the router's events, usually the log.
	Bus *event.Bus
	// SetLevel changes how much is logged. May be nil.
	SetLevel func(level string) error
	// Flush is called before the process replaces itself after a panic: whatever was logged should be out. May be nil.
	Flush func()
	// Ended is called after a stop that was asked for, while the run directory is still ours: the balancer may have been away and left its part.
	// May be nil.
	Ended func() error
}

// envLock and envPanics carry the lock's descriptor and the times of panics into the process that replaces this one.
const (
	envLock   = "HOLDFAST_LOCK_FD"
	envPanics = "HOLDFAST_PANICS"
)

// lockWait is how long the lock is waited for: `holdfast release` and an orphaned balancer hold it for moments.
const lockWait = 2 * time.Second

// Main is the router process: it takes the lock, makes the doers and runs until it is told to stop. ErrRefused: there is no configuration that could run.
func Main(o Options) (err error) {
	if err := keep.Directory(o.RunDir); err != nil {
		return fmt.Errorf("the run directory: %w", err)
	}
	lock, err := takeLock(o.RunDir)
	if err != nil {
		return err
	}
	defer lock.Close()
	starter, err := newStarter(o.BalancerArgs, spareFromOOM())
	if err != nil {
		return err
	}
	store, memory, err := newFileStore(o.RunDir)
	if err != nil {
		return err
	}
	defer store.close()
	if !memory {
		o.Bus.Publish(event.RouterRunDir.With(o.RunDir))
	}
	wire, err := vrrpnet.NewWire()
	if err != nil {
		return err
	}
	defer wire.Close()
	kernel, err := newRealKernel()
	if err != nil {
		return err
	}
	defer kernel.Close()

	signals := make(chan os.Signal, 16)
	for _, s := range Signals {
		if s == syscall.SIGINT && signal.Ignored(s) {
			continue // started in the background by a shell: its Ctrl-C is not meant for us
		}
		signal.Notify(signals, s)
	}
	defer signal.Stop(signals)
	// A log reader that goes away must not end the daemon. (Ignored, it would stay ignored in every script.)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)

	if os.Getpid() == 1 {
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		go reapOrphans(ctx)
	}
	watchdog, _ := daemon.SdWatchdogEnabled(false)
	// Afterwards, not before: deferred functions run in reverse, and what is open must still be there for the replacement.
	defer func() {
		if p := recover(); p != nil {
			o.Bus.Publish(event.RouterPanic.With(fmt.Sprint(p), string(debug.Stack())))
			store.flush()
			if o.Flush != nil {
				o.Flush()
			}
			err = again(starter, lock, p)
		}
	}()
	err = Run(context.Background(), Deps{
		Wire: wire, Kernel: kernel, Store: store, Start: starter.start, Signals: signals, Bus: o.Bus, Notify: notifier(), SetLevel: o.SetLevel,
		Schedule: starter.sched.set, Watchdog: watchdog, BootID: bootID(), NetNS: netNS(),
	})
	if err == nil && o.Ended != nil {
		err = o.Ended()
	}
	return err
}

// takeLock locks the run directory, or takes over the lock of the process this one replaced.
func takeLock(dir string) (*os.File, error) {
	if fd, err := strconv.Atoi(os.Getenv(envLock)); err == nil {
		os.Unsetenv(envLock)
		unix.CloseOnExec(fd)
		reap()
		return os.NewFile(uintptr(fd), lockFile), nil
	}
	return lockDir(dir, lockWait)
}

// reap collects the balancer that the replaced process killed. There is no other child yet.
func reap() {
	for end := time.Now().Add(100 * time.Millisecond); time.Now().Before(end); time.Sleep(time.Millisecond) {
		for {
			pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
			if err != nil {
				return // there are none
			}
			if pid <= 0 {
				break
			}
		}
	}
}

// again replaces the process by a new run of the same executable, in the same PID, with the lock kept: the new one adopts what this one did. A
// program that panics time and again ends instead.
func again(s *starter, lock *os.File, p any) error {
	times := strings.Fields(os.Getenv(envPanics))
	now := bootTime()
	if len(times) >= 5 {
		first, _ := strconv.ParseInt(times[len(times)-5], 10, 64)
		if now-time.Duration(first) < time.Minute {
			return fmt.Errorf("the router panicked for the sixth time within a minute: %v", p)
		}
		times = times[len(times)-4:]
	}
	times = append(times, strconv.FormatInt(int64(now), 10))
	if _, err := unix.FcntlInt(lock.Fd(), unix.F_SETFD, 0); err != nil {
		return fmt.Errorf("keep the lock over a new start: %w", err)
	}
	_ = s.sched.set(vrrp.Process{}) // what the new one finds is what it was started with
	env := append(os.Environ(), fmt.Sprintf("%s=%d", envLock, lock.Fd()), envPanics+"="+strings.Join(times, " "))
	return fmt.Errorf("start again after a panic (%v): %w", p, syscall.Exec(s.path(), os.Args, env))
}

// oomNever is OOM_SCORE_ADJ_MIN (include/uapi/linux/oom.h): the kernel never picks such a process.
const oomNever = "-1000"

// spareFromOOM makes the kernel kill the balancer and never the router when memory runs out, and answers what the score was. A score that is merely
// low is not enough: a balancer starts with the router's and for a moment both are alike. Not being allowed to is no error.
func spareFromOOM() (was string) {
	const file = "/proc/self/oom_score_adj"
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	_ = os.WriteFile(file, []byte(oomNever), 0)
	if was = strings.TrimSpace(string(b)); was == oomNever {
		was = "0" // of the process this one replaced
	}
	return was
}

// notifier tells the service manager, without making the loop wait for it.
func notifier() func(string) {
	if os.Getenv("NOTIFY_SOCKET") == "" {
		return nil
	}
	states := make(chan string, 64)
	go func() {
		for s := range states {
			_, _ = daemon.SdNotify(false, s)
		}
	}()
	return func(s string) {
		select {
		case states <- s:
		default:
		}
	}
}

// realKernel is the kernel of this network namespace.
type realKernel struct {
	*vrrpnet.Addresses
	routes   *vrrpnet.Routes
	vmacs    *vrrpnet.VMACs
	watch    *vrrpnet.Watch
	announce *vrrpnet.Announcer
}

func newRealKernel() (*realKernel, error) {
	addrs, err := vrrpnet.NewAddresses()
	if err != nil {
		return nil, err
	}
	routes, err := vrrpnet.NewRoutes()
	if err != nil {
		addrs.Close()
		return nil, err
	}
	vmacs, err := vrrpnet.NewVMACs()
	if err != nil {
		addrs.Close()
		routes.Close()
		return nil, err
	}
	watch, err := vrrpnet.NewWatch()
	if err != nil {
		addrs.Close()
		routes.Close()
		vmacs.Close()
		return nil, err
	}
	announce, err := vrrpnet.NewAnnouncer()
	if err != nil {
		addrs.Close()
		routes.Close()
		vmacs.Close()
		watch.Close()
		return nil, err
	}
	return &realKernel{addrs, routes, vmacs, watch, announce}, nil
}

func (k *realKernel) HoldRoutes(owner string, routes []vrrp.Route, rules []vrrp.Rule) error {
	return k.routes.HoldRoutes(owner, routes, rules)
}

func (k *realKernel) RefreshRoutes() ([]vrrpnet.RestoredRoute, error) {
	return k.routes.RefreshRoutes()
}

func (k *realKernel) RemoveRoutes(routes []vrrp.Route, rules []vrrp.Rule) error {
	return k.routes.Remove(routes, rules)
}

func (k *realKernel) Changes() <-chan vrrpnet.Change { return k.watch.Changes() }

func (k *realKernel) MakeVMACs(want []vrrpnet.MACVLAN) (map[string]string, error) {
	return k.vmacs.Make(want)
}

func (k *realKernel) SwitchVMAC(name string, up bool) error { return k.vmacs.Switch(name, up) }

func (k *realKernel) RestoreSettings(values map[string]string) error {
	return vrrpnet.RestoreSettings(values)
}

func (k *realKernel) Shield(addrs []netip.Addr) error { return vrrpnet.Shield(addrs) }

func (k *realKernel) Ask(index int, mac net.HardwareAddr, src, addr netip.Addr) error {
	return k.announce.Ask(index, mac, src, addr)
}

func (k *realKernel) Announce(index int, mac net.HardwareAddr, addr netip.Addr) error {
	return k.announce.Announce(index, mac, addr, forwards(addr))
}

func (k *realKernel) Answers(index int, mac net.HardwareAddr, src, addr netip.Addr, wait time.Duration) ([]net.HardwareAddr, error) {
	return vrrpnet.Answers(index, mac, src, addr, wait)
}

func (k *realKernel) Sender(index int, from netip.Addr, wait time.Duration) (net.HardwareAddr, error) {
	return vrrpnet.Sender(index, from, wait)
}

// forwards says whether this host is a router for the family: the router flag of a neighbour advertisement must say so (RFC 4861 section 4.4).
func forwards(addr netip.Addr) bool {
	if addr.Is4() {
		return false
	}
	b, err := os.ReadFile("/proc/sys/net/ipv6/conf/all/forwarding")
	return err == nil && len(b) > 0 && b[0] != '0'
}

func (k *realKernel) Close() {
	k.Addresses.Close()
	k.routes.Close()
	k.vmacs.Close()
	k.watch.Close()
	k.announce.Close()
}

package reconcile

import (
	"context"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

const (
	// stuckAfter is how long one call of the kernel may take before it counts as hanging. A call that only waits for an answer is given up before that; one that
	// the kernel does not come back from (it loads a module, another process holds its lock) cannot be.
	stuckAfter = 15 * time.Second
	// watchEvery is how often that is looked at.
	watchEvery = 5 * time.Second
)

// call is a call of the kernel under way.
type call struct {
	since time.Time
	what  func() string
}

// attended is the kernel with a note of the call under way.
type attended struct {
	ipvssync.Kernel
	now   atomic.Pointer[call]
	stuck atomic.Pointer[call] // one that was told to hang; no listing has succeeded since
}

// on notes a call; what it answers ends it.
func (a *attended) on(what func() string) func() {
	c := &call{since: time.Now(), what: what}
	a.now.Store(c)
	return func() { a.now.Store(nil) }
}

// hanging is the call that has not come back for too long.
func (a *attended) hanging(now time.Time) (c *call, text string) {
	if c = a.now.Load(); c == nil || now.Sub(c.since) < stuckAfter {
		return nil, ""
	}
	return c, fmt.Sprintf("%s: the kernel has not come back for %s", c.what(), now.Sub(c.since).Round(time.Second))
}

// watch tells about calls that hang, until ctx ends. The owner's goroutine is in the call: nothing else can.
func (r *Reconciler) watch(ctx context.Context) {
	t := time.NewTicker(watchEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			if c, text := r.kernel.hanging(now); c != nil && r.kernel.stuck.CompareAndSwap(nil, c) {
				r.publish(event.IPVSMissing.With(text, "VRRP and checks go on; look at the kernel's log and for a modprobe that hangs: ps ax | grep modprobe"))
			}
		}
	}
}

func words(s string) func() string { return func() string { return s } }

func (a *attended) Services(ctx context.Context) ([]ipvssync.Service, error) {
	defer a.on(words("list the IPVS services"))()
	return a.Kernel.Services(ctx)
}

func (a *attended) Service(ctx context.Context, k ipvssync.Key) (ipvssync.Service, bool, error) {
	defer a.on(func() string { return "read service " + k.String() })()
	return a.Kernel.Service(ctx, k)
}

func (a *attended) Servers(ctx context.Context, k ipvssync.Key) ([]ipvssync.ServerState, error) {
	defer a.on(func() string { return "list the servers of " + k.String() })()
	return a.Kernel.Servers(ctx, k)
}

func (a *attended) Apply(ctx context.Context, op ipvssync.Op) error {
	defer a.on(op.String)()
	return a.Kernel.Apply(ctx, op)
}

func (a *attended) Stats(ctx context.Context, k ipvssync.Key) (ipvssync.ServiceStats, error) {
	defer a.on(func() string { return "read counters of " + k.String() })()
	return a.Kernel.Stats(ctx, k)
}

func (a *attended) FullNAT(ctx context.Context, rules []ipvssync.FullNATRule) (bool, error) {
	defer a.on(words("read the FULLNAT table"))()
	return a.Kernel.FullNAT(ctx, rules)
}

func (a *attended) SyncDaemons(ctx context.Context) ([]ipvssync.SyncDaemon, error) {
	defer a.on(words("list the synchronisation daemons"))()
	return a.Kernel.SyncDaemons(ctx)
}

func (a *attended) StartSync(ctx context.Context, d ipvssync.SyncDaemon) error {
	defer a.on(words("start a synchronisation daemon"))()
	return a.Kernel.StartSync(ctx, d)
}

func (a *attended) StopSync(ctx context.Context, d ipvssync.SyncDaemon) error {
	defer a.on(words("stop a synchronisation daemon"))()
	return a.Kernel.StopSync(ctx, d)
}

func (a *attended) Timeouts(ctx context.Context) (ipvssync.Timeouts, error) {
	defer a.on(words("read the IPVS timeouts"))()
	return a.Kernel.Timeouts(ctx)
}

func (a *attended) SetTimeouts(ctx context.Context, t ipvssync.Timeouts) error {
	defer a.on(words("set the IPVS timeouts"))()
	return a.Kernel.SetTimeouts(ctx, t)
}

func (a *attended) SetSysctl(name, value string) error {
	defer a.on(words("set sysctl " + name))()
	return a.Kernel.SetSysctl(name, value)
}

func (a *attended) Holder(own netip.Addr) (string, error) {
	defer a.on(words("find the interface of an address"))()
	return a.Kernel.Holder(own)
}

func (a *attended) Outgoing(to netip.Addr) (string, error) {
	defer a.on(words("find the route to a server"))()
	return a.Kernel.Outgoing(to)
}

package router

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// Signals are those the router listens to: reload, stop, and those that keepalived's exporters send it.
var Signals = []os.Signal{syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1, syscall.SIGUSR2, signalJSON, signalStatsClear}

// keepalived uses SIGRTMIN+2 for its JSON file and the highest real-time signal for clearing its counters: 36 and 63 with glibc.
const (
	signalJSON       = syscall.Signal(36)
	signalStatsClear = syscall.Signal(63)
)

func (r *loop) onSignal(s os.Signal) {
	switch s {
	case syscall.SIGHUP:
		if r.stopping.IsZero() {
			r.notifyReloading()
			r.child.send(seam.Message{Reload: &seam.Reload{}})
		}
	case syscall.SIGTERM, syscall.SIGINT:
		r.stop("signal " + s.String())
	case syscall.SIGUSR1:
		r.child.send(seam.Message{Dump: &seam.Dump{Kind: "data"}})
	case syscall.SIGUSR2:
		r.child.send(seam.Message{Dump: &seam.Dump{Kind: "stats"}})
	case signalJSON:
		r.child.send(seam.Message{Dump: &seam.Dump{Kind: "json"}})
	case signalStatsClear:
		r.child.send(seam.Message{Dump: &seam.Dump{Kind: "stats_clear"}})
	}
}

// stop begins the planned end: hand over, let go, then the balancer. The second time it lets go at once, the third time it does not wait for
// the balancer either.
func (r *loop) stop(reason string) {
	now := time.Now()
	switch {
	case r.stopping.IsZero():
		r.stopping = now
		r.tell(event.RouterStop.With(reason))
		r.notify("STOPPING=1")
		r.Wire.Gather(0) // addresses go the moment a successor is heard
		r.do(r.machines.Step(now, vrrp.Release{}))
	case !r.released:
		r.do(r.machines.Step(now, vrrp.ReleaseNow{}))
	default:
		r.child.kill()
	}
}

// release goes on with the end when the machines own nothing any more: the addresses first, then the balancer.
func (r *loop) release() {
	if r.released || r.stopping.IsZero() {
		return
	}
	r.queue.add(func() func() {
		return func() {
			r.released = true
			r.stopSent = time.Now()
			if !r.child.send(seam.Message{Stop: &seam.Stop{}}) {
				r.child.kill()
			}
		}
	})
}

// notifyReloading tells the service manager; READY=1 follows with the answer.
func (r *loop) notifyReloading() {
	if r.ready {
		r.notify(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", monotonicMicros()))
		r.notify("READY=1") // the balancer may refuse the file: the old configuration is in force all the time
	}
}

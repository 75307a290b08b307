package balancer

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-ha/holdfast/internal/assemble"
	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/reconcile"
	"github.com/holdfast-ha/holdfast/internal/script"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/internal/state"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// removeWithin bounds how long a stop works on IPVS: the router waits for Stopped.
const removeWithin = 30 * time.Second

// stop is the planned end. The router has let go of its addresses: nothing arrives any more that IPVS would have to serve.
func (d *daemon) stop() {
	if d.stopping {
		return
	}
	d.stopping = true
	told := d.outside.Goodbye()
	flush := d.started && d.in.Model.Global.LVSFlushOnStop == "all" && !d.o.KeepIPVS
	go func() {
		d.sched.Close()
		ctx, cancel := context.WithTimeout(d.ctx, removeWithin)
		defer cancel()
		err := d.rec.Stop(ctx, d.o.KeepIPVS)
		if flush {
			d.letGo()
			err = errors.Join(err, reconcile.Empty(ctx, d.o.Kernel))
		}
		<-told
		d.inbox.post(func() {
			last := script.Command{}
			if d.started {
				last = assemble.ShutdownScript(d.in.Model)
			}
			d.outside.Run("shutdown_script", last, func() { d.stopped(err) })
		})
	}()
}

func (d *daemon) stopped(err error) {
	if d.o.RunDir != "" {
		d.writers.Wait()
		state.RemoveChecks(d.o.RunDir)
		state.RemoveSources(d.o.RunDir)
	}
	msg := seam.Stopped{}
	if err != nil {
		msg.Error = err.Error()
	}
	d.bus.Publish(event.DaemonStopped.With("balancer", "asked to"))
	d.conn.Send(seam.Message{Stopped: &msg})
	d.conn.Flush(heartbeat)
	d.finish(ExitClean)
}

// routerLost is the end that nobody planned. Scripts are killed and nothing else is touched; if no new router has taken the lock before
// the own master-down interval has passed, the addresses of the dead one go: an address without advertisements is worse than none.
func (d *daemon) routerLost(err error) {
	if d.finished || d.stopping {
		return // a planned stop goes on: what it began to remove must not stay half removed
	}
	d.stopping = true
	d.bus.Publish(event.RouterLost.With(err))
	d.outside.Kill()
	go d.sched.Close()
	d.letGo() // a new daemon may write before this process ends
	wait, owned := vrrp.Grace(d.in.VRRP, d.router.Instances())
	if !owned || d.o.Release == nil {
		d.finish(ExitFatal)
		return
	}
	time.AfterFunc(wait, func() {
		removed, err := d.o.Release(d.ctx)
		d.inbox.post(func() {
			if err != nil || len(removed) > 0 {
				d.bus.Publish(event.RouterReleased.With(len(removed), err))
			}
			d.finish(ExitFatal)
		})
	})
}

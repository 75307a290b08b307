package balancer

import (
	"time"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/internal/desk"
	"github.com/holdfast-ha/holdfast/internal/event"
)

// openControl opens the control socket. Without it the daemon serves all the same.
func (d *daemon) openControl() {
	if d.o.RunDir == "" {
		return
	}
	k := &desk.Desk{Call: d.call, Post: d.inbox.post, Bus: d.bus, Router: d.router, Send: d.conn.Send, Pools: d.pools, Outside: d.outside, Sched: d.sched,
		Kernel: d.rec, Recent: d.recent, Overview: d.overview, SetLevel: d.o.SetLevel,
		Reload: func(by string, then func(control.Reloaded, error)) {
			d.bus.Publish(event.ConfigReload.With(by))
			d.requestChange(then)
		}}
	s, err := control.Listen(control.SocketPath(d.o.RunDir), k, func(op string, err error) { d.bus.Publish(event.ControlRefused.With(op, err)) })
	if err != nil {
		d.bus.Publish(event.ControlRefused.With("listen", err))
		return
	}
	d.control = s
}

// overview is what status shows of the daemon as a whole.
func (d *daemon) overview() control.Status {
	s := control.Status{
		Version: d.o.Version,
		Config: control.Config{File: d.o.ConfigFile, Generation: d.gen, Loaded: d.loadedAt, Rejected: d.rejected, RejectedAt: d.rejectAt,
			Warnings: d.in.Diags.Count(config.Warning), Problems: d.problems},
		Ready: d.ready.OK, NotReady: d.ready.Reason,
	}
	if d.rejected == "" {
		s.Config.RejectedAt = time.Time{}
	}
	if d.o.Losses != nil {
		var err error
		if s.LogLinesLost, err = d.o.Losses(); err != nil {
			s.LogError = err.Error()
		}
	}
	return s
}

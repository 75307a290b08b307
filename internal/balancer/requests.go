package balancer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/ipvssync"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// openControl opens the control socket. A daemon without one still does its work.
func (d *daemon) openControl() {
	if d.o.RunDir == "" {
		return
	}
	s, err := control.Listen(control.SocketPath(d.o.RunDir), (*requests)(d), func(op string, err error) {
		d.bus.Publish(event.ControlRefused.With(op, err))
	})
	if err != nil {
		d.bus.Publish(event.ControlRefused.With("listen", err))
		return
	}
	d.control = s
}

// requests is the daemon as the control socket sees it. Its methods run on the clients' goroutines.
type requests daemon

// Handle does one request.
func (q *requests) Handle(ctx context.Context, r control.Request) (any, error) {
	d := (*daemon)(q)
	switch r.Op {
	case control.OpStatus:
		return d.status(ctx)
	case control.OpReload:
		return d.reloadRequest(ctx, r)
	case control.OpHandover:
		return nil, d.handover(ctx, r)
	case control.OpDrain, control.OpUndrain, control.OpWeight:
		var failed error
		err := d.call(ctx, func() { failed = d.operator(r) })
		return nil, errors.Join(err, failed)
	case control.OpCheckNow:
		n := d.sched.CheckNow(func(id checkers.ID) bool {
			return (r.VirtualServer == "" || r.VirtualServer == id.Virtual) && (r.RealServer == "" || r.RealServer == id.Real)
		})
		return n, nil
	case control.OpConverge:
		res, err := d.rec.Reconcile(ctx)
		return control.Converged{Writes: res.Writes, Problems: res.Problems}, err
	case control.OpLogLevel:
		return nil, d.logLevel(r.Level)
	}
	return nil, fmt.Errorf("the daemon knows no request %q", r.Op)
}

// Events streams the recent events and those to come.
func (q *requests) Events(ctx context.Context, follow bool, send func(control.Line) error) error {
	d := (*daemon)(q)
	reader := d.recent.Join()
	defer d.recent.Leave(reader)
	for {
		select {
		case <-reader.Wake:
			events, missed := d.recent.Take(reader)
			for _, e := range events {
				if err := send(control.Line{Event: e, Missed: missed}); err != nil {
					return err
				}
				missed = 0
			}
			if !follow {
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (d *daemon) reloadRequest(ctx context.Context, r control.Request) (any, error) {
	type outcome struct {
		r   control.Reloaded
		err error
	}
	done := make(chan outcome, 1)
	err := d.call(ctx, func() {
		d.bus.Publish(event.ConfigReload.With(r.By))
		d.requestChange(func(r control.Reloaded, err error) { done <- outcome{r, err} })
	})
	if err != nil || !r.Wait {
		return nil, err
	}
	select {
	case o := <-done:
		if o.err != nil {
			return nil, o.err
		}
		return o.r, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// handoverWithin is how long the router may take to say whether a successor took over.
const handoverWithin = 2 * time.Minute

func (d *daemon) handover(ctx context.Context, r control.Request) error {
	ctx, stop := context.WithTimeout(ctx, handoverWithin)
	defer stop()
	done := make(chan string, 1)
	var cancel func()
	err := d.call(ctx, func() {
		cancel = d.ask(func(token uint64) seam.Message {
			return seam.Message{Handover: &seam.HandoverAsk{Token: token, Handover: vrrp.Handover{Instance: r.Instance, For: r.For, Cancel: r.Cancel}}}
		}, func(m seam.Message) { done <- m.HandoverDone.Error })
	})
	if err != nil {
		return err
	}
	failed := ""
	select {
	case failed = <-done:
	case <-ctx.Done():
		failed = "no answer from the router: " + ctx.Err().Error()
		d.inbox.post(cancel)
	}
	d.bus.Publish(event.OperatorHandover.With(r.Instance, r.By, failed))
	if failed != "" {
		return errors.New(failed)
	}
	return nil
}

// operator does what an operator wants of one real server, and keeps it.
func (d *daemon) operator(r control.Request) error {
	switch r.Op {
	case control.OpDrain:
		return d.pools.Drain(r.VirtualServer, r.RealServer, ipvssync.Drain{Timeout: r.Timeout, By: r.By, Why: r.Why})
	case control.OpUndrain:
		return d.pools.Undrain(r.VirtualServer, r.RealServer, r.By)
	default:
		return d.pools.Weigh(r.VirtualServer, r.RealServer, r.Weight, r.By)
	}
}

func (d *daemon) logLevel(level string) error {
	if d.o.SetLevel != nil {
		if err := d.o.SetLevel(level); err != nil {
			return err
		}
	}
	d.conn.Send(seam.Message{LogLevel: &seam.LogLevel{Level: level}})
	return nil
}

package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/mirror"
	"github.com/holdfast-ha/holdfast/internal/outside"
	"github.com/holdfast-ha/holdfast/internal/pools"
	"github.com/holdfast-ha/holdfast/internal/recent"
	"github.com/holdfast-ha/holdfast/internal/reconcile"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/ipvssync"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// Desk has the rooms that requests are about. All fields are needed but SetLevel.
type Desk struct {
	// Call runs f on the owner's goroutine and waits for it, as long as ctx lasts. Post does not wait.
	Call func(ctx context.Context, f func()) error
	Post func(f func())
	Bus  *event.Bus

	Router  *mirror.Router
	Send    func(seam.Message) bool // to the router
	Pools   *pools.Set
	Outside *outside.World
	Sched   *checkers.Scheduler
	Kernel  *reconcile.Reconciler
	Recent  *recent.Ring

	// Reload, on the owner's goroutine, begins a reload that by asks for; then is called at its end.
	Reload func(by string, then func(control.Reloaded, error))
	// Overview, on the owner's goroutine, is a Status with what only the daemon as a whole knows: version, configuration, readiness.
	Overview func() control.Status
	// SetLevel changes the level of the balancer's log; nil where there is none.
	SetLevel func(level string) error
}

// Handle does one request.
func (d *Desk) Handle(ctx context.Context, r control.Request) (any, error) {
	switch r.Op {
	case control.OpStatus:
		return d.status(ctx)
	case control.OpReload:
		return d.reload(ctx, r)
	case control.OpHandover:
		return d.handover(ctx, r)
	case control.OpDrain, control.OpUndrain, control.OpWeight:
		var failed error
		err := d.Call(ctx, func() { failed = d.wish(r) })
		return nil, errors.Join(err, failed)
	case control.OpCheckNow:
		return d.checkNow(ctx, r)
	case control.OpConverge:
		res, err := d.Kernel.Reconcile(ctx)
		return control.Converged{Writes: res.Writes, Problems: res.Problems}, err
	case control.OpLogLevel:
		return nil, d.logLevel(r.Level)
	}
	return nil, fmt.Errorf("the daemon knows no request %q", r.Op)
}

// Events streams the recent events and those to come.
func (d *Desk) Events(ctx context.Context, follow bool, send func(control.Line) error) error {
	reader := d.Recent.Join()
	defer d.Recent.Leave(reader)
	for {
		select {
		case <-reader.Wake:
			events, missed := d.Recent.Take(reader)
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

func (d *Desk) reload(ctx context.Context, r control.Request) (any, error) {
	type outcome struct {
		r   control.Reloaded
		err error
	}
	done := make(chan outcome, 1)
	err := d.Call(ctx, func() { d.Reload(r.By, func(r control.Reloaded, err error) { done <- outcome{r, err} }) })
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

func (d *Desk) handover(ctx context.Context, r control.Request) (any, error) {
	ctx, stop := context.WithTimeout(ctx, handoverWithin)
	defer stop()
	done := make(chan seam.HandoverDone, 1)
	var cancel func()
	err := d.Call(ctx, func() {
		cancel = d.Router.Ask(func(token uint64) seam.Message {
			return seam.Message{Handover: &seam.HandoverAsk{Token: token, Handover: vrrp.Handover{Instance: r.Instance, For: r.For, Cancel: r.Cancel}}}
		}, func(m seam.Message) { done <- *m.HandoverDone })
	})
	if err != nil {
		return nil, err
	}
	var answer seam.HandoverDone
	select {
	case answer = <-done:
	case <-ctx.Done():
		answer.Error = "no answer from the router: " + ctx.Err().Error()
		d.Post(cancel)
	}
	d.Bus.Publish(event.OperatorHandover.With(r.Instance, r.By, answer.Error))
	if answer.Error != "" {
		return nil, errors.New(answer.Error)
	}
	return control.HandedOver{Nothing: answer.Nothing}, nil
}

// wish does what an operator wants of one real server.
func (d *Desk) wish(r control.Request) error {
	switch r.Op {
	case control.OpDrain:
		return d.Pools.Drain(r.VirtualServer, r.RealServer, ipvssync.Drain{Timeout: r.Timeout, By: r.By, Why: r.Why})
	case control.OpUndrain:
		return d.Pools.Undrain(r.VirtualServer, r.RealServer, r.By)
	default:
		return d.Pools.Weigh(r.VirtualServer, r.RealServer, r.Weight, r.By)
	}
}

// logLevel changes the level of both processes' logs.
func (d *Desk) logLevel(level string) error {
	if d.SetLevel != nil {
		if err := d.SetLevel(level); err != nil {
			return err
		}
	}
	d.Send(seam.Message{LogLevel: &seam.LogLevel{Level: level}})
	return nil
}

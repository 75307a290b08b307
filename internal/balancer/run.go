package balancer

import (
	"context"
	"sync"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/mirror"
	"github.com/holdfast-ha/holdfast/internal/outside"
	"github.com/holdfast-ha/holdfast/internal/pools"
	"github.com/holdfast-ha/holdfast/internal/reading"
	"github.com/holdfast-ha/holdfast/internal/recent"
	"github.com/holdfast-ha/holdfast/internal/reconcile"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/internal/tell"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// heartbeat is how often each end of the seam says that it lives.
const heartbeat = time.Second

// daemon is the state of the balancer. Everything in it belongs to the goroutine of loop.
type daemon struct {
	o      Options
	ctx    context.Context
	conn   *seam.Conn
	inbox  *inbox
	recent *recent.Ring
	bus    *event.Bus
	began  time.Time

	rec     *reconcile.Reconciler
	letGo   func() // ends all writing to IPVS; what is there stays
	sched   *checkers.Scheduler
	control *control.Server

	in    reading.Reading
	gen   uint64 // of the configuration in force
	pools *pools.Set

	outside *outside.World

	change   *change // under way, nil when none
	again    *change // asked for meanwhile
	rejected string
	// keepRejected goes on being shown although a change came into force: it was the last good configuration.
	keepRejected string
	rejectAt     time.Time
	loadedAt     time.Time
	problems     []string
	started      bool // the first Apply was sent
	sentGen      uint64
	filled       bool // IPVS was written once
	ready        vrrp.Ready
	readySent    bool

	router *mirror.Router
	beats  uint64
	beaten time.Time // when the last one went

	resyncs  int                    // ticks at which the pools are given every check's state
	heard    uint64                 // the last change of a check that was taken from the inbox
	resumed  bool                   // the router has been running all the time: verdicts of the process before are as old as its end
	begun    map[checkers.ID]uint64 // the numbers with which the checks began that the last change of the configuration brought
	unsaved  bool
	nextSave time.Time
	saving   bool
	writers  sync.WaitGroup // of files
	stopping bool
	exit     int
	finished bool
}

// Run is the balancer's life: it returns the exit code of the process. When ctx ends it returns without touching anything.
func Run(ctx context.Context, conn *seam.Conn, o Options) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if o.Bus == nil {
		o.Bus = &event.Bus{}
	}
	d := &daemon{
		o: o, ctx: ctx, conn: conn, inbox: newInbox(), recent: recent.New(), bus: o.Bus, began: time.Now(), router: mirror.New(conn.Send),
	}
	o.Bus.Add(d.recent.Add)
	d.rec = reconcile.New(o.Kernel, reconcile.Options{Bus: o.Bus, Dir: o.RunDir, Host: o.Host, Every: o.ReconcileEvery})
	d.outside = outside.New(ctx, outside.Options{Programs: o.Programs, RunDir: o.RunDir, Bus: o.Bus, Post: d.inbox.post, OnTrack: d.sendTrack,
		OnFile: d.onFile})
	d.pools = pools.New(ctx, pools.Options{Kernel: d.rec, Bus: o.Bus, StateDir: o.StateDir, Post: d.inbox.post, OnChange: d.outside.PoolChanged,
		OnQuorum: func(id string, ok bool) { conn.Send(seam.Message{Track: &vrrp.Track{ID: id, Known: true, OK: ok}}) }})
	d.sched = checkers.New(checkers.Options{Prober: forwarding{o.Prober, d.rec}, Clock: o.Clock,
		OnChange: func(c checkers.Change) { d.inbox.post(func() { d.onCheck(c) }) },
		OnNotice: func(n checkers.Notice) { d.inbox.post(func() { tell.Notice(o.Bus, n) }) }})

	owner := make(chan struct{})
	recCtx, recStop := context.WithCancel(context.WithoutCancel(ctx))
	d.letGo = recStop
	go func() { defer close(owner); _ = d.rec.Run(recCtx) }()
	go d.receive()
	d.loop()

	if d.control != nil {
		d.control.Close()
	}
	d.outside.Close()
	d.sched.Close()
	recStop()
	<-owner
	d.writers.Wait()
	_ = conn.Close()
	return d.exit
}

// receive posts what the router says.
func (d *daemon) receive() {
	for {
		m, err := d.conn.Receive()
		if err != nil {
			d.inbox.post(func() { d.routerLost(err) })
			return
		}
		d.inbox.post(func() { d.onMessage(m) })
	}
}

func (d *daemon) loop() {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	soon := time.NewTicker(20 * time.Millisecond)
	defer soon.Stop()
	for !d.finished {
		select {
		case <-d.inbox.wake:
			for _, f := range d.inbox.take() {
				f()
				if time.Since(d.beaten) > 2*heartbeat { // forty thousand verdicts at once are no reason to seem dead
					d.beat()
				}
			}
			d.saveSoon()
		case <-beat.C:
			d.tick()
		case <-soon.C:
			if !d.checkReady() {
				soon.Reset(heartbeat)
			}
		case <-d.pools.Due():
			d.pools.Step()
		case <-d.ctx.Done():
			d.finish(ExitClean)
		}
	}
}

func (d *daemon) finish(code int) {
	d.exit, d.finished = code, true
}

// beat tells the router that this process lives.
func (d *daemon) beat() {
	d.beats++
	d.beaten = time.Now()
	d.conn.Send(seam.Message{Heartbeat: &seam.Heartbeat{Seq: d.beats}})
}

// tick is once a second.
func (d *daemon) tick() {
	d.beat()
	if d.resyncs > 0 {
		d.resyncs--
		d.resyncSlowly(checkers.ID{})
	}
	d.pools.CountConnections()
	d.saveSoon()
}

// call runs f on the owner's goroutine and waits for it, as long as ctx lasts.
func (d *daemon) call(ctx context.Context, f func()) error {
	done := make(chan struct{})
	d.inbox.post(func() { f(); close(done) })
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-d.ctx.Done():
		return d.ctx.Err()
	}
}

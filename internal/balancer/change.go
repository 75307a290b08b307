package balancer

import (
	"errors"
	"io/fs"
	"runtime/debug"
	"time"

	"github.com/holdfast-ha/holdfast/internal/assemble"
	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/reading"
	"github.com/holdfast-ha/holdfast/internal/reconcile"
	"github.com/holdfast-ha/holdfast/internal/script"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/internal/state"
)

// calmAfter is when most of what a change sets off is over.
const calmAfter = 20 * time.Second

// appliedWithin is how long a reload waits for the router to take its part. The router answers at once; one that does not is restarted by
// whoever watches it and then gets everything anew.
const appliedWithin = 10 * time.Second

// change is one configuration on its way into force: the start, or a reload.
type change struct {
	sources  *state.Recorder
	waiters  []func(control.Reloaded, error)
	in       reading.Reading
	applied  func([]string)
	problems []string
}

// requestChange reads the configuration and brings it into force. A request that comes meanwhile runs once afterwards, for all who asked.
func (d *daemon) requestChange(waiter func(control.Reloaded, error)) {
	c := &change{}
	if d.change != nil {
		if d.again == nil {
			d.again = c
		}
		c = d.again
	}
	if waiter != nil {
		c.waiters = append(c.waiters, waiter)
	}
	if d.change == nil && !d.stopping {
		d.change = c
		d.read()
	}
}

// read parses elsewhere: ten thousand services take a while.
func (d *daemon) read() {
	d.change.sources = state.Record(d.o.Files)
	d.readFrom(d.change.sources, d.onRead)
}

func (d *daemon) readFrom(files fs.FS, then func(reading.Reading)) {
	before := d.in
	go func() {
		in, err := reading.Read(d.o.Read, files, before)
		d.inbox.post(func() {
			if err != nil {
				d.bus.Publish(event.ConfigProblem.With("reload_file: " + err.Error()))
			}
			then(in)
		})
	}()
}

// onRead grades the configuration. At the start errors confined to one object block that object and the rest runs; at a reload any error
// refuses the file and nothing changes.
func (d *daemon) onRead(in reading.Reading) {
	if d.stopping {
		return
	}
	if in.Refused() || d.started && in.Diags.HasErrors() {
		d.reject(in)
		return
	}
	d.change.in = in
	in.Tell(d.bus, d.o.ConfigFile)
	if !d.started {
		first := assemble.StartupScript(in.Model)
		if d.gen > 0 {
			first = script.Command{} // the router has been running all the time
		}
		d.outside.Run("startup_script", first, d.begin)
		return
	}
	in.TellPlan(d.bus)
	if in.Same(d.in.Inputs) {
		d.unchanged()
		return
	}
	d.addServices()
}

// reject leaves everything as it is. Without a configuration that ran before there is nothing to leave, and the process ends.
func (d *daemon) reject(in reading.Reading) {
	d.rejected, d.rejectAt = in.TellRejected(d.bus, d.o.ConfigFile), time.Now()
	if !d.started {
		d.fallBack()
		return
	}
	d.endChange(control.Reloaded{}, errors.New(d.rejected))
}

// begin is the start: VRRP at once, everything else beside it; the router lets nobody preempt a living master before READY.
func (d *daemon) begin() {
	if d.stopping {
		return
	}
	d.in, d.started = d.change.in, true
	d.resumed = d.gen > 0
	d.gen++
	steps := 2
	done := func() {
		if steps--; steps == 0 {
			d.inForce()
		}
	}
	d.applyRouter(done)
	d.openControl()
	d.pools.LoadIntent()
	any, quorums := d.restoreChecks()
	d.pools.Continue(d.in.Pools, quorums)
	if any {
		d.pools.Quietly(func() { // what the process before has told already is not told again
			d.switchChecks()
			d.pools.Restore(quorums)
		})
	} else {
		d.switchChecks()
	}
	d.setIPVS(false, func() { d.filled = true; done() })
}

// addServices is the first step of a reload: what the new configuration adds is there before the router acts on it.
func (d *daemon) addServices() {
	d.in = d.change.in
	d.gen++
	d.pools.Reconfigure(d.in.Pools)
	d.setIPVS(true, func() {
		d.applyRouter(func() {
			d.pools.Forget()
			d.setIPVS(false, func() {
				d.switchChecks()
				d.inForce()
			})
		})
	})
}

// setIPVS writes what the pools want; with keep nothing is taken away. then runs when it was tried once: what the kernel refused is tried
// again and holds nothing up.
func (d *daemon) setIPVS(keep bool, then func()) {
	want := d.desired(keep)
	go func() {
		res, err := d.rec.Set(d.ctx, want)
		d.inbox.post(func() {
			d.onSet(res, err)
			if !d.stopping { // a change that a stop overtook ends here
				then()
			}
		})
	}()
}

func (d *daemon) onSet(res reconcile.Result, err error) {
	d.pools.End()
	if !d.stopping { // a transition may have been quicker than the write
		d.followRole()
	}
	if err == nil && d.change != nil {
		d.change.problems = append(d.change.problems, res.Problems...)
	}
}

// applyRouter sends the router its part and waits until it has taken it.
func (d *daemon) applyRouter(then func()) {
	done := false
	d.change.applied = func(problems []string) {
		if done {
			return
		}
		done = true
		d.problems = problems
		then()
	}
	c := d.change
	d.apply(d.in.VRRP)
	time.AfterFunc(appliedWithin, func() {
		d.inbox.post(func() {
			if d.change == c && !done && !d.stopping {
				c.applied([]string{"the router has not answered within " + appliedWithin.String()})
			}
		})
	})
}

func (d *daemon) onApplied(a seam.Applied) {
	if d.stopping {
		return
	}
	for _, p := range a.Problems {
		d.bus.Publish(event.ConfigProblem.With(p))
	}
	if c := d.change; c != nil && c.applied != nil && a.Gen == d.sentGen {
		c.applied(a.Problems)
		return
	}
	d.problems = a.Problems
}

// inForce ends a change that went through.
func (d *daemon) inForce() {
	c := d.change
	d.keepSources(c.sources)
	d.pruneIntent()
	time.AfterFunc(calmAfter, debug.FreeOSMemory) // of what the change sets off
	d.loadedAt, d.rejected, d.keepRejected = time.Now(), d.keepRejected, ""
	d.bus.Publish(event.ConfigLoaded.With(d.o.ConfigFile, d.gen, len(c.in.VRRP.Instances), len(c.in.Pools), len(c.in.Checks), len(c.in.Plan)))
	d.endChange(control.Reloaded{Generation: d.gen, Changed: true, Operations: c.in.Operations(), Warnings: c.in.Warnings(), Problems: append(c.problems, d.problems...)}, nil)
}

// unchanged ends a reload that asks for nothing new. IPVS is read back all the same: the file is the truth.
func (d *daemon) unchanged() {
	c := d.change
	d.keepSources(c.sources)
	d.in.Renew(c.in)
	d.rejected = ""
	if c.in.Model.Global.FIFOWriteStatesOnReload {
		d.outside.RepeatStates(c.in.Outside.Notify)
	}
	d.setIPVS(false, func() {
		d.bus.Publish(event.ConfigUnchanged.With(d.o.ConfigFile, d.gen))
		d.endChange(control.Reloaded{Generation: d.gen, Operations: c.in.Operations(), Warnings: c.in.Warnings(), Problems: append(c.problems, d.problems...)}, nil)
	})
}

// endChange answers those who wait and begins what was asked for meanwhile.
func (d *daemon) endChange(r control.Reloaded, err error) {
	c := d.change
	d.change = nil
	for _, w := range c.waiters {
		w(r, err)
	}
	c.in = reading.Reading{} // a timer may hold c for a while
	d.in.Pack(d.inbox.post)
	if next := d.again; next != nil && !d.stopping {
		d.again, d.change = nil, next
		d.read()
	}
}

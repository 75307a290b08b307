package router

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/vrrp"
	"github.com/holdfast-ha/holdfast/vrrp/vrrpnet"
)

const (
	// housekeeping is how often heartbeats go out and silence is noticed.
	housekeeping = time.Second
	// refreshEvery is how often the lifetimes of addresses are lengthened, and minLifetime what they are lengthened to, at least: three refreshes, so
	// that two may be lost. If both processes die for good, the kernel takes the addresses away then.
	refreshEvery = 5 * time.Second
	minLifetime  = 3 * refreshEvery
	// stopTimeout is how long the balancer may take to remove what it owns.
	stopTimeout = 35 * time.Second
)

// loop is the state of the router; only the goroutine of Run touches it.
type loop struct {
	Deps
	machines *vrrp.Machines
	queue    *kernelQueue
	child    supervisor

	config     *vrrp.Config
	gen        uint64
	instances  map[vrrp.ID]vrrp.Instance
	former     map[vrrp.ID]vrrp.Instance // before the last Apply: those that are gone may still have a last word
	tracks     map[string]vrrp.Track
	interfaces map[string]vrrpnet.Interface
	links      map[string]vrrp.Link
	virtual    map[netip.Addr]bool
	held       map[vrrp.ID][]vrrp.Address
	statics    []vrrp.Address
	vmacs      []vrrpnet.MACVLAN
	switched   map[string]bool   // virtual MAC interfaces that are up, as decided
	settings   map[string]string // former values, see Saved
	shielded   []netip.Addr      // nil: not written yet
	lame       map[string]bool   // owners whose last Hold failed
	denied     map[vrrp.ID]bool  // instances of which the machines know that addresses were refused
	deniedNow  []vrrp.DeniedAddress
	behind     map[vrrp.ID]behind // advertisements that wait for their addresses
	sendErrors map[vrrp.ID]uint64
	socketsErr string
	routed     map[string]bool // owners that have routes or rules
	routeErr   string
	routesDue  bool                  // to be tried again
	troubles   map[trouble]time.Time // until when

	seq        uint64
	adopted    bool
	ready      bool // READY=1 was said
	handovers  []pendingHandover
	statusTold string             // what the service manager was told last
	noSource   map[vrrp.ID]string // what checkSources said last
	process    vrrp.Process
	evidence   chan func() // what waits for a sender's hardware address comes back here
	seeking    int         // how many wait
	senders    map[senderKey]*sender
	claims     map[claimed]time.Time // claims of others to our addresses, and when they were told
	claimsDue  time.Time
	claimsTurn int
	raised     int // the real-time priority that late timers have led to
	late       lateness
	lateTold   time.Time
	measured   resources     // at the last housekeeping
	busy       time.Duration // the longest turn since then
	lastTurn   time.Time
	refreshed  time.Time
	sequences  []vrrp.Sequences // as saved last
	dirty      bool             // state to be saved
	stamped    bool             // adverts were sent in this turn

	stopping time.Time // zero: no
	released bool
	stopSent time.Time
	failure  error
}

type trouble struct {
	id   vrrp.ID
	kind string
}

type pendingHandover struct {
	token    uint64
	instance string
}

// Run is the router. It ends when it was told to (SIGTERM, SIGINT or the end of ctx) and has let go of everything, or with an error when
// the balancer refused the very first configuration.
func Run(ctx context.Context, d Deps) error {
	r := &loop{Deps: d, machines: vrrp.New(), queue: newKernelQueue(), instances: map[vrrp.ID]vrrp.Instance{}, interfaces: map[string]vrrpnet.Interface{},
		links: map[string]vrrp.Link{}, switched: map[string]bool{}, tracks: map[string]vrrp.Track{}, held: map[vrrp.ID][]vrrp.Address{}, lame: map[string]bool{}, behind: map[vrrp.ID]behind{}, denied: map[vrrp.ID]bool{}, routed: map[string]bool{}, sendErrors: map[vrrp.ID]uint64{},
		troubles: map[trouble]time.Time{}, config: &vrrp.Config{}, evidence: make(chan func(), maxSeeking), virtual: map[netip.Addr]bool{}, claims: map[claimed]time.Time{}, noSource: map[vrrp.ID]string{}, senders: map[senderKey]*sender{}}
	defer r.queue.close()
	r.child.init(d.Start)
	defer r.child.close()

	select { // the interfaces, before anything is believed
	case c := <-d.Kernel.Changes():
		r.onChange(c)
	case <-ctx.Done():
		return nil
	}
	r.machines.Step(time.Now(), vrrp.Booted{For: bootTime()})
	r.recallSequences()
	r.adopt()
	r.startBalancer()

	tick := time.NewTicker(housekeeping)
	defer tick.Stop()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	stop := ctx.Done()
	r.lastTurn = time.Now()
	onTimer, drain := r.onTimer, r.drain
	for !r.finished() {
		deadline, waiting := r.deadline()
		if waiting {
			timer.Reset(time.Until(deadline))
		} else {
			timer.Stop()
		}
		var do func()
		select {
		case <-timer.C:
			do = onTimer
		case <-d.Wire.Readable():
			do = drain
		case c := <-d.Kernel.Changes():
			do = func() { r.onChange(c) }
		case do = <-r.queue.results:
		case do = <-r.evidence:
		case in := <-r.child.inbox:
			do = func() { r.onSeam(in) }
		case e := <-r.child.exited:
			do = func() { r.onExit(e) }
		case <-r.child.drained():
			do = func() { r.sendSnapshot(r.child.conn.Lost()) }
		case s := <-d.Signals:
			do = func() { r.onSignal(s) }
		case <-stop:
			stop = nil
			do = func() { r.stop("the program asked") }
		case now := <-tick.C:
			do = func() { r.onHousekeeping(now) }
		}
		began := time.Now()
		do()
		r.endTurn()
		r.busy = max(r.busy, time.Since(began))
	}
	return r.end()
}

// onTimer believes a timer only after every socket was read empty.
func (r *loop) onTimer() {
	r.sendOverdue(time.Now())
	deadline, ok := r.machines.Deadline()
	now := time.Now()
	if !ok || now.Before(deadline) {
		return
	}
	r.onLate(now.Sub(deadline), now)
	r.drain()
	now = time.Now()
	if deadline, ok = r.machines.Deadline(); ok && !now.Before(deadline) {
		r.do(r.machines.Step(now, vrrp.Tick{}))
	}
}

// leastInterval is the shortest there can be: a centisecond of VRRPv3.
const leastInterval = 10 * time.Millisecond

func (r *loop) onLate(late time.Duration, now time.Time) {
	r.late.add(late)
	if late <= leastInterval/2 { // nearly always; the search costs more than the timer with a thousand instances
		return
	}
	if p := r.config.Process; p.MaxAuto > 0 && late >= p.AutoDelay {
		if now := max(p.RealTime, r.raised); now < p.MaxAuto {
			r.raised = now + 1
			r.tell(event.RouterPriorityRaised.With(r.raised, late.Round(time.Microsecond)))
			r.schedule()
		}
	}
	limit := 500 * time.Millisecond
	for n := range r.config.Instances {
		limit = min(limit, r.config.Instances[n].Interval/2)
	}
	if late > limit && now.Sub(r.lateTold) > 10*time.Second {
		r.lateTold = now
		r.tell(event.RouterTimerLate.With(late.Round(time.Microsecond), causeOf(late, r.measured, measureResources(), r.busy)))
	}
}

func (r *loop) drain() {
	r.Wire.Drain(func(p vrrp.Packet) { r.do(r.machines.Receive(time.Now(), p)) })
}

// endTurn does what is done once per turn of the loop, however much happened in it.
func (r *loop) endTurn() {
	if r.stamped {
		r.stamped = false
		r.Store.Stamp()
	}
	if r.dirty {
		r.dirty = false
		r.save()
	}
}

func (r *loop) onHousekeeping(now time.Time) {
	if gap := now.Sub(r.lastTurn); gap > 3*housekeeping {
		r.child.lastHeard = now // it was us who did not listen
	}
	r.lastTurn = now
	r.measured, r.busy = measureResources(), 0
	r.superviseBalancer(now)
	r.endTroubles(now)
	r.askClaims(now)
	r.saveSequences()
	due := now.Sub(r.refreshed) >= refreshEvery
	if due || r.routesDue {
		r.refreshRoutes(false)
	}
	if due {
		r.refreshed = now
		if len(r.held) > 0 {
			r.queue.add(func() func() {
				err := r.Kernel.Refresh()
				denied := r.Kernel.Denied()
				return func() {
					if !r.onDenied(denied) {
						r.kernelProblem("refresh", err)
					}
				}
			})
		}
		if r.socketsErr != "" {
			r.listen()
		}
		r.retryLame()
	}
	r.notifyStatus()
	if r.Watchdog > 0 {
		r.notify("WATCHDOG=1")
	}
	if limit := r.stopLimit(); !r.stopSent.IsZero() && now.Sub(r.stopSent) > limit {
		r.child.kill()
	}
}

// stopLimit: a balancer that said that it is done ends by itself at once.
func (r *loop) stopLimit() time.Duration {
	if r.child.stopped {
		return stopTimeout / 5
	}
	return stopTimeout
}

// notifyStatus tells the service manager in one line what state the instances are in, when that has changed.
func (r *loop) notifyStatus() {
	if r.Notify == nil {
		return
	}
	var n [vrrp.Fault + 1]int
	r.machines.Each(func(_ vrrp.ID, _ string, s vrrp.State) { n[s]++ })
	var parts []string
	for _, s := range []vrrp.State{vrrp.Master, vrrp.Backup, vrrp.Fault, vrrp.Init} {
		if n[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[s], s))
		}
	}
	text := "VRRP: " + strings.Join(parts, ", ")
	if len(parts) == 0 {
		text = "no VRRP instance"
	}
	if text != r.statusTold {
		r.statusTold = text
		r.notify("STATUS=" + text)
	}
}

func (r *loop) notify(state string) {
	if r.Notify != nil {
		r.Notify(state)
	}
}

// tell publishes an event here and passes it on to the balancer's views.
func (r *loop) tell(e event.Event) { r.pass(seam.Event{Event: e}) }

func (r *loop) tellTransition(e event.Event, t *vrrp.Transition) {
	r.pass(seam.Event{Event: e, Transition: t})
}

func (r *loop) pass(e seam.Event) {
	r.Bus.Publish(e.Event)
	r.seq++
	e.Seq = r.seq
	r.child.send(seam.Message{Event: &e})
}

func (r *loop) kernelProblem(owner string, err error) {
	if err != nil {
		r.tell(event.RouterKernel.With(owner, err))
	}
}

func (r *loop) finished() bool {
	return r.failure != nil || r.released && r.child.gone()
}

// end lets go of what is not the machines': static addresses, the stored state.
func (r *loop) end() error {
	if r.failure != nil {
		return r.failure
	}
	waiting := true
	r.queue.add(func() func() {
		routes := r.Kernel.HoldRoutes(staticOwner, nil, nil)
		err := errors.Join(routes, r.Kernel.Hold(staticOwner, nil), r.Kernel.Shield(nil), r.removeVMACs())
		return func() {
			r.kernelProblem(staticOwner, err)
			waiting = false
		}
	})
	limit := time.NewTimer(stopTimeout)
	defer limit.Stop()
	for waiting {
		select {
		case after := <-r.queue.results:
			after()
		case <-limit.C:
			waiting = false
			r.failure = fmt.Errorf("the kernel did not finish removing addresses within %s", stopTimeout)
		}
	}
	if r.failure == nil {
		r.saveSequences()
		r.Store.Clear()
	}
	r.tell(event.RouterStopped.With(time.Since(r.stopping).Seconds()))
	return r.failure
}

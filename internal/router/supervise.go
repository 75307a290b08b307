package router

import (
	"fmt"
	"net"
	"os"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/vrrp"
)

const (
	// silentAfter is when a balancer that says nothing counts as away, killAfter when it is killed; one that has not said anything yet (it
	// reads its files first) has startTimeout.
	silentAfter  = 5 * time.Second
	killAfter    = 15 * time.Second
	startTimeout = 60 * time.Second
	// backOffFirst doubles up to backOffLast while balancers do not live longer than backOffReset.
	backOffFirst = 50 * time.Millisecond
	backOffLast  = 10 * time.Second
	backOffReset = 30 * time.Second
	// exitWithin is how long a balancer whose connection has ended may take to exit by itself.
	exitWithin = time.Second
)

// ExitRefused is the exit code of a balancer that refuses its configuration at start: starting it again would not help. It becomes
// the daemon's own if it never had another configuration.
const ExitRefused = 2

type incoming struct {
	conn *seam.Conn
	msg  seam.Message
	err  error
}

// supervisor is what the loop knows of the balancer.
type supervisor struct {
	start func() (Child, error)

	child     Child
	running   bool
	conn      *seam.Conn
	inbox     chan incoming
	exited    <-chan Exit
	quit      chan struct{}
	began     time.Time
	lastHeard time.Time
	spoke     bool
	silent    bool // told and treated as away
	said      *vrrp.Ready
	stopped   bool // said Stopped
	startAt   time.Time
	backOff   time.Duration
	restarts  uint64
	beats     uint64
}

func (s *supervisor) init(start func() (Child, error)) {
	s.start, s.inbox, s.quit, s.backOff = start, make(chan incoming), make(chan struct{}), backOffFirst
}

// read passes on what one balancer says until its connection ends.
func (s *supervisor) read(c net.Conn) *seam.Conn {
	conn := seam.NewConn(c)
	go func() {
		for {
			m, err := conn.Receive()
			select {
			case s.inbox <- incoming{conn, m, err}:
			case <-s.quit:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return conn
}

func (s *supervisor) send(m seam.Message) bool { return s.conn != nil && s.conn.Send(m) }

func (s *supervisor) drained() <-chan struct{} {
	if s.conn == nil {
		return nil
	}
	return s.conn.Drained()
}

func (s *supervisor) gone() bool { return !s.running }

func (s *supervisor) kill() {
	if s.running {
		s.child.Kill()
	}
}

func (s *supervisor) close() {
	s.kill()
	if s.conn != nil {
		s.conn.Close()
	}
	close(s.quit)
}

func (r *loop) startBalancer() {
	s := &r.child
	now := time.Now()
	s.startAt = time.Time{}
	child, err := s.start()
	if err != nil {
		r.balancerLost(err.Error(), now)
		return
	}
	s.child, s.running, s.exited = child, true, child.Exited
	s.conn = s.read(child.Conn)
	s.began, s.lastHeard, s.spoke, s.silent, s.stopped, s.said = now, now, false, false, false, nil
	r.sendSnapshot(0)
	r.tell(event.BalancerStarted.With(child.PID))
}

// balancerLost plans the next start.
func (r *loop) balancerLost(reason string, now time.Time) {
	s := &r.child
	if now.Sub(s.began) > backOffReset {
		s.backOff = backOffFirst
	}
	wait := s.backOff
	s.backOff = min(2*s.backOff, backOffLast)
	s.startAt = now.Add(wait)
	s.restarts++
	r.tell(event.BalancerLost.With(reason, wait))
	r.handovers = nil
	r.do(r.machines.Step(now, vrrp.Ready{Away: true, Reason: "balancer lost: " + reason}))
	time.AfterFunc(wait, func() { // wakes the loop up; superviseBalancer looks at startAt
		select {
		case s.inbox <- incoming{}:
		case <-s.quit:
		}
	})
}

func (r *loop) onExit(e Exit) {
	s := &r.child
	s.running, s.exited = false, nil
	s.conn.Close()
	s.conn = nil
	if !r.stopping.IsZero() {
		return
	}
	if e.Code == ExitRefused && !r.ready && !r.adopted {
		r.failure = fmt.Errorf("the balancer refused the configuration: %w", ErrRefused)
		return
	}
	r.balancerLost(e.Reason, time.Now())
}

func (r *loop) superviseBalancer(now time.Time) {
	s := &r.child
	if !s.running {
		if !s.startAt.IsZero() && !now.Before(s.startAt) && r.stopping.IsZero() {
			r.startBalancer()
		}
		return
	}
	s.beats++
	s.send(seam.Message{Heartbeat: &seam.Heartbeat{Seq: s.beats}})
	quiet := now.Sub(s.lastHeard)
	limit := killAfter
	if !s.spoke {
		limit = startTimeout
	}
	if quiet > silentAfter && s.spoke && !s.silent {
		s.silent = true
		r.tell(event.BalancerHangs.With(quiet.Round(time.Second)))
		r.do(r.machines.Step(now, vrrp.Ready{Away: true, Reason: "the balancer does not answer"}))
	}
	if quiet > limit && r.stopping.IsZero() {
		s.kill()
	}
}

func (r *loop) onSeam(in incoming) {
	s := &r.child
	now := time.Now()
	if in.conn == nil {
		r.superviseBalancer(now)
		return
	}
	if in.conn != s.conn {
		return // of a balancer before this one
	}
	if in.err != nil {
		time.AfterFunc(exitWithin, s.child.Kill) // it ends, and its status says why; or it talks nonsense
		return
	}
	s.lastHeard, s.spoke = now, true
	if s.silent { // it answers again; what it said about itself holds again
		s.silent = false
		if s.said != nil {
			r.do(r.machines.Step(now, *s.said))
		}
	}
	switch m := in.msg; {
	case m.Apply != nil:
		r.onApply(*m.Apply)
	case m.Track != nil:
		if r.tracks[m.Track.ID] != *m.Track {
			r.tracks[m.Track.ID] = *m.Track
			r.dirty = true
		}
		r.do(r.machines.Step(now, *m.Track))
	case m.Ready != nil:
		s.said = m.Ready
		r.do(r.machines.Step(now, *m.Ready))
	case m.Handover != nil:
		r.onHandover(*m.Handover)
	case m.Query != nil:
		s.send(seam.Message{Status: &seam.Status{Token: m.Query.Token, Instances: r.machines.Snapshot(), Router: r.status()}})
	case m.LogLevel != nil:
		if r.SetLevel != nil {
			_ = r.SetLevel(m.LogLevel.Level) // the balancer checked the word
		}
	case m.Stopped != nil:
		s.stopped = true
		if m.Stopped.Error != "" {
			r.kernelProblem("balancer", fmt.Errorf("%s", m.Stopped.Error))
		}
	}
}

func (r *loop) onHandover(ask seam.HandoverAsk) {
	r.handovers = append(r.handovers, pendingHandover{ask.Token, ask.Handover.Instance})
	r.do(r.machines.Step(time.Now(), ask.Handover))
}

func (r *loop) sendSnapshot(dropped uint64) {
	r.child.send(seam.Message{Snapshot: &seam.Snapshot{Seq: r.seq, Gen: r.gen, Instances: r.machines.Snapshot(), Adopted: r.adopted, Dropped: dropped}})
}

func (r *loop) status() seam.RouterStatus {
	st := seam.RouterStatus{PID: os.Getpid(), LatenessMaxMicros: r.late.max.Microseconds(), LatenessP99Micros: r.late.p99(), BalancerRestarts: r.child.restarts,
		Lateness: r.late.all, UnknownAdverts: r.machines.Unknown(), Foreign: r.machines.Foreign(), Adopted: r.adopted}
	r.late.look()
	return st
}

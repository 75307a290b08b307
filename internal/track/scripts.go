package track

import (
	"context"
	"time"

	"github.com/holdfast-ha/holdfast/internal/script"
)

// scriptWatch runs one script on its schedule until it is stopped.
type scriptWatch struct {
	conf  Script
	tally tally
	stop  context.CancelFunc
	done  chan struct{}
}

// startScript begins watching. What an earlier watch of the same ID knew is carried over: the value holds until the first result of
// the new one, which counts alone if what runs has changed.
func (s *Set) startScript(conf Script, earlier *scriptWatch) *scriptWatch {
	ctx, stop := context.WithCancel(s.ctx)
	w := &scriptWatch{conf: conf, tally: newTally(conf.Rise, conf.Fall, conf.InitFail), stop: stop, done: make(chan struct{})}
	switch {
	case earlier != nil && earlier.conf.Command.Equal(conf.Command):
		w.tally.known, w.tally.ok, w.tally.streak = earlier.tally.known, earlier.tally.ok, earlier.tally.streak
	case earlier != nil:
	case conf.InitFail:
		s.hand(Value{ID: conf.ID, Known: true}, "not yet run, and init_fail says failed")
	default:
		s.hand(Value{ID: conf.ID}, "not yet run")
	}
	go w.run(ctx, s)
	return w
}

func (w *scriptWatch) run(ctx context.Context, s *Set) {
	defer close(w.done)
	last := "" // reason of the last single result, to tell changes
	for next := time.Now(); ; {
		res := s.runner.Run(ctx, w.conf.ID, w.conf.Command)
		if ctx.Err() != nil {
			return
		}
		if reason := res.Reason(); reason != last {
			s.result(w.conf.ID, res)
			last = reason
		}
		w.tally.add(res.OK())
		s.hand(Value{ID: w.conf.ID, Known: true, OK: w.tally.ok}, res.Reason())

		now := time.Now()
		next = next.Add(w.conf.Interval)
		if late := now.Sub(next); late > 0 { // the run outlasted its interval: keep the beat, skip what was missed
			next = next.Add((late/w.conf.Interval + 1) * w.conf.Interval)
		}
		t := time.NewTimer(next.Sub(now))
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
	}
}

// Runner runs a program; *script.Pool is one.
type Runner interface {
	Run(ctx context.Context, key string, c script.Command) script.Result
}

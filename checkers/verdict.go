package checkers

import "time"

// Verdict is the state of one check: what its row of results means. It is plain state moved on by Judge and nothing else.
//
//	state  result   what follows
//	up     passed   stays up, next attempt after Interval
//	up     failed   first failure of a check that never passed: down (keepalived's rule; a server adopted as up has passed)
//	                else, fewer than Fall failures in a row: next attempt after FastInterval or RetryDelay
//	                else down, next attempt after Interval
//	down   failed   stays down, next attempt after Interval
//	down   passed   fewer than Rise in a row: next attempt after FastInterval or Interval; else up, unless held for flapping
type Verdict struct {
	// Up: the check is content.
	Up bool
	// Proven: it has passed once, or its server was carrying connections when it was taken over. Only then does it get retries.
	Proven bool
	// Streak counts the results in a row that contradict Up.
	Streak int
	damped *damped
}

type damped struct {
	falls []time.Time
	until time.Time
}

// Begin is the Verdict of a new check.
func Begin(r *Rules) Verdict { return Verdict{Up: !r.Alpha} }

// Step is what one result did.
type Step struct {
	// Changed: Up is another than before. Attempts is the length of the row that did it.
	Changed  bool
	Attempts int
	// Wait is the pause before the next attempt. Regular: it is simply due at the next interval.
	Wait    time.Duration
	Regular bool
	// HeldUntil is set when this change down began a hold for flapping.
	HeldUntil time.Time
}

// Judge moves the verdict on by one result seen at now.
func (v *Verdict) Judge(r *Rules, now time.Time, ok bool) Step {
	step := Step{Regular: true, Wait: r.interval()}
	if ok == v.Up {
		v.Streak = 0
		v.Proven = v.Proven || ok
		return step
	}
	v.Streak++
	if ok {
		held := v.damped != nil && now.Before(v.damped.until)
		if v.Streak >= r.rise() && !held {
			return v.turn(step, r, now)
		}
		v.Streak = min(v.Streak, r.rise())
		if !held && r.FastInterval > 0 {
			return Step{Wait: r.FastInterval}
		}
		return step
	}
	if !v.Proven || v.Streak >= r.fall() {
		return v.turn(step, r, now)
	}
	if r.FastInterval > 0 {
		return Step{Wait: r.FastInterval}
	}
	return Step{Wait: max(r.RetryDelay, 0)}
}

// turn is the only place where Up changes.
func (v *Verdict) turn(step Step, r *Rules, now time.Time) Step {
	step.Changed, step.Attempts = true, v.Streak
	v.Up, v.Streak = !v.Up, 0
	if v.Up {
		v.Proven = true
		return step
	}
	d := r.Damping
	if d.Flaps <= 0 || d.Hold <= 0 {
		v.damped = nil
		return step
	}
	if v.damped == nil {
		v.damped = &damped{}
	}
	kept := v.damped.falls[:0]
	for _, at := range v.damped.falls {
		if d.Window <= 0 || now.Sub(at) < d.Window {
			kept = append(kept, at)
		}
	}
	v.damped.falls = append(kept, now)
	if len(v.damped.falls) >= d.Flaps {
		v.damped.falls = v.damped.falls[:0]
		v.damped.until = now.Add(d.Hold)
		step.HeldUntil = v.damped.until
	}
	return step
}

package router

import (
	"time"

	"github.com/holdfast-ha/holdfast/vrrp"
)

// behind is an advertisement that waits for the addresses it speaks for.
type behind struct {
	send  vrrp.Send
	until time.Time
}

// sendBehind sends once the kernel has done what it was asked for until now, or when the patience is over; whichever other advertisement comes first stands for it.
func (r *loop) sendBehind(a vrrp.Send) {
	b := behind{send: a, until: time.Now().Add(a.Patience)}
	b.send.Patience = 0
	r.behind[a.ID] = b
	sent := make(chan struct{})
	r.queue.add(func() func() {
		return func() {
			if now, waits := r.behind[a.ID]; waits && now == b {
				r.send(b.send)
			}
			close(sent)
		}
	})
	r.queue.add(func() func() { // announcements come behind it (RFC 9568 section 6.4.2)
		select {
		case <-sent:
		case <-time.After(a.Patience):
		}
		return nil
	})
}

// sendOverdue sends those whose patience is over.
func (r *loop) sendOverdue(now time.Time) {
	for _, b := range r.behind {
		if !now.Before(b.until) {
			r.send(b.send)
		}
	}
}

// deadline is when the machines' next timer is due or somebody's patience is over.
func (r *loop) deadline() (time.Time, bool) {
	at, ok := r.machines.Deadline()
	for _, b := range r.behind {
		if !ok || b.until.Before(at) {
			at, ok = b.until, true
		}
	}
	return at, ok
}

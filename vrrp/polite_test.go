package vrrp

import (
	"testing"
	"time"
)

// From whoever serves until it hears of a successor the addresses are taken first and then the advert is sent; from a dead MASTER the other way round.
func TestAddressesComeBeforeTheAdvertOfAPoliteSuccessor(t *testing.T) {
	i := sample(3, IPv4)
	const polite, dead = "hold 2, send 100, announce 2x5, BACKUP>MASTER", "send 100, hold 2, announce 2x5, BACKUP>MASTER"
	for name, c := range map[string]struct {
		interval time.Duration
		hear     func(r *rig)
		want     string
		patience time.Duration
	}{
		"leaves":         {time.Second, func(r *rig) { r.hear(i.ID(), 0, addrA) }, polite, 500 * time.Millisecond},
		"leaves, faster": {200 * time.Millisecond, func(r *rig) { r.hear(i.ID(), 0, addrA) }, polite, 100 * time.Millisecond},
		"leaves, 10 ms":  {10 * time.Millisecond, func(r *rig) { r.hear(i.ID(), 0, addrA) }, dead, 0},
		"less good": {time.Second, func(r *rig) {
			for range 4 {
				r.hear(i.ID(), 50, addrA)
				r.after(800 * time.Millisecond)
			}
		}, polite, 500 * time.Millisecond},
		"dead": {time.Second, func(r *rig) { r.hear(i.ID(), 200, addrA) }, dead, 0},
	} {
		t.Run(name, func(t *testing.T) {
			i := i
			i.Interval = c.interval
			r, _ := boot(t, i)
			c.hear(r)
			var taken []Action
			for at, ok := r.ms.Deadline(); ok && len(taken) == 0; at, ok = r.ms.Deadline() {
				r.now = later(r.now, at)
				taken = r.step(Tick{})
			}
			r.shows(taken, c.want)
			for _, a := range taken {
				if s, ok := a.(Send); ok && s.Patience != c.patience {
					t.Errorf("patience %s, want %s", s.Patience, c.patience)
				}
			}
			if c.patience > 0 && c.interval == time.Second {
				// What the predecessor still said may have crossed the announcements.
				r.shows(r.run(afterHandover), "announce 2x1")
				r.run(4 * time.Second)
				r.shows(r.run(time.Second-afterHandover), "send 100, announce 2x5")
			}
		})
	}
}

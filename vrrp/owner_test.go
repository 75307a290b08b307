package vrrp

import (
	"testing"
	"time"
)

// TestTwoOwners: the one with the lower address yields. If it does not, the other one counts as 254 and yields, and is 255 again when that is over.
func TestTwoOwners(t *testing.T) {
	i := sample(3, IPv4)
	i.Priority = 255
	r, _ := boot(t, i) // from .2
	r.want(i.ID(), Master)
	r.after(time.Second)
	r.shows(r.hear(i.ID(), 255, addrB.Next()), "hold 0, MASTER>BACKUP")

	r, _ = boot(t, i)
	for n := range 4 {
		r.want(i.ID(), Master)
		if n > 0 {
			r.run(time.Second)
		}
		r.hear(i.ID(), 255, addrA)
	}
	r.run(500 * time.Millisecond)
	r.shows(r.hear(i.ID(), 255, addrA), "notice split_brain, hold 0, MASTER>BACKUP")
	if p := r.ms.Snapshot()[0].Priority; p != 254 {
		t.Fatal(p)
	}
	// As long as the other one speaks it stays BACKUP.
	for range 10 {
		r.run(time.Second)
		r.hear(i.ID(), 255, addrA)
	}
	r.want(i.ID(), Backup)
	// The other one is silent: MASTER again, as 255.
	if s, ok := r.run(4 * time.Second)[0].(Send); !ok || s.Priority != 255 {
		t.Fatalf("%+v", s)
	}
	r.want(i.ID(), Master)

	// A router of lower priority instead: it is preempted by 255.
	r, _ = boot(t, i)
	for range 8 {
		r.run(500 * time.Millisecond)
		r.hear(i.ID(), 255, addrA)
	}
	r.want(i.ID(), Backup)
	r.hear(i.ID(), 100, addrA)
	if p := r.ms.Snapshot()[0].Priority; p != 255 {
		t.Fatal(p)
	}
	r.run(4 * time.Second)
	r.want(i.ID(), Master)
}

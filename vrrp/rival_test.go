package vrrp

import (
	"strings"
	"testing"
	"time"
)

func (r *rig) notices(as []Action) string {
	var out []string
	for _, a := range as {
		if n, ok := a.(Notice); ok {
			out = append(out, n.Kind)
		}
	}
	return strings.Join(out, " ")
}

func TestSplitBrainIsTold(t *testing.T) {
	i := sample(3, IPv4)
	r := master(t, i)
	var all []Action
	for range 5 {
		all = append(all, r.hear(i.ID(), 50, addrA)...)
		all = append(all, r.run(time.Second)...)
	}
	if got := r.notices(all); got != "master_rx_lower_pri split_brain" {
		t.Fatal(got)
	}
}

func TestAnswersToARivalAreLimited(t *testing.T) {
	i := sample(3, IPv4)
	r := master(t, i)
	sent := r.ms.Snapshot()[0].Counters.AdvertsSent
	for range 1000 {
		r.hear(i.ID(), 50, addrA)
		r.after(10 * time.Microsecond)
	}
	if n := r.ms.Snapshot()[0].Counters.AdvertsSent - sent; n > 3 {
		t.Fatalf("%d answers in 10 ms", n)
	}
}

func TestLowerPriorityOptions(t *testing.T) {
	i := sample(3, IPv4)
	i.LowerPrioNoAdvert = true
	i.Gratuitous.LowerPrioRepeat = 0
	r := master(t, i)
	r.shows(r.hear(i.ID(), 50, addrA), "notice master_rx_lower_pri")
	i.HigherPrioSendAdvert = true
	r = master(t, i)
	r.shows(r.hear(i.ID(), 150, addrA), "send 100, hold 0, MASTER>BACKUP")
}

func TestLateWake(t *testing.T) {
	i := sample(3, IPv4)
	// Nobody else was there: carry on, and tell the segment again.
	r := master(t, i)
	r.after(10 * time.Second)
	a := r.step(Tick{})
	r.want(i.ID(), Master)
	if got := show(a); !strings.HasPrefix(got, "notice late_wake, send 100, announce 2x5") {
		t.Fatal(got)
	}
	// Somebody took over meanwhile, with whatever priority: no fight.
	r = master(t, i)
	r.after(10 * time.Second)
	r.shows(r.hear(i.ID(), 50, addrA), "hold 0, MASTER>BACKUP")
	r.shows(r.step(Tick{}), "")
	// A BACKUP that did not run does not believe its timer.
	r, _ = boot(t, i)
	r.hear(i.ID(), 200, addrA)
	r.after(10 * time.Second)
	r.shows(r.step(Tick{}), "notice late_wake")
	r.run(time.Second)
	r.want(i.ID(), Backup)
	r.run(time.Second)
	r.want(i.ID(), Master)
}

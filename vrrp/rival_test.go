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
	rival := r.ms.Snapshot()[0].Rival
	if rival.Addr != addrA.String() || rival.Priority != 50 || rival.Refused != "" || rival.Until.Before(r.now) {
		t.Errorf("status: %+v", rival)
	}
	r.run(5 * time.Second)
	if rival := r.ms.Snapshot()[0].Rival; rival.Until.After(r.now) {
		t.Errorf("it is silent, status: %+v", rival)
	}
	r.hear(i.ID(), 200, addrA)
	if rival := r.ms.Snapshot()[0].Rival; rival.Addr != "" {
		t.Errorf("this router yielded, status: %+v", rival)
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

// With LateBackup a MASTER that was silent for as long as a router of that priority waits goes to BACKUP, though it hears nobody.
func TestLateBackup(t *testing.T) {
	for _, c := range []struct {
		name          string
		version       uint8
		other         uint8
		keeps, leaves time.Duration // of an interval of 1 s
		nopreempt     bool
		priority      uint8
	}{
		{"the quickest", 3, 254, 3005 * time.Millisecond, 3008 * time.Millisecond, true, 100},
		{"a slow one", 3, 1, 3990 * time.Millisecond, 4 * time.Second, true, 100},
		{"version 2", 2, 128, 3490 * time.Millisecond, 3510 * time.Millisecond, true, 100},
		{"not asked for", 3, 0, time.Hour, 0, true, 100},
		{"it would preempt", 3, 254, time.Hour, 0, false, 100},
		{"owner", 3, 254, time.Hour, 0, true, 255},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := sample(c.version, IPv4)
			i.Priority, i.NoPreempt, i.LateBackup = c.priority, c.nopreempt, c.other
			r := master(t, i)
			r.step(Tick{})
			sent := r.ms.byID[i.ID()].sentAt
			r.now = sent.Add(c.keeps)
			r.step(Tick{})
			r.want(i.ID(), Master)
			if c.leaves == 0 {
				return
			}
			r.now = r.ms.byID[i.ID()].sentAt.Add(c.leaves)
			r.shows(r.step(Tick{}), "send 0, hold 0, MASTER>BACKUP")
			r.want(i.ID(), Backup)
			// Nobody was there: it takes over again after its own time.
			r.after(4 * time.Second)
			r.step(Tick{})
			r.want(i.ID(), Master)
		})
	}
}

func TestDelayAfterBoot(t *testing.T) {
	i := sample(3, IPv4)
	for _, c := range []struct {
		name              string
		up, startup, boot time.Duration
		wait              time.Duration
		told              string
		unknown           bool
	}{
		{name: "booted long ago", up: time.Hour, boot: time.Minute},
		{name: "just booted", up: 10 * time.Second, boot: time.Minute, wait: 50 * time.Second, told: "notice start_delayed"},
		{name: "the later one counts", up: 10 * time.Second, boot: time.Minute, startup: 2 * time.Minute, wait: 2 * time.Minute, told: "notice start_delayed"},
		{name: "nobody knows when", unknown: true, boot: time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &rig{t: t, ms: New(), now: t0}
			if !c.unknown {
				r.step(Booted{For: c.up})
			}
			r.step(up("eth0"))
			a := r.ms.Apply(r.now, Config{Instances: []Instance{i}, StartupDelay: c.startup, DelayAfterBoot: c.boot})
			r.shows(a, c.told)
			if c.wait > 0 {
				if s := r.ms.Snapshot()[0]; s.State != Init || !strings.Contains(s.Reason, "vrrp_delay_after_boot") {
					t.Errorf("status: %s %q", s.State, s.Reason)
				}
				r.after(c.wait - time.Millisecond)
				r.hear(i.ID(), 50, addrA)
				r.step(Tick{})
				r.want(i.ID(), Init)
				r.after(time.Millisecond)
			}
			r.step(Tick{})
			r.want(i.ID(), Backup)
		})
	}
}

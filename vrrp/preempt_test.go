package vrrp

import (
	"strings"
	"testing"
	"time"
)

// living keeps a MASTER of that priority heard once an interval for d, as long as the instance is BACKUP.
func (r *rig) living(id ID, prio uint8, d time.Duration) {
	interval := r.ms.byID[id].cfg.Interval
	for end := r.now.Add(d); r.now.Before(end) && r.state(id) == Backup; {
		r.hear(id, prio, addrA)
		r.run(interval)
	}
}

func TestPreemption(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Instance)
		for_   time.Duration
		want   State
	}{
		"a better router preempts":         {func(*Instance) {}, 4 * time.Second, Master},
		"nopreempt does not":               {func(i *Instance) { i.NoPreempt = true }, time.Minute, Backup},
		"preempt_delay waits":              {func(i *Instance) { i.PreemptDelay = 10 * time.Second }, 10 * time.Second, Backup},
		"preempt_delay ends":               {func(i *Instance) { i.PreemptDelay = 10 * time.Second }, 15 * time.Second, Master},
		"an owner preempts in spite of it": {func(i *Instance) { i.NoPreempt = true; i.Priority = 255 }, 4 * time.Second, Master},
		"one that serves waits":            {func(i *Instance) { i.Serves = true }, 29 * time.Second, Backup},
		"but not for ever":                 {func(i *Instance) { i.Serves = true }, 35 * time.Second, Master},
		"equal priority never preempts":    {func(i *Instance) { i.Priority = 50 }, time.Minute, Backup},
		"nor does a lower priority":        {func(i *Instance) { i.Priority = 49 }, time.Minute, Backup},
	} {
		t.Run(name, func(t *testing.T) {
			i := sample(3, IPv4)
			c.change(&i)
			r, _ := boot(t, i)
			r.living(i.ID(), 50, c.for_)
			r.want(i.ID(), c.want)
		})
	}
}

func TestPreemptDelayIsCancelledByABetterRouter(t *testing.T) {
	i := sample(3, IPv4)
	i.PreemptDelay = 5 * time.Second
	r, _ := boot(t, i)
	r.living(i.ID(), 50, 4*time.Second)
	r.hear(i.ID(), 200, addrA)
	r.living(i.ID(), 50, 5*time.Second)
	r.want(i.ID(), Backup)
	r.living(i.ID(), 50, 5*time.Second)
	r.want(i.ID(), Master)
}

func TestReadyEndsTheWait(t *testing.T) {
	i := sample(3, IPv4)
	i.Serves = true
	r, _ := boot(t, i)
	r.living(i.ID(), 50, 5*time.Second)
	r.step(Ready{OK: true})
	r.living(i.ID(), 50, 5*time.Second)
	r.want(i.ID(), Master)

	// A director that can never balance leaves the living one alone, and replaces a dead one.
	r, _ = boot(t, i)
	r.step(Ready{Lasting: true, Reason: "no IPVS"})
	r.living(i.ID(), 50, 5*time.Minute)
	r.want(i.ID(), Backup)
	r.run(4 * time.Second)
	r.want(i.ID(), Master)
}

func TestBalancerAway(t *testing.T) {
	i, j := sample(3, IPv4), sample(3, IPv4)
	i.Serves, j.VRID = true, 52
	r, _ := bootConfig(t, Config{Instances: []Instance{i, j}, HoldWithoutBalancer: 30 * time.Second})
	r.step(Ready{OK: true})
	r.run(4 * time.Second)
	r.step(Ready{Away: true, Reason: "it died"})
	r.run(20 * time.Second)
	// It comes back without being READY: the budget is not refilled.
	r.step(Ready{})
	r.step(Ready{Away: true, Reason: "it died again"})
	r.run(9 * time.Second)
	r.want(i.ID(), Master)
	r.run(2 * time.Second)
	r.want(i.ID(), Fault)
	r.want(j.ID(), Master)
	if s := r.ms.Snapshot(); !strings.Contains(s[0].Reason+s[1].Reason, "it died again") {
		t.Fatalf("%+v", s)
	}
	r.step(Ready{OK: true})
	r.want(i.ID(), Backup)
	r.step(Ready{Away: true})
	r.run(20 * time.Second)
	r.want(i.ID(), Master)
}

func TestPriorityZeroMeansSkewOnly(t *testing.T) {
	i := sample(2, IPv4)
	r, _ := boot(t, i)
	r.hear(i.ID(), 200, addrA)
	r.hear(i.ID(), 0, addrA)
	r.run(156*time.Second/256 - 1)
	r.want(i.ID(), Backup)
	a := r.run(1)
	r.want(i.ID(), Master)
	if tr := a[len(a)-1].(Transition); !strings.Contains(tr.Reason, "leaves") {
		t.Fatal(tr.Reason)
	}
}

func TestReasonOfPromotionNamesTheEvidence(t *testing.T) {
	i := sample(2, IPv4)
	i.Auth = Auth{Type: "PASS", Key: "right"}
	r, _ := boot(t, i)
	p := packetOf(i, addrA, Group4, 200)
	r.ms.Receive(r.now, p)
	wrong := i
	wrong.Auth.Key = "wrong"
	for range 3 {
		r.run(time.Second)
		r.ms.Receive(r.now, packetOf(wrong, addrA, Group4, 200))
	}
	a := r.run(time.Second)
	want := "no advertisement from 192.0.2.1 (priority 200) for 3.61s; refused meanwhile: 3 auth_failure"
	if tr, ok := a[len(a)-1].(Transition); !ok || tr.Reason != want {
		t.Fatalf("got %v, want %s", a[len(a)-1], want)
	}
}

func TestBalancerThatCanNeverServeIsNotAway(t *testing.T) {
	i := sample(3, IPv4)
	i.Serves = true
	r, _ := bootConfig(t, Config{Instances: []Instance{i}, HoldWithoutBalancer: 30 * time.Second})
	r.step(Ready{Lasting: true, Reason: "no IPVS"})
	r.run(5 * time.Second)
	r.want(i.ID(), Master)
	r.step(Ready{Away: true, Reason: "it died"})
	r.run(10 * time.Second)
	r.step(Ready{Lasting: true, Reason: "no IPVS"})
	r.run(time.Minute)
	r.want(i.ID(), Master)
}

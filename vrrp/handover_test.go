package vrrp

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestHandover(t *testing.T) {
	i := sample(3, IPv4)
	id := i.ID()
	r := master(t, i)
	r.shows(r.step(Handover{Instance: "VI", For: time.Minute}), "send 0")
	r.run(100 * time.Millisecond)
	r.shows(r.hear(id, 50, addrA), "hold 0, MASTER>BACKUP, notice handover_done, ended ok")
	if s := r.ms.Snapshot()[0]; !s.Yielded || s.HandingOver {
		t.Fatalf("%+v", s)
	}
	r.living(id, 50, 59*time.Second)
	r.want(id, Backup)
	r.living(id, 50, 10*time.Second)
	r.want(id, Master)

	// Until told to.
	r.step(Handover{})
	r.hear(id, 50, addrA)
	r.living(id, 50, time.Hour)
	r.want(id, Backup)
	r.shows(r.step(Handover{Cancel: true}), "notice handover_over, ended ok")
	r.living(id, 50, 5*time.Second)
	r.want(id, Master)

	// Or until the successor dies.
	r.step(Handover{})
	r.hear(id, 50, addrA)
	r.living(id, 50, 10*time.Second)
	r.run(4 * time.Second)
	r.want(id, Master)

	// Nobody takes it.
	r.step(Handover{Instance: "eth0/4/51"})
	a := r.run(2200 * time.Millisecond)
	if !strings.HasPrefix(show(a), "send 0, send 0, send 100, notice handover_failed, ended failed") {
		t.Fatal(show(a))
	}
	r.want(id, Master)
	r.run(time.Second)
	// Taken back while it waits.
	r.step(Handover{})
	r.shows(r.step(Handover{Cancel: true}), "send 100, notice handover_failed, ended failed, ended ok")
}

func TestHandoverOfAllIsAnsweredOnce(t *testing.T) {
	i, j, k := sample(3, IPv4), sample(3, IPv4), sample(3, IPv4)
	i.Name, j.Name, k.Name, j.VRID, k.VRID = "I", "J", "K", 52, 53
	cfg := Config{Instances: []Instance{i, j, k}, Groups: []Group{{Name: "G", Members: []ID{i.ID(), j.ID()}}}}
	r, _ := bootConfig(t, cfg)
	r.run(5 * time.Second)
	r.step(Handover{})
	r.hear(i.ID(), 50, addrA)
	r.hear(j.ID(), 50, addrA)
	a := r.hear(k.ID(), 50, addrA)
	r.shows(a, "hold 0, MASTER>BACKUP, notice handover_done, ended ok")

	// One that loses its link while it hands over for good stops nevertheless.
	r, _ = bootConfig(t, cfg)
	r.run(5 * time.Second)
	r.step(Release{})
	if got := show(r.step(Link{Name: "eth0"})); !strings.HasSuffix(got, "released") {
		t.Fatal(got)
	}
	// A reload that takes the group apart meanwhile: everybody speaks again.
	r, _ = bootConfig(t, cfg)
	r.run(5 * time.Second)
	r.step(Handover{Instance: "G"})
	r.shows(r.ms.Apply(r.now, Config{Instances: []Instance{i, j, k}}), "ended failed, send 100, send 100")
	if got := show(r.run(1100 * time.Millisecond)); strings.Count(got, "send 100") < 3 {
		t.Fatal(got)
	}
}

// A successor of hundreds of instances takes them over one after the other: the last ones are kept for it while it goes on, for 5 s at most.
func TestASlowSuccessorIsGivenTime(t *testing.T) {
	var all []Instance
	for n := range 40 {
		i := sample(3, IPv4)
		i.VRID, i.Name = uint8(n+1), fmt.Sprint("VI_", n)
		all = append(all, i)
	}
	for _, c := range []struct {
		step time.Duration
		kept int // are still held when the successor comes
	}{{100 * time.Millisecond, 40}, {150 * time.Millisecond, 33}, {3 * time.Second, 0}} {
		r, _ := boot(t, all...)
		r.run(TakeoverTime(all[0]))
		r.step(Release{})
		kept := 0
		for _, i := range all {
			r.run(c.step)
			if r.state(i.ID()) == Master {
				kept++
			}
			r.hear(i.ID(), 50, addrA)
		}
		if kept != c.kept {
			t.Errorf("a takeover every %s: %d kept, want %d", c.step, kept, c.kept)
		}
	}
}

package router

import (
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/vrrp"
)

func TestSchedulingOfAProcess(t *testing.T) {
	child := exec.Command("sleep", "600")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = child.Process.Kill()
		_ = child.Wait()
	}()
	s := newScheduling()
	if err := schedule(child.Process.Pid, s.attr(vrrp.Process{Nice: 15})); err != nil {
		t.Fatal(err)
	}
	a, err := unix.SchedGetAttr(child.Process.Pid, 0)
	if err != nil || a.Policy != unix.SCHED_NORMAL || a.Nice != 15 {
		t.Errorf("%+v %v", a, err)
	}
	var all, one unix.CPUSet
	if err := unix.SchedGetaffinity(child.Process.Pid, &all); err != nil {
		t.Fatal(err)
	}
	for n := range 1024 {
		if all.IsSet(n) {
			one.Set(n)
			break
		}
	}
	if err := eachThread(child.Process.Pid, func(tid int) error { return unix.SchedSetaffinity(tid, &one) }); err != nil {
		t.Fatal(err)
	}
	var now unix.CPUSet
	if err := unix.SchedGetaffinity(child.Process.Pid, &now); err != nil || now.Count() != 1 {
		t.Errorf("%d CPUs, %v", now.Count(), err)
	}
	s.pinned = true
	s.spare(child.Process.Pid)
	if err := unix.SchedGetaffinity(child.Process.Pid, &now); err != nil || now != all {
		t.Errorf("a child has what the router was started with: %v %v", now.Count(), err)
	}
	s.pinned = false
	if a := s.attr(vrrp.Process{Nice: 3, RealTime: 50}); a.Policy != unix.SCHED_RR || a.Priority != 50 {
		t.Errorf("real time comes first: %+v", a)
	}
	for _, c := range []struct {
		policy      uint32
		started     int32
		p           vrrp.Process
		nice, quiet bool
	}{
		{unix.SCHED_NORMAL, 0, vrrp.Process{Nice: -20, Unasked: true}, true, false},
		{unix.SCHED_NORMAL, 5, vrrp.Process{Nice: -20, Unasked: true}, false, true},
		{unix.SCHED_BATCH, 0, vrrp.Process{Nice: -20, Unasked: true}, false, true},
		{unix.SCHED_NORMAL, 5, vrrp.Process{Nice: -20}, true, false},
		{unix.SCHED_NORMAL, 0, vrrp.Process{Nice: 0}, false, true},
		{unix.SCHED_NORMAL, 5, vrrp.Process{Nice: -20, RealTime: 1, Unasked: true}, false, true},
		{unix.SCHED_NORMAL, 5, vrrp.Process{Nice: -20, RealTime: 1}, false, false},
	} {
		from := &scheduling{original: &unix.SchedAttr{Policy: c.policy, Nice: c.started}}
		if a := from.attr(c.p); (a == nil) != c.quiet || c.nice && a.Nice != -20 {
			t.Errorf("started with policy %d, nice %d, %+v: %+v", c.policy, c.started, c.p, a)
		}
	}
	if err := s.set(vrrp.Process{}); err != nil || s.changed {
		t.Errorf("nothing asked for, nothing done: %v", err)
	}
}

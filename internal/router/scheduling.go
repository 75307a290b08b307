package router

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/vrrp"
)

// scheduling is how the kernel runs this process: vrrp_priority, vrrp_rt_priority and vrrp_no_swap. All threads are treated alike: one thread of a Go
// program that is preferred waits for the others (measured: 110 ms). The balancer and what it starts keep what the router was started with.
type scheduling struct {
	mu sync.Mutex // the kernel goroutine sets, the loop starts children
	// original is what the process was started with; nil when it cannot be read: then nothing is changed.
	original *unix.SchedAttr
	changed  bool
	resident bool
	// cpus are those the process was started with, nil when they cannot be read; pinned says that it has others now.
	cpus   *unix.CPUSet
	pinned bool
	// leader: the session is this process's own, and so is the kernel's group of its tasks (sched(7), "The autogroup feature"): a nice value alone counts
	// only among the processes of a session.
	leader, grouped bool
}

func newScheduling() *scheduling {
	a, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		return &scheduling{}
	}
	s := &scheduling{original: a}
	if sid, err := unix.Getsid(0); err == nil {
		s.leader = sid == os.Getpid()
	}
	var cpus unix.CPUSet
	if unix.SchedGetaffinity(0, &cpus) == nil {
		s.cpus = &cpus
	}
	return s
}

// set makes the process run like this; the zero value is what it was started with.
func (s *scheduling) set(p vrrp.Process) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	switch want := s.attr(p); {
	case s.original == nil && (p.Nice != 0 || p.RealTime != 0) && !p.Unasked:
		errs = append(errs, errors.New("change the priority of the process: the kernel does not tell the present one"))
	case want == nil && !s.changed:
	case want == nil:
		errs = append(errs, schedule(os.Getpid(), s.original))
		s.changed = false
		s.group(0)
	default:
		err := schedule(os.Getpid(), want)
		if p.Unasked && p.RealTime > 0 && errors.Is(err, unix.EPERM) { // a container, a control group without real time
			p.RealTime = 0
			want = s.attr(p)
			err = schedule(os.Getpid(), want)
		}
		s.changed = true
		s.group(int(want.Nice))
		if p.Unasked && errors.Is(err, unix.EPERM) {
			err = nil // a default is no reason to complain
		}
		errs = append(errs, err)
	}
	errs = append(errs, s.pin(p.CPUs))
	if p.Resident != s.resident {
		err := reside(p.Resident)
		if err == nil {
			s.resident = p.Resident
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// attr is what the kernel is asked for, nil for nothing.
func (s *scheduling) attr(p vrrp.Process) *unix.SchedAttr {
	switch {
	case s.original == nil:
	case p.Unasked && (s.original.Policy != unix.SCHED_NORMAL || s.original.Nice != 0): // somebody has decided already: the unit, nice, chrt
	case p.RealTime > 0:
		return &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: uint32(p.RealTime)}
	case p.Nice != 0:
		return &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL, Nice: int32(p.Nice)}
	}
	return nil
}

// group gives the session the same weight among the sessions as the process has within it. Not every kernel groups so, and not everybody may.
func (s *scheduling) group(nice int) {
	if !s.leader || nice == 0 && !s.grouped {
		return
	}
	if os.WriteFile("/proc/self/autogroup", []byte(strconv.Itoa(nice)), 0) == nil {
		s.grouped = nice != 0
	}
}

// spare gives a child what this process was started with.
func (s *scheduling) spare(pid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed {
		_ = schedule(pid, s.original) // it may be gone already
	}
	if s.pinned {
		_ = eachThread(pid, func(tid int) error { return unix.SchedSetaffinity(tid, s.cpus) })
	}
}

// pin lets the process run on these CPUs only, "" for those it was started with.
func (s *scheduling) pin(cpus string) error {
	if cpus == "" && !s.pinned {
		return nil
	}
	if s.cpus == nil {
		return errors.New("choose the CPUs of the process: the kernel does not tell the present ones")
	}
	want := *s.cpus
	if cpus != "" {
		want.Zero()
		for _, w := range strings.Fields(cpus) {
			n, err := strconv.Atoi(w)
			if err != nil {
				return fmt.Errorf("CPU %q is no number", w)
			}
			want.Set(n)
		}
	}
	if err := eachThread(os.Getpid(), func(tid int) error { return unix.SchedSetaffinity(tid, &want) }); err != nil {
		return fmt.Errorf("run on CPUs %s only: %w", cpus, err)
	}
	s.pinned = cpus != ""
	return nil
}

// schedule sets the attributes of every thread of a process.
func schedule(pid int, want *unix.SchedAttr) error {
	err := eachThread(pid, func(tid int) error {
		a := *want
		return unix.SchedSetAttr(tid, &a, 0)
	})
	if err != nil {
		return fmt.Errorf("change the priority of process %d: %w (it takes CAP_SYS_NICE, and for real time a control group that may)", pid, err)
	}
	return nil
}

// eachThread does something to every thread of a process. A thread that is started meanwhile has what the thread has that starts it: hence until a
// round finds nothing to do.
func eachThread(pid int, do func(tid int) error) error {
	done := map[int]bool{}
	for again := true; again; {
		again = false
		tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil {
			return err
		}
		for _, t := range tasks {
			tid, err := strconv.Atoi(t.Name())
			if err != nil || done[tid] {
				continue
			}
			done[tid], again = true, true
			if err := do(tid); err != nil && !errors.Is(err, unix.ESRCH) {
				return err
			}
		}
	}
	return nil
}

// reside keeps the memory of this process from being swapped out, page by page as it is first used: a Go program reserves far more than it uses.
func reside(on bool) error {
	if !on {
		return os.NewSyscallError("munlockall", unix.Munlockall())
	}
	// Within a limit a later allocation would fail, and a Go program dies of that.
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil || limit.Cur != unix.RLIM_INFINITY && !mayLock() {
		return errors.New("keep the process in memory: it takes CAP_IPC_LOCK or an unlimited RLIMIT_MEMLOCK")
	}
	if err := unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT); err != nil {
		return fmt.Errorf("keep the process in memory: %w", os.NewSyscallError("mlockall", err))
	}
	return nil
}

func mayLock() bool {
	var data [2]unix.CapUserData
	err := unix.Capget(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &data[0])
	return err == nil && data[0].Effective&(1<<unix.CAP_IPC_LOCK) != 0
}

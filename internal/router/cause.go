package router

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// resources are what the kernel tells of this process and machine, from which the cause of a late timer can be read.
type resources struct {
	// suspended is the time the machine was suspended since its boot.
	suspended time.Duration
	// waited is the longest time that one thread of this process has been ready without having a CPU.
	waited time.Duration
	// stolen is the time the hypervisor gave to others, of all CPUs.
	stolen time.Duration
	// faults are pages that had to be read from a disk.
	faults int64
}

// measureResources reads them; what the kernel does not tell stays 0.
func measureResources() resources {
	r := resources{waited: runDelay(), stolen: stolen()}
	var boot, mono unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &mono) == nil && unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot) == nil {
		r.suspended = time.Duration(boot.Nano() - mono.Nano())
	}
	var usage unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &usage) == nil {
		r.faults = usage.Majflt
	}
	return r
}

// runDelay is the sum over the threads of the second number in schedstat (Documentation/scheduler/sched-stats.rst): nanoseconds on a run queue.
func runDelay() time.Duration {
	files, _ := filepath.Glob("/proc/self/task/*/schedstat")
	var most time.Duration
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		if w := bytes.Fields(b); len(w) >= 2 {
			n, _ := strconv.ParseInt(string(w[1]), 10, 64)
			most += time.Duration(n)
		}
	}
	return most
}

// stolen is the eighth number of the first line of /proc/stat, in hundredths of a second (proc(5)).
func stolen() time.Duration {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	if w := bytes.Fields(line); len(w) > 8 && string(w[0]) == "cpu" {
		n, _ := strconv.ParseInt(string(w[8]), 10, 64)
		return time.Duration(n) * 10 * time.Millisecond
	}
	return 0
}

// causeOf says why a timer was this late, as far as what happened between the two measurements tells; busy is the longest turn of the loop itself meanwhile.
func causeOf(late time.Duration, before, after resources, busy time.Duration) string {
	half := late / 2
	short := func(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
	switch {
	case after.suspended-before.suspended >= half:
		return fmt.Sprintf("the machine was suspended for %s", short(after.suspended-before.suspended))
	case busy >= half:
		return fmt.Sprintf("the router itself was busy for %s", short(busy))
	case after.stolen-before.stolen >= half:
		return fmt.Sprintf("the hypervisor ran others for %s", short(after.stolen-before.stolen))
	case after.waited-before.waited >= half:
		return fmt.Sprintf("the machine is overloaded: the process waited %s for a CPU (vrrp_rt_priority helps)", short(after.waited-before.waited))
	case after.faults-before.faults > 0:
		return fmt.Sprintf("memory is short: %d pages were read from a disk (vrrp_no_swap helps)", after.faults-before.faults)
	}
	return "the process was stopped, or the machine was paused"
}

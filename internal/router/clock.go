package router

import (
	"time"

	"golang.org/x/sys/unix"
)

// monotonicMicros is CLOCK_MONOTONIC as sd_notify(3) wants it.
func monotonicMicros() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0
	}
	return ts.Nano() / 1000
}

// bootTime is the time since the boot, suspended time included: the same for every process, whatever anybody does to the wall clock.
func bootTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// envNamespace says that the process is in the network namespace it was asked to run in.
const envNamespace = "HOLDFAST_NETNS"

// enterNamespace moves the whole process into a network namespace: one thread enters it and the program starts again there, because a
// namespace belongs to a thread and Go's threads are many.
func enterNamespace(name string) error {
	if name == "" || os.Getenv(envNamespace) == name {
		return nil
	}
	path := name
	if !strings.Contains(name, "/") {
		path = "/run/netns/" + name
	}
	f, err := os.Open(path)
	if err != nil {
		return exitError{exitConfig, fmt.Errorf("enter the network namespace %s: %w", name, err)}
	}
	runtime.LockOSThread()
	if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter the network namespace %s: %w", name, err)
	}
	f.Close()
	if err := syscall.Exec("/proc/self/exe", os.Args, append(os.Environ(), envNamespace+"="+name)); err != nil {
		return fmt.Errorf("start again in the network namespace %s: %w", name, err)
	}
	return nil
}

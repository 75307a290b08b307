package router

import "errors"

var (
	// ErrRefused: the daemon was started with a configuration it refuses.
	ErrRefused = errors.New("it has errors, see the lines before")
	// ErrRunning: a router holds the lock of the run directory.
	ErrRunning = errors.New("a router runs with this run directory")
)

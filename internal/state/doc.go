// Package state keeps what outlives a process: verdicts of checks and the sources of the last good configuration in the run directory,
// operators' wishes in the state directory.
//
// Files are replaced as a whole, mode 0600, bounded when read, and believed only for the same boot and network namespace where that
// matters. The package never decides what a stored thing means for the running daemon.
package state

// Package script runs the programs an operator names in the configuration: tracked scripts, MISC_CHECK, notify scripts.
//
// It promises: at most a fixed number of programs run at once; runs under one key never overlap and happen in the order they were
// asked for; every run ends, within its time limit and two seconds, as a whole process group; every child is reaped; what it
// printed is kept up to a limit; it sees no environment that could change its loader or that belongs to the daemon; and a caller
// always gets a [Result] that says which of these things happened. Children die when the daemon dies.
//
// It never interprets what a program means (that a non-zero exit is a failure is the caller's knowledge), never logs, never
// retries, and starts no program once the pool is closed.
package script

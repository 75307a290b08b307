// Package archtest keeps the rooms apart: its test reads every file of the module and fails when a package imports what the design does not allow it,
// or when a pure room reads a clock, sleeps, or touches files, the environment, sockets or processes. It holds no code of the daemon.
package archtest

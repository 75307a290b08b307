// Package recent remembers the last events and hands new ones to those who follow. It never blocks the one who adds: a reader that does
// not read loses events and is told how many.
package recent

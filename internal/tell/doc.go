// Package tell turns what the pure rooms report of themselves into events for operators: one function per kind of report, one event per row of
// the catalogue.
//
// It keeps no state and decides nothing; who else hears of a change is the caller's affair.
package tell

// Package metrics writes the daemon's status in the text format that Prometheus reads.
//
// It promises: everything comes from one control.Status, so metrics and status never disagree; each family is written once, with
// HELP and TYPE, its series together; label values are escaped; the names never change.
//
// It never keeps anything between two calls and never reads the clock.
package metrics

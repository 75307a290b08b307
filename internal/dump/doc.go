// Package dump prints the daemon's state in the three formats of keepalived that exporters and monitoring scripts read: keepalived.data,
// keepalived.stats and keepalived.json, and the checkers' keepalived_check.data.
//
// It is pure: [Source] in, bytes out. Formats are those of keepalived 2.2.7 as measured, with the keys of 2.4.3; what Holdfast does not have
// is left out or 0. It never writes a file.
package dump

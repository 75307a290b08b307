// Package track watches what VRRP priorities depend on besides interfaces: scripts (vrrp_script), numbers in files (track_file) and
// running processes (vrrp_track_process).
//
// It promises: every tracked thing is identified by its ID; a thing that did not change keeps its state, its schedule and its run
// under way over a reload; each change of value is handed out once, in order per ID; a script never runs twice at once; after Close
// nothing is handed out any more.
//
// It never decides what a value means for a priority (package vrrp does), and never blocks the caller of Apply on a script.
package track

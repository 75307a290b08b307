// Package checkers decides whether real servers may get traffic: what to check ([Spec]), what one attempt found ([Result]), what
// a row of attempts means ([Verdict]) and when the next one is due ([Scheduler]).
//
// It promises: keepalived's meaning of delay_loop, retry, delay_before_retry and alpha; one probe at a time per check; changes
// delivered in the order in which they happened; state kept by identity over reload and restart; a panic of a probe contained;
// no goroutine for a check that is idle. Identical probes of several virtual servers run once.
//
// It never opens a socket, runs a program, reads a file or reads the clock: [Prober] and [Clock] are given to it (the real ones
// live in checkers/probe). It imports nothing else of Holdfast and logs nothing: callers get [Change] and [Notice] values.
package checkers

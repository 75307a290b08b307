// Package control is how people and scripts talk to the running daemon: a Unix socket in the run directory that takes one JSON request
// per connection and answers with one JSON line, or with a stream of them (events).
//
// It promises: bounded requests, a deadline on every read and write, a bounded number of connections, and that a slow or hostile
// client costs nothing but its own connection. It never decides anything: every request goes to a [Handler].
package control

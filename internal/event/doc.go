// Package event holds the catalogue of everything Holdfast tells its operators, and the bus that carries it.
//
// One row of the catalogue ([Kind]) is one thing that can happen: a constant id that never changes, a level, a constant
// message and the names of its fields. Code that sees it happen calls [Kind.With] with the values in the order of the names and
// hands the [Event] to a [Bus]. Logs, counters, the ring of recent events and notifications are sinks of the bus: one truth,
// several views. The package never blocks, never logs by itself and never reads the clock except to stamp an event.
package event

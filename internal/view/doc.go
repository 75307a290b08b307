// Package view writes what the daemon tells for people: the status as tables with a summary before them, events as lines.
//
// The first lines say how things are, whatever the number of objects; nothing here asks the daemon or judges more than the daemon did.
package view

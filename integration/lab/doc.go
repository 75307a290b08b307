// Package lab builds directors, real servers and clients out of network namespaces, starts Holdfast or keepalived in them, and watches what a client and a wire tap see.
//
// It promises that everything it makes is gone when the scenario ends (namespaces have no name: they die with the process at the latest), that it signals only
// processes it started, and that every wait is a poll with a generous deadline. It never touches the machine's own network namespace and never asks a daemon
// about itself to decide whether a scenario holds.
package lab

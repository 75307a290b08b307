// Package vrrpnet does what package vrrp decides: it opens the sockets adverts travel on, sends gratuitous ARP and unsolicited neighbour
// advertisements, adds and removes addresses, and tells what happens to links and addresses.
//
// It decides nothing. [Wire] reads and writes packets without ever waiting, so that the router's loop may call it. [Addresses] writes to
// the kernel and may take its time, so it belongs to the router's kernel goroutine. [Watch] follows the kernel's interfaces. Everything
// lives in the network namespace of the thread that made it.
package vrrpnet

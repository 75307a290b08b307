#!/bin/sh
# A real server behind direct routing: it owns the virtual address too, but nobody may hear of it.
set -e
sysctl -w net.ipv4.conf.all.arp_ignore=1   # answer ARP only for addresses of the interface that was asked
sysctl -w net.ipv4.conf.all.arp_announce=2 # never name the virtual address as our own
ip addr replace 192.0.2.100/32 dev lo

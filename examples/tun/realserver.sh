#!/bin/sh
# A real server behind tunnelling: packets come wrapped in IP; tunl0 unwraps them.
set -e
modprobe ipip
ip link set tunl0 up
ip addr replace 192.0.2.100/32 dev tunl0
sysctl -w net.ipv4.conf.all.arp_ignore=1
sysctl -w net.ipv4.conf.all.arp_announce=2
sysctl -w net.ipv4.conf.all.rp_filter=0
sysctl -w net.ipv4.conf.tunl0.rp_filter=0

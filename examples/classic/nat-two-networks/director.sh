#!/bin/sh
# A director that forwards by NAT routes between its two networks.
set -e
sysctl -w net.ipv4.ip_forward=1

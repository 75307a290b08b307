#!/bin/sh
# A real server behind NAT: its answers go back through the director that serves now.
set -e
ip route replace default via 10.0.0.1

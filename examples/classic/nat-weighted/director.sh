#!/bin/sh
# A director that forwards by NAT routes between its two networks. Everything else that asks the virtual address is refused, so that nothing of the director
# itself is reached by it: IPVS takes what is its own, FTP's data connections too, at priority 98 and 99 of this hook, and what is left comes to 110.
set -e
sysctl -w net.ipv4.ip_forward=1
nft -f - <<RULES
table inet classic
delete table inet classic
table inet classic {
    chain input {
        type filter hook input priority 110; policy accept;
        ip daddr 202.103.106.5 meta l4proto tcp reject with tcp reset
        ip daddr 202.103.106.5 meta l4proto udp reject
    }
}
RULES

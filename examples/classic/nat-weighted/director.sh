#!/bin/sh
# A director that forwards by NAT routes between its two networks. Other ports of the virtual address are refused, so that nothing of the director itself
# is reached by it; "related" are FTP's data connections.
set -e
sysctl -w net.ipv4.ip_forward=1
nft -f - <<RULES
table inet classic
delete table inet classic
table inet classic {
    chain input {
        type filter hook input priority 0; policy accept;
        ip daddr 202.103.106.5 ct state established,related accept
        ip daddr 202.103.106.5 tcp dport { 21, 80 } accept
        ip daddr 202.103.106.5 meta l4proto tcp reject with tcp reset
        ip daddr 202.103.106.5 meta l4proto udp reject
    }
}
RULES

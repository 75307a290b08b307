package ipvstest

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/holdfast-ha/holdfast/ipvssync"
)

// String prints the table like `ipvsadm -Sn`, services ordered by key.
func (k *Kernel) String() string { return Print(k.Table()) }

// Print prints services like `ipvsadm -Sn` of version 1.31, which does not tell connection limits.
func Print(table []ipvssync.Service) string {
	var b strings.Builder
	for _, s := range table {
		fmt.Fprintf(&b, "-A %s -s %s", printKey(s.Key), s.Scheduler)
		if s.Persistence > 0 {
			fmt.Fprintf(&b, " -p %d", s.Persistence)
			if s.Mask != 0 && int(s.Mask) != s.Family.Bits() {
				fmt.Fprintf(&b, " -M %s", printMask(s))
			}
			if s.Engine != "" {
				fmt.Fprintf(&b, " --pe %s", s.Engine)
			}
		}
		if s.Flags&ipvssync.OnePacket != 0 {
			b.WriteString(" -o")
		}
		if f := printFlags(s); f != "" {
			fmt.Fprintf(&b, " -b %s", f)
		}
		b.WriteByte('\n')
		for _, d := range s.Servers {
			forward, tunnel := printForward(d)
			fmt.Fprintf(&b, "-a %s -r %s %s -w %d%s\n", printKey(s.Key), d.Addr, forward, d.Weight, tunnel)
		}
	}
	return b.String()
}

func printKey(k ipvssync.Key) string {
	switch {
	case k.Mark != 0 && k.Family == ipvssync.IPv6:
		return fmt.Sprintf("-f %d -6", k.Mark)
	case k.Mark != 0:
		return fmt.Sprintf("-f %d", k.Mark)
	}
	opt := map[ipvssync.Protocol]string{ipvssync.TCP: "-t", ipvssync.UDP: "-u", ipvssync.SCTP: "--sctp-service"}[k.Protocol]
	return opt + " " + netip.AddrPortFrom(k.Addr, k.Port).String()
}

func printMask(s ipvssync.Service) string {
	if s.Family == ipvssync.IPv6 {
		return fmt.Sprint(s.Mask)
	}
	m := ^uint32(0) << (32 - s.Mask)
	return netip.AddrFrom4([4]byte{byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)}).String()
}

func printFlags(s ipvssync.Service) string {
	names := [3]string{"flag-1", "flag-2", "flag-3"}
	if s.Scheduler == "sh" || s.Scheduler == "mh" {
		names[0], names[1] = s.Scheduler+"-fallback", s.Scheduler+"-port"
	}
	var set []string
	for i, f := range []ipvssync.Flags{ipvssync.Sched1, ipvssync.Sched2, ipvssync.Sched3} {
		if s.Flags&f != 0 {
			set = append(set, names[i])
		}
	}
	return strings.Join(set, ",")
}

func printForward(d ipvssync.Server) (forward, tunnel string) {
	switch d.Forward {
	case ipvssync.DR:
		return "-g", ""
	case ipvssync.TUN:
		switch d.Tunnel.Type {
		case ipvssync.GUE:
			return "-i", fmt.Sprintf(" --tun-type gue --tun-port %d --tun-%s", d.Tunnel.Port, printCsum(d.Tunnel))
		case ipvssync.GRE:
			return "-i", " --tun-type gre --tun-" + printCsum(d.Tunnel)
		}
		return "-i", " --tun-type ipip"
	}
	return "-m", ""
}

func printCsum(t ipvssync.Tunnel) string {
	switch {
	case t.Flags&ipvssync.TunnelRemCsum != 0:
		return "remcsum"
	case t.Flags&ipvssync.TunnelCsum != 0:
		return "csum"
	}
	return "nocsum"
}

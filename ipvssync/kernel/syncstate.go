package kernel

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/holdfast-ha/holdfast/ipvssync"
)

// SyncState implements ipvssync.Kernel. The kernel keeps no counters for its daemons; this is what its tables of connections and of UDP
// sockets show (kernel: ip_vs_conn_sync in net/netfilter/ipvs/ip_vs_conn.c, udp4_format_sock in net/ipv4/udp.c).
func (k *Kernel) SyncState(ctx context.Context) (s ipvssync.SyncState, err error) {
	daemons, err := listDaemons(ctx)
	if err != nil {
		return s, err
	}
	for _, name := range []string{"udp", "udp6"} {
		b, err := os.ReadFile("/proc/thread-self/net/" + name)
		if err != nil {
			continue // a kernel without IPv6
		}
		addSockets(&s, string(b), daemons)
	}
	f, err := os.Open("/proc/thread-self/net/ip_vs_conn_sync")
	if errors.Is(err, fs.ErrNotExist) {
		return s, ipvssync.ErrNoIPVS
	}
	if err != nil {
		return s, fmt.Errorf("count the connections that were synchronised: %w", err)
	}
	defer f.Close()
	if err := addConnections(&s, f, ipvssync.SyncCounted); err != nil {
		return s, fmt.Errorf("count the connections that were synchronised: %w", err)
	}
	return s, ctx.Err()
}

// listDaemons asks through sockets of its own, because the owner of the others may be busy.
func listDaemons(ctx context.Context) ([]ipvssync.SyncDaemon, error) {
	k := Open()
	defer k.Close()
	return k.SyncDaemons(ctx)
}

// addConnections counts lines of ip_vs_conn_sync by their origin.
func addConnections(s *ipvssync.SyncState, r io.Reader, most int) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		b := lines.Bytes()
		switch {
		case bytes.Contains(b, []byte(" SYNC ")):
			s.Learned++
		case bytes.Contains(b, []byte(" LOCAL ")):
			s.Own++
		default:
			continue // the heading
		}
		if s.Learned+s.Own >= most {
			s.More = lines.Scan()
			break
		}
	}
	return lines.Err()
}

// addSockets finds the daemons' sockets in a table of UDP sockets by group and port: a backup's is bound to them, a master's connected.
func addSockets(s *ipvssync.SyncState, table string, daemons []ipvssync.SyncDaemon) {
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) < 13 {
			continue
		}
		local, okLocal := hexEndpoint(f[1])
		remote, okRemote := hexEndpoint(f[2])
		out, in, okQueues := strings.Cut(f[4], ":")
		if !okLocal || !okRemote || !okQueues {
			continue
		}
		for _, d := range daemons {
			d = d.WithDefaults()
			group := netip.AddrPortFrom(d.Group, d.Port)
			switch {
			case d.Role == ipvssync.SyncBackup && local == group:
				s.Waiting += number(in, 16)
				s.Dropped += number(f[12], 10)
			case d.Role == ipvssync.SyncMaster && remote == group:
				s.Unsent += number(out, 16)
			}
		}
	}
}

func number(text string, base int) uint64 {
	n, _ := strconv.ParseUint(text, base, 64)
	return n
}

// hexEndpoint reads an address and port as /proc/net/udp writes them: the address in 32-bit numbers of the machine's own order.
func hexEndpoint(text string) (netip.AddrPort, bool) {
	host, port, ok := strings.Cut(text, ":")
	if !ok || len(host) != 8 && len(host) != 32 || len(port) != 4 {
		return netip.AddrPort{}, false
	}
	var b []byte
	for i := 0; i < len(host); i += 8 {
		v, err := strconv.ParseUint(host[i:i+8], 16, 32)
		if err != nil {
			return netip.AddrPort{}, false
		}
		b = binary.NativeEndian.AppendUint32(b, uint32(v))
	}
	p, err := strconv.ParseUint(port, 16, 16)
	a, _ := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(a, uint16(p)), err == nil
}

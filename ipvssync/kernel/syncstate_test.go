package kernel

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/holdfast-ha/holdfast/ipvssync"
)

// asKernel writes an address as /proc/net/udp does on this machine.
func asKernel(a netip.AddrPort) string {
	var b strings.Builder
	for raw := a.Addr().AsSlice(); len(raw) > 0; raw = raw[4:] {
		fmt.Fprintf(&b, "%08X", binary.NativeEndian.Uint32(raw))
	}
	return fmt.Sprintf("%s:%04X", b.String(), a.Port())
}

func TestSyncSockets(t *testing.T) {
	ap := netip.MustParseAddrPort
	line := func(local, remote, queues string, drops int) string {
		return fmt.Sprintf(" 7: %s %s 07 %s 00:00000000 00000000     0        0 1 2 00000000abcdef00 %d\n", asKernel(ap(local)), asKernel(ap(remote)), queues, drops)
	}
	four := "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n" +
		line("224.0.0.81:8848", "0.0.0.0:0", "00000000:00000A00", 12) + // the backup's
		line("10.0.0.1:40000", "224.0.0.81:8848", "00000300:00000000", 99) + // the master's
		line("224.0.0.81:8849", "0.0.0.0:0", "00000000:000000FF", 5) + // somebody else's
		" broken\n"
	six := line("[ff02::99]:9000", "[::]:0", "00000000:00000001", 4)
	d4 := []ipvssync.SyncDaemon{{Role: ipvssync.SyncMaster, Interface: "eth0"}, {Role: ipvssync.SyncBackup, Interface: "eth0"}}
	d6 := []ipvssync.SyncDaemon{{Role: ipvssync.SyncBackup, Interface: "eth0", Group: netip.MustParseAddr("ff02::99"), Port: 9000}}
	for _, c := range []struct {
		table   string
		daemons []ipvssync.SyncDaemon
		want    ipvssync.SyncState
	}{
		{four, d4, ipvssync.SyncState{Dropped: 12, Waiting: 0xa00, Unsent: 0x300}}, {four, d4[:1], ipvssync.SyncState{Unsent: 0x300}},
		{four, nil, ipvssync.SyncState{}}, {six, d6, ipvssync.SyncState{Dropped: 4, Waiting: 1}}, {six, d4, ipvssync.SyncState{}},
	} {
		var s ipvssync.SyncState
		if addSockets(&s, c.table, c.daemons); s != c.want {
			t.Errorf("%v gives %+v, not %+v", c.daemons, s, c.want)
		}
	}
}

func TestSyncConnections(t *testing.T) {
	table := "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Origin Expires\n" +
		"TCP 0A4D0032 9C40 0A4D0064 0050 0A4E0015 0050 ESTABLISHED LOCAL      899\n" +
		strings.Repeat("TCP 0A4D0032 9C42 0A4D0064 0050 0A4E0015 0050 ESTABLISHED SYNC       180\n", 3)
	for most, want := range map[int]ipvssync.SyncState{100: {Learned: 3, Own: 1}, 4: {Learned: 3, Own: 1}, 2: {Learned: 1, Own: 1, More: true}} {
		var s ipvssync.SyncState
		if err := addConnections(&s, strings.NewReader(table), most); err != nil || s != want {
			t.Errorf("at most %d: %+v, %v", most, s, err)
		}
	}
}

package ipvssync

import (
	"cmp"
	"net/netip"
)

// The kernel's defaults for a sync daemon (kernel: IP_VS_SYNC_PORT, IP_VS_SYNC_GROUP).
const syncPort = 8848

var syncGroup = netip.AddrFrom4([4]byte{224, 0, 0, 81})

// WithDefaults fills in what the kernel uses where nothing is said, so that a daemon as wanted compares equal to the same one
// read back. MaxLen stays as it is: its default depends on the interface.
func (d SyncDaemon) WithDefaults() SyncDaemon {
	if !d.Group.IsValid() {
		d.Group = syncGroup
	}
	d.Port = cmp.Or(d.Port, syncPort)
	d.TTL = cmp.Or(d.TTL, 1)
	return d
}

// Same says whether a running daemon is the wanted one. A wanted MaxLen of 0 matches every length.
func (d SyncDaemon) Same(running SyncDaemon) bool {
	a, b := d.WithDefaults(), running.WithDefaults()
	if a.MaxLen == 0 {
		b.MaxLen = 0
	}
	return a == b
}

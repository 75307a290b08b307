package reconcile

import (
	"context"
	"os"
	"path/filepath"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

// Recorded says whether a process recorded in the run directory that something in IPVS is its own.
func Recorded(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "ipvs.json"))
	return err == nil
}

// Release removes what a process that is gone recorded in the run directory as its own: services, the FULLNAT table, synchronisation
// daemons, and settings that nobody changed since. A record of another boot or network namespace (host) is not believed. The caller
// knows that no other process works on that directory. It answers how many services the record named.
func Release(ctx context.Context, k ipvssync.Kernel, dir, host string, bus *event.Bus) (services int, err error) {
	r := New(k, Options{Bus: bus, Dir: dir, Host: host})
	services = len(r.record.owned)
	return services, r.release(ctx, false)
}

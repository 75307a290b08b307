package reconcile

import (
	"context"
	"errors"

	"github.com/holdfast-ha/holdfast/ipvssync"
)

// Empty removes every service there is, whoever made it (lvs_flush_on_stop). A kernel without IPVS has none. The Reconciler must have ended before:
// it would put its own back.
func Empty(ctx context.Context, k ipvssync.Kernel) error {
	all, err := k.Services(ctx)
	if errors.Is(err, ipvssync.ErrNoIPVS) {
		return nil
	}
	for _, s := range all {
		if e := k.Apply(ctx, ipvssync.Op{Kind: ipvssync.DeleteService, Service: s}); !errors.Is(e, ipvssync.ErrNotFound) {
			err = errors.Join(err, e)
		}
	}
	return err
}

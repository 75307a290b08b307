package router

import (
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/vrrp"
)

// TestSequencesOutliveTheRouter: what a former router remembered is given to the machines before the first configuration, and what they add is
// stored, an orderly stop included.
func TestSequencesOutliveTheRouter(t *testing.T) {
	c := oneInstance()
	c.Instances[0].HMAC = &vrrp.HMAC{Keys: []vrrp.HMACKey{{ID: 1, Key: make([]byte, 32)}}, Active: 1, Mode: vrrp.HMACEnforce, Monotonic: true, Window: 5 * time.Second}
	future := uint64(time.Now().Add(time.Hour).Unix()) << 32
	store := &memoryStore{marks: []vrrp.Sequences{{ID: c.Instances[0].ID(), Sent: future}}}
	r := start(t, store, eth0())
	b := r.balancer()
	b.apply(1, c)
	b.wait("MASTER", transitionTo(vrrp.Master))
	r.until("the sequences rise from where they were", func() bool {
		store.mu.Lock()
		defer store.mu.Unlock()
		return len(store.marks) == 1 && store.marks[0].Sent > future && store.marks[0].Sent < future+1<<16
	})
}

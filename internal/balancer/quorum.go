package balancer

import (
	"maps"
	"slices"
	"time"

	"github.com/holdfast-ha/holdfast/internal/assemble"
	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// quorumTrack is a tracked virtual server: what the router was told last, and since when.
type quorumTrack struct {
	ok    bool
	since time.Time
}

// sendQuorums tells the router of tracked virtual servers whose quorum came or went; with all, of every one.
func (d *daemon) sendQuorums(all bool) {
	if d.quorums == nil || all {
		old := d.quorums
		d.quorums = map[string]quorumTrack{}
		for id := range assemble.TrackedPools(d.in.model) {
			if q, ok := old[id]; ok {
				d.quorums[id] = q
			}
		}
	}
	for id, pools := range d.trackedPools {
		ok := true
		for _, pool := range pools {
			if p := d.pools[pool]; p != nil {
				ok = ok && p.Status().Quorum
			}
		}
		if q, known := d.quorums[id]; !known || q.ok != ok {
			d.quorums[id] = quorumTrack{ok, time.Now()}
		} else if !all {
			continue
		}
		d.conn.Send(seam.Message{Track: &vrrp.Track{ID: id, Known: true, OK: ok}})
	}
}

// trackedQuorums is what status shows of them.
func (d *daemon) trackedQuorums() (out []control.Tracked) {
	for _, id := range slices.Sorted(maps.Keys(d.quorums)) {
		q := d.quorums[id]
		reason := "quorum held"
		if !q.ok {
			reason = "quorum lost"
		}
		out = append(out, control.Tracked{ID: id, Known: true, OK: q.ok, Reason: reason, Since: q.since})
	}
	return out
}

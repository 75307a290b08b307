package balancer

import "github.com/holdfast-ha/holdfast/internal/control"

// trackedQuorums is what status shows of tracked virtual servers.
func (d *daemon) trackedQuorums() (out []control.Tracked) {
	for _, q := range d.pools.Quorums() {
		reason := "quorum held"
		if !q.OK {
			reason = "quorum lost"
		}
		out = append(out, control.Tracked{ID: q.ID, Known: true, OK: q.OK, Reason: reason, Since: q.Since})
	}
	return out
}

package balancer

import (
	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/internal/assemble"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/internal/track"
	"github.com/holdfast-ha/holdfast/vrrp"
)

func (d *daemon) sendTrack(v track.Value) {
	d.conn.Send(seam.Message{Track: &vrrp.Track{ID: v.ID, Known: v.Known, OK: v.OK, Value: v.Value}})
}

// onFile has the checks of a tracked file look at once.
func (d *daemon) onFile(id string) {
	if path := assemble.TrackedPath(d.in.Model, id); path != "" {
		d.sched.CheckNow(func(c *checkers.Spec) bool { return c.Probe.Kind == checkers.File && c.Probe.Asks() == path })
	}
}

// onVRRPNotice sees what happens to an instance that changes no state.
func (d *daemon) onVRRPNotice(n vrrp.Notice) {
	switch n.Kind {
	case "master_rx_lower_pri":
		d.outside.LowerPriority(n)
	case "priority":
		d.outside.Priority(d.router.Instance(n.ID))
	}
}

// tellMissed tells what changed while nobody could be told.
func (d *daemon) tellMissed() {
	if !d.stopping && d.started {
		d.outside.Sync(d.router.Instances(), d.in.VRRP.Groups, d.pools.All())
	}
}

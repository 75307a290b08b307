package balancer

import (
	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/assemble"
	"github.com/holdfast-ha/holdfast/internal/outside"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/internal/track"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// outsideSpec is what a configuration wants watched besides servers, and who is to be told.
func outsideSpec(m *config.Model) outside.Spec {
	s := outside.Spec{Notify: assemble.Notify(m)}
	s.Scripts, s.Files, s.Processes = assemble.Tracks(m)
	return s
}

func (d *daemon) sendTrack(v track.Value) {
	d.conn.Send(seam.Message{Track: &vrrp.Track{ID: v.ID, Known: v.Known, OK: v.OK, Value: v.Value}})
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
		d.outside.Sync(d.router.Instances(), d.in.vrrp.Groups, d.pools.All())
	}
}

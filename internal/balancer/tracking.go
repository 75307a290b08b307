package balancer

import (
	"reflect"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/ipvssync"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// startTracking and stopTracking frame the life of the balancer.
func (d *daemon) startTracking() {}
func (d *daemon) stopTracking()  {}

// applyTracking makes exactly what the model names be watched and notified: the last step of a change.
func (d *daemon) applyTracking(m *config.Model) {}

// resendTracks tells a router that began anew every value.
func (d *daemon) resendTracks() {}

// sameTracking says that two models ask for the same tracking and notifying.
func sameTracking(old, new *config.Model) bool {
	return reflect.DeepEqual(old.Scripts, new.Scripts) && reflect.DeepEqual(old.TrackFiles, new.TrackFiles) && reflect.DeepEqual(old.TrackProcesses, new.TrackProcesses)
}

// onTransition sees every change of state of an instance.
func (d *daemon) onTransition(t vrrp.Transition) {}

// onVerdict sees every check that changed its mind.
func (d *daemon) onVerdict(c checkers.Change) {}

// onPoolChange sees what happens to a pool: servers up and down, quorum gained and lost, in order.
func (d *daemon) onPoolChange(pool string, c ipvssync.Change) {}

// onStopping is the last moment at which notifications can be sent; IPVS is still as it was.
func (d *daemon) onStopping() {}

// tracked is what status shows of scripts, files and processes.
func (d *daemon) tracked() []control.Tracked { return nil }

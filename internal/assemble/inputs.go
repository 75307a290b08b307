package assemble

import (
	"reflect"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/outside"
	"github.com/holdfast-ha/holdfast/ipvssync"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// Inputs are what one configuration means for every room.
type Inputs struct {
	Model   *config.Model
	VRRP    vrrp.Config
	Pools   []ipvssync.VirtualServer
	Checks  []checkers.Spec
	Outside outside.Spec
}

// All assembles everything.
func All(m *config.Model) Inputs {
	in := Inputs{Model: m, VRRP: VRRP(m), Pools: VirtualServers(m), Checks: Checks(m), Outside: outside.Spec{Notify: Notify(m)}}
	in.Outside.Scripts, in.Outside.Files, in.Outside.Processes = Tracks(m)
	return in
}

// Same says that two configurations ask for the same in every room.
func (in Inputs) Same(o Inputs) bool {
	return reflect.DeepEqual(in.VRRP, o.VRRP) && reflect.DeepEqual(in.Pools, o.Pools) && reflect.DeepEqual(in.Checks, o.Checks) &&
		in.Outside.Equal(o.Outside) &&
		config.Same(LVSSync(in.Model), LVSSync(o.Model)) && Timeouts(in.Model) == Timeouts(o.Model) &&
		reflect.DeepEqual(IPVSSysctls(in.Model), IPVSSysctls(o.Model)) &&
		reflect.DeepEqual(MasterOnly(in.Model), MasterOnly(o.Model)) &&
		reflect.DeepEqual(HASuspend(in.Model), HASuspend(o.Model))
}

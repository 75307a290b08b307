package balancer

import (
	"reflect"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/assemble"
	"github.com/holdfast-ha/holdfast/ipvssync"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// inputs are what one configuration means for the rooms.
type inputs struct {
	model  *config.Model
	diags  config.Diagnostics
	vrrp   vrrp.Config
	pools  []ipvssync.VirtualServer
	checks []checkers.Spec
	names  assemble.CheckNames
	// plan is what leads here from the configuration that was in force when this one was read: what holdfast plan shows.
	plan []config.Change
}

func newInputs(m *config.Model, diags config.Diagnostics) inputs {
	return inputs{model: m, diags: diags, vrrp: assemble.VRRP(m), pools: assemble.VirtualServers(m), checks: assemble.Checks(m), names: assemble.NamesOf(m)}
}

// same says that two configurations ask for the same in every room.
func same(old, new inputs) bool {
	return reflect.DeepEqual(old.vrrp, new.vrrp) && reflect.DeepEqual(old.pools, new.pools) && reflect.DeepEqual(old.checks, new.checks) &&
		config.Same(assemble.LVSSync(old.model), assemble.LVSSync(new.model)) && assemble.Timeouts(old.model) == assemble.Timeouts(new.model) &&
		reflect.DeepEqual(assemble.IPVSSysctls(old.model), assemble.IPVSSysctls(new.model)) &&
		reflect.DeepEqual(assemble.MasterOnly(old.model), assemble.MasterOnly(new.model)) &&
		reflect.DeepEqual(assemble.HASuspend(old.model), assemble.HASuspend(new.model)) && outsideSpec(old.model).Equal(outsideSpec(new.model))
}

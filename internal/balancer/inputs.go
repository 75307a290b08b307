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
}

func newInputs(m *config.Model, diags config.Diagnostics) inputs {
	return inputs{model: m, diags: diags, vrrp: assemble.VRRP(m), pools: assemble.VirtualServers(m), checks: assemble.Checks(m), names: assemble.NamesOf(m)}
}

// changes count the objects in which two configurations differ, for people.
func changes(old, new inputs) int {
	n := differing(old.vrrp.Instances, new.vrrp.Instances, func(i vrrp.Instance) any { return i.ID() }) +
		differing(old.vrrp.Groups, new.vrrp.Groups, func(g vrrp.Group) any { return g.Name }) +
		differing(old.vrrp.Statics, new.vrrp.Statics, func(a vrrp.Address) any { return a.Prefix }) +
		differing(old.pools, new.pools, func(v ipvssync.VirtualServer) any { return v.ID }) +
		differing(old.checks, new.checks, func(c checkers.Spec) any { return c.ID })
	if n == 0 && !same(old, new) {
		n = 1
	}
	return n
}

// same says that two configurations ask for the same in every room.
func same(old, new inputs) bool {
	return reflect.DeepEqual(old.vrrp, new.vrrp) && reflect.DeepEqual(old.pools, new.pools) && reflect.DeepEqual(old.checks, new.checks) &&
		config.Same(assemble.LVSSync(old.model), assemble.LVSSync(new.model)) && assemble.Timeouts(old.model) == assemble.Timeouts(new.model) &&
		reflect.DeepEqual(assemble.IPVSSysctls(old.model), assemble.IPVSSysctls(new.model)) &&
		reflect.DeepEqual(assemble.MasterOnly(old.model), assemble.MasterOnly(new.model)) &&
		reflect.DeepEqual(assemble.HASuspend(old.model), assemble.HASuspend(new.model)) && sameTracking(old.model, new.model)
}

func differing[T any](old, new []T, id func(T) any) int {
	before := make(map[any]T, len(old))
	for _, o := range old {
		before[id(o)] = o
	}
	n := 0
	for _, v := range new {
		o, had := before[id(v)]
		if !had || !reflect.DeepEqual(o, v) {
			n++
		}
		delete(before, id(v))
	}
	return n + len(before)
}

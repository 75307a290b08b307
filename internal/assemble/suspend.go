package assemble

import (
	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// Suspended are the checks as they should run now: those of a virtual server with ha_suspend rest while its address is a virtual address of
// an instance that is not MASTER here. Without such a virtual server specs itself is the answer.
func Suspended(m *config.Model, specs []checkers.Spec, c vrrp.Config, isMaster func(vrrp.ID) bool) []checkers.Spec {
	resting := map[string]bool{}
	eachVirtualServer(m, func(id string, vs *config.VirtualServer) {
		if !vs.HASuspend || !vs.Addr.IsValid() {
			return
		}
		for _, in := range c.Instances {
			for _, a := range in.Addresses {
				if a.Prefix.Addr() == vs.Addr && !isMaster(in.ID()) {
					resting[id] = true
				}
			}
		}
	})
	if len(resting) == 0 {
		return specs
	}
	out := append([]checkers.Spec(nil), specs...)
	for i := range out {
		out[i].Suspended = resting[out[i].ID.Virtual]
	}
	return out
}

// HASuspend are the ids of the virtual servers with ha_suspend: their checks depend on who is MASTER.
func HASuspend(m *config.Model) (ids []string) {
	eachVirtualServer(m, func(id string, vs *config.VirtualServer) {
		if vs.HASuspend {
			ids = append(ids, id)
		}
	})
	return ids
}

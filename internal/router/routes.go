package router

import (
	"maps"
	"slices"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/vrrp"
	"github.com/holdfast-ha/holdfast/vrrp/vrrpnet"
)

// holdRoutes has the kernel goroutine make the owner's routes and rules exactly these. It costs nothing for owners that never had any.
func (r *loop) holdRoutes(owner string, routes []vrrp.Route, rules []vrrp.Rule) {
	if len(routes)+len(rules) == 0 && !r.routed[owner] {
		return
	}
	r.routed[owner] = len(routes)+len(rules) > 0
	r.queue.add(func() func() {
		err := r.Kernel.HoldRoutes(owner, routes, rules)
		return func() { r.routeProblem(err) }
	})
}

// refreshRoutes adds again what somebody removed or an interface took along when it went down. What is told is told in the owner's name, and the machines
// count it as taken; quiet says that nobody is to blame. What fails is tried once more by the next housekeeping before it is told.
func (r *loop) refreshRoutes(quiet bool) {
	last := r.routesDue
	if !slices.Contains(slices.Collect(maps.Values(r.routed)), true) {
		return
	}
	r.queue.add(func() func() {
		restored, err := r.Kernel.RefreshRoutes()
		return func() {
			if err != nil && !last { // what it needs may be on its way back
				r.routesDue = true
			} else {
				r.routesDue = false
				r.routeProblem(err)
			}
			if !quiet {
				r.onRestored(restored)
			}
		}
	})
}

func (r *loop) onRestored(list []vrrpnet.RestoredRoute) {
	for _, x := range list {
		if x.Owner == staticOwner {
			r.tell(event.RouteRestored.With(staticOwner, x.What))
			continue
		}
		for id := range r.instances {
			if id.String() == x.Owner {
				r.tell(event.RouteRestored.With(r.name(id), x.What))
				r.do(r.machines.Step(time.Now(), vrrp.Taken{ID: id, What: x.What}))
			}
		}
	}
}

// routeProblem tells a problem once, until it changes.
func (r *loop) routeProblem(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != r.routeErr {
		r.routeErr = text
		r.kernelProblem("routes", err)
	}
}

// removeRoutes takes away what a former router left of an instance.
func (r *loop) removeRoutes(c *vrrp.Config, id vrrp.ID) {
	if c == nil {
		return
	}
	for _, i := range c.Instances {
		if i.ID() == id && len(i.Routes)+len(i.Rules) > 0 {
			r.queue.add(func() func() {
				err := r.Kernel.RemoveRoutes(i.Routes, i.Rules)
				return func() { r.routeProblem(err) }
			})
		}
	}
}

package router

import (
	"maps"
	"slices"

	"github.com/holdfast-ha/holdfast/vrrp"
	"github.com/holdfast-ha/holdfast/vrrp/vrrpnet"
)

// home is the interface that carries the addresses of an instance.
func (r *loop) home(id vrrp.ID) string {
	i := r.instance(id)
	if i.Interface == "" { // of a configuration before the last
		return id.Interface
	}
	return home(i)
}

// vmacsOf are the virtual MAC interfaces that a configuration needs.
func vmacsOf(c *vrrp.Config) []vrrpnet.MACVLAN {
	var want []vrrpnet.MACVLAN
	for _, i := range c.Instances {
		if i.VMAC.Name != "" {
			want = append(want, vrrpnet.MACVLAN{VMAC: i.VMAC, Parent: i.Interface})
		}
	}
	return want
}

// makeVMACs has the kernel goroutine make the virtual MAC interfaces of the configuration, when they changed or when the interface named below
// one of them came (back).
func (r *loop) makeVMACs(came string) {
	want := vmacsOf(r.config)
	if slices.Equal(want, r.vmacs) && !slices.ContainsFunc(want, func(m vrrpnet.MACVLAN) bool { return m.Parent == came }) {
		return
	}
	r.vmacs = want
	r.queue.add(func() func() {
		changed, err := r.Kernel.MakeVMACs(want)
		return func() {
			r.kernelProblem("use_vmac", err)
			if r.settings == nil {
				r.settings = map[string]string{}
			}
			for at, was := range changed {
				if _, known := r.settings[at]; !known {
					r.settings[at] = was
					r.dirty = true
				}
			}
		}
	})
}

// switchVMAC brings the virtual MAC interface of an instance up before its addresses come, and down before they go, so that nothing is sent from
// the MAC any more when a successor has it.
func (r *loop) switchVMAC(id vrrp.ID, up bool) {
	name := r.instance(id).VMAC.Name
	if name == "" || r.switched[name] == up {
		return
	}
	r.switched[name] = up
	r.queue.add(func() func() {
		err := r.Kernel.SwitchVMAC(name, up)
		if err == nil {
			return nil
		}
		return func() {
			delete(r.switched, name)
			r.kernelProblem("use_vmac", err)
			if up && len(r.held[id]) > 0 {
				r.trouble(id, troubleKernel, err.Error())
			}
		}
	})
}

// vmacCame announces what is on a virtual MAC interface that was not known yet when its instance became MASTER.
func (r *loop) vmacCame(name string) {
	for id, held := range r.held {
		if r.instance(id).VMAC.Name == name {
			r.announce(id, held, 2)
		}
	}
}

// vmacGone makes a virtual MAC interface again that somebody removed.
func (r *loop) vmacGone(name string) {
	for id, i := range r.instances {
		if _, there := r.interfaces[i.Interface]; i.VMAC.Name != name || !there {
			continue
		}
		delete(r.switched, name)
		r.vmacs = nil
		r.makeVMACs("")
		if len(r.held[id]) > 0 {
			r.switchVMAC(id, true)
			r.queue.add(func() func() {
				err := r.Kernel.Refresh() // adds what went with it
				return func() { r.kernelProblem("use_vmac", err) }
			})
		}
	}
}

// settleVMACs switches off what a former router left on for instances that are not MASTER here.
func (r *loop) settleVMACs() {
	for id, i := range r.instances {
		if i.VMAC.Name != "" && len(r.held[id]) == 0 && r.interfaces[i.VMAC.Name].Up && !r.switched[i.VMAC.Name] {
			r.switched[i.VMAC.Name] = true
			r.switchVMAC(id, false)
		}
	}
}

// moveHome moves held addresses when a reload gave the instance a virtual MAC or took it away.
func (r *loop) moveHome() {
	for _, id := range slices.Collect(maps.Keys(r.held)) {
		now, was := r.instances[id], r.former[id]
		if now.Interface == "" || was.Interface == "" || home(now) == home(was) {
			continue
		}
		r.holdFor(vrrp.Hold{ID: id, Addresses: now.Addresses, Routes: now.Routes, Rules: now.Rules, NoAccept: now.NoAccept && now.Priority != 255})
		r.announce(id, onInterface(home(now), now.Addresses), max(now.Gratuitous.Repeat, 1))
	}
}

// removeVMACs undoes everything about virtual MACs. It runs in the kernel goroutine at the very end.
func (r *loop) removeVMACs() error {
	if len(r.vmacs) == 0 && len(r.settings) == 0 {
		return nil
	}
	_, err := r.Kernel.MakeVMACs(nil)
	if err != nil {
		return err
	}
	return r.Kernel.RestoreSettings(r.settings)
}

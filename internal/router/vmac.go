package router

import (
	"maps"
	"slices"

	"github.com/holdfast-ha/holdfast/vrrp"
	"github.com/holdfast-ha/holdfast/vrrp/vrrpnet"
)

// virtualsOf are the virtual interfaces of one instance: its own and those of its addresses elsewhere.
func virtualsOf(i *vrrp.Instance) []vrrpnet.MACVLAN {
	var want []vrrpnet.MACVLAN
	if i.VMAC.Name != "" {
		want = append(want, vrrpnet.MACVLAN{VMAC: i.VMAC, Parent: i.Interface})
	}
	for _, a := range i.AddressVMACs {
		want = append(want, vrrpnet.MACVLAN{VMAC: a.VMAC, Parent: a.Parent})
	}
	return want
}

// vmacsOf are the virtual interfaces that a configuration needs.
func vmacsOf(c *vrrp.Config) []vrrpnet.MACVLAN {
	var want []vrrpnet.MACVLAN
	for n := range c.Instances {
		want = append(want, virtualsOf(&c.Instances[n])...)
	}
	return want
}

// hasVirtual says whether a virtual interface of that name is one of the instance's.
func hasVirtual(i *vrrp.Instance, name string) bool {
	return slices.ContainsFunc(virtualsOf(i), func(m vrrpnet.MACVLAN) bool { return m.Name == name })
}

// makeVMACs has the kernel goroutine make the virtual interfaces of the configuration, when they changed or when the interface named below
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

// switchVMACs brings the virtual MAC interfaces of an instance up before its addresses come, and down before they go, so that nothing is sent from
// the MAC any more when a successor has it. An ipvlan has no MAC of its own and stays as it is.
func (r *loop) switchVMACs(id vrrp.ID, up bool) {
	i := r.instance(id)
	for _, m := range virtualsOf(&i) {
		if !m.IPVLAN {
			r.switchVMAC(id, m.Name, up)
		}
	}
}

func (r *loop) switchVMAC(id vrrp.ID, name string, up bool) {
	if r.switched[name] == up {
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

// askForVMACs asks for the addresses that have just left a virtual MAC: what the successor answers teaches the switch where that MAC is now. A frame of ours
// that crossed the successor's first ones may have taught it otherwise, and then clients would be deaf until the successor's next advert.
func (r *loop) askForVMACs(id vrrp.ID, gone []vrrp.Address) {
	i := r.instance(id)
	at, link := r.interfaces[id.Interface], r.links[id.Interface]
	if i.VMAC.Name == "" || i.VMAC.IPVLAN || !at.Up || len(at.MAC) != 6 {
		return
	}
	for _, a := range gone {
		addr, src := a.Prefix.Addr(), link.Source4
		if addr.Is6() {
			src = link.Source6
		}
		if a.Interface != i.VMAC.Name || !src.IsValid() {
			continue
		}
		r.queue.add(func() func() {
			err := r.Kernel.Ask(at.Index, at.MAC, src, addr)
			return func() { r.kernelProblem("use_vmac", err) }
		})
		return // one answer is enough: it is one MAC
	}
}

// vmacCame announces what is on a virtual interface that was not known yet when its instance became MASTER.
func (r *loop) vmacCame(name string) {
	for id, held := range r.held {
		if i := r.instance(id); hasVirtual(&i, name) {
			r.announce(id, held, 2)
		}
	}
}

// vmacGone makes a virtual interface again that somebody removed.
func (r *loop) vmacGone(name string) {
	for id, i := range r.instances {
		for _, m := range virtualsOf(&i) {
			if _, there := r.interfaces[m.Parent]; m.Name != name || !there {
				continue
			}
			delete(r.switched, name)
			r.vmacs = nil
			r.makeVMACs("")
			if len(r.held[id]) > 0 {
				r.switchVMACs(id, true)
				r.queue.add(func() func() {
					err := r.Kernel.Refresh() // adds what went with it
					return func() { r.kernelProblem("use_vmac", err) }
				})
			}
		}
	}
}

// settleVMACs switches off what a former router left on for instances that are not MASTER here.
func (r *loop) settleVMACs() {
	for id, i := range r.instances {
		for _, m := range virtualsOf(&i) {
			if !m.IPVLAN && len(r.held[id]) == 0 && r.interfaces[m.Name].Up && !r.switched[m.Name] {
				r.switched[m.Name] = true
				r.switchVMAC(id, m.Name, false)
			}
		}
	}
}

// moveHome moves held addresses when a reload gave the instance a virtual interface or took it away.
func (r *loop) moveHome() {
	for _, id := range slices.Collect(maps.Keys(r.held)) {
		now, was := r.instances[id], r.former[id]
		if now.Interface == "" || was.Interface == "" || slices.Equal(virtualsOf(&now), virtualsOf(&was)) {
			continue
		}
		r.holdFor(vrrp.Hold{ID: id, Addresses: now.Addresses, Routes: now.Routes, Rules: now.Rules, NoAccept: now.NoAccept && now.Priority != 255})
		r.announce(id, onInterface(now.Interface, now.Addresses), max(now.Gratuitous.Repeat, 1))
	}
}

// removeVMACs undoes everything about virtual interfaces. It runs in the kernel goroutine at the very end.
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

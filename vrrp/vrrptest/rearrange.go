package vrrptest

import (
	"net/netip"
	"slices"

	"github.com/holdfast-ha/holdfast/vrrp"
)

// rearrange reloads the router with something that no peer need know: more addresses beside those in the adverts, a sync group dissolved or made, the last
// instance taken out or put in.
func (w *world) rearrange(r *Router) {
	cfg := r.Config
	cfg.Instances = slices.Clone(cfg.Instances)
	switch k := w.Rand.IntN(len(cfg.Instances)); w.Rand.IntN(4) {
	case 0, 1:
		i := &cfg.Instances[k]
		if n := len(i.Addresses); n > 1 {
			i.Addresses = i.Addresses[:1:1]
			break
		}
		i.Addresses = slices.Clone(i.Addresses)
		for n := range 1 + w.Rand.IntN(2) {
			a := netip.AddrFrom4([4]byte{198, 51, byte(k), byte(n)})
			i.Addresses = append(i.Addresses, vrrp.Address{Prefix: netip.PrefixFrom(a, 32), Excluded: true})
		}
	case 2:
		if len(cfg.Groups) > 0 {
			cfg.Groups = nil
		} else {
			cfg.Groups = w.original[r].Groups
		}
	case 3:
		if all := w.original[r].Instances; len(cfg.Instances) < len(all) {
			cfg.Instances = append(cfg.Instances, all[len(all)-1])
		} else if len(all) > 1 {
			cfg.Instances = cfg.Instances[:len(all)-1]
		}
	}
	w.Reload(r, cfg)
}

// restored is what the router began with; the priorities stay what they are now.
func (w *world) restored(r *Router) vrrp.Config {
	cfg := w.original[r]
	cfg.Instances = slices.Clone(cfg.Instances)
	for k := range cfg.Instances {
		switch {
		case w.group: // one priority for all its members
			cfg.Instances[k].Priority = r.Config.Instances[0].Priority
		case k < len(r.Config.Instances):
			cfg.Instances[k].Priority = r.Config.Instances[k].Priority
		}
	}
	return cfg
}

// deny has the kernel of a MASTER refuse some of an instance's addresses, or all.
func (w *world) deny(r *Router, id vrrp.ID) {
	if r.Down || len(r.Held[id]) == 0 {
		return
	}
	d := vrrp.Denied{ID: id}
	for _, a := range r.Held[id][w.Rand.IntN(len(r.Held[id])):] {
		d.Addresses = append(d.Addresses, vrrp.DeniedAddress{Prefix: a.Prefix, Interface: id.Interface, Reason: "permission denied"})
	}
	w.denied[r] = append(w.denied[r], id)
	w.Do(r, d)
}

// undeny has the kernel accept everything again: a change of the interface is worth another try.
func (w *world) undeny(r *Router) {
	for _, id := range w.denied[r] {
		l := r.links[id.Interface]
		down := l
		down.Up = !l.Up
		w.Do(r, down)
		w.Do(r, l)
	}
	delete(w.denied, r)
}

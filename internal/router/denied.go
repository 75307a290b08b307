package router

import (
	"slices"
	"time"

	"github.com/holdfast-ha/holdfast/vrrp"
)

func isDenied(list []vrrp.DeniedAddress, a vrrp.Address) bool {
	return slices.ContainsFunc(list, func(d vrrp.DeniedAddress) bool { return d.Prefix == a.Prefix && d.Interface == a.Interface })
}

// onDenied tells the machines which addresses the kernel refuses, if that is news to them; written are the instances whose addresses have just been
// written. It says whether anything is refused of instances that hold addresses, which is then told in their name. Nothing is refused on an interface that is
// down: that is a fault already. What is refused is tried again with the owners that are lame.
func (r *loop) onDenied(now []vrrp.DeniedAddress, written ...vrrp.ID) bool {
	r.deniedNow = now
	var news []vrrp.Denied
	told := false
	if len(now) > 0 || len(r.denied) > 0 {
		for id, held := range r.held {
			var of []vrrp.DeniedAddress
			for _, d := range now {
				if slices.ContainsFunc(held, func(a vrrp.Address) bool { return d.Prefix == a.Prefix && d.Interface == a.Interface }) {
					of = append(of, d)
				}
			}
			if !r.interfaces[id.Interface].Up || len(of) == 0 && !r.denied[id] {
				continue
			}
			delete(r.denied, id)
			if len(of) > 0 {
				told = true
				r.denied[id], r.lame[id.String()] = true, true
			}
			news = append(news, vrrp.Denied{ID: id, Addresses: of})
		}
	}
	for _, id := range written {
		if len(r.held[id]) > 0 && r.interfaces[id.Interface].Up && !r.denied[id] {
			news = append(news, vrrp.Denied{ID: id})
		}
	}
	for _, d := range news {
		r.do(r.machines.Step(time.Now(), d))
	}
	return told
}

// holderOf is who holds a refused address, "" for nobody.
func (r *loop) holderOf(d vrrp.DeniedAddress) string {
	for id, held := range r.held {
		for _, a := range held {
			if d.Prefix == a.Prefix && d.Interface == a.Interface {
				return id.String()
			}
		}
	}
	for _, a := range r.statics {
		if d.Prefix == a.Prefix && d.Interface == a.Interface {
			return staticOwner
		}
	}
	return ""
}

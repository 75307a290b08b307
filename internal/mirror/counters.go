package mirror

import "github.com/holdfast-ha/holdfast/vrrp"

// Clear makes SinceClear count from now. The router itself never clears its counters.
func (r *Router) Clear() {
	for id, s := range r.instances {
		r.cleared[id] = s.Counters
	}
}

// SinceClear is the last state of one instance with its counters since Clear.
func (r *Router) SinceClear(id vrrp.ID) vrrp.Status {
	s := r.instances[id]
	s.Counters = since(s.Counters, r.cleared[id])
	return s
}

// since is now without before.
func since(now, before vrrp.Counters) vrrp.Counters {
	c := vrrp.Counters{
		AdvertsReceived: now.AdvertsReceived - before.AdvertsReceived, AdvertsSent: now.AdvertsSent - before.AdvertsSent,
		BecameMaster: now.BecameMaster - before.BecameMaster, ReleasedMaster: now.ReleasedMaster - before.ReleasedMaster,
		PriorityZeroSent: now.PriorityZeroSent - before.PriorityZeroSent, PriorityZeroRcvd: now.PriorityZeroRcvd - before.PriorityZeroRcvd,
		Refused: map[string]uint64{},
	}
	for reason, n := range now.Refused {
		c.Refused[reason] = n - before.Refused[reason]
	}
	if now.AdvertsSent < before.AdvertsSent || now.AdvertsReceived < before.AdvertsReceived {
		return now // another router counts, from 0
	}
	return c
}

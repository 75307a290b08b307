package balancer

import (
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// steadyAfter is how long a balancer that follows another one must last before it is ready by the verdicts of that one: its checks may hang, which
// must not cost this director its addresses, and it may be about to die again, which must.
var steadyAfter = 10 * time.Second

// checkReady tells the router when this director could serve: IPVS was written once and every check ran once. A kernel without IPVS is a
// lasting obstacle until it is mended. It answers whether looking again soon makes sense.
func (d *daemon) checkReady() (soon bool) {
	if !d.started || d.stopping {
		return !d.stopping
	}
	r := d.readiness()
	if r != d.ready || !d.readySent {
		first := r.OK && !d.ready.OK
		lasting := r.Lasting && !d.ready.Lasting
		d.ready, d.readySent = r, true
		d.conn.Send(seam.Message{Ready: &r})
		switch {
		case first:
			d.bus.Publish(event.DaemonReady.With(d.pools.Len(), len(d.in.Checks), time.Since(d.began).Round(time.Millisecond)))
		case lasting:
			d.bus.Publish(event.DaemonLasting.With(r.Reason))
		}
	}
	return !r.OK && !r.Lasting
}

func (d *daemon) readiness() vrrp.Ready {
	if r := d.outside.Unknown(); r != "" && !d.ready.OK {
		return vrrp.Ready{Reason: r}
	}
	if len(d.in.Pools) == 0 {
		return vrrp.Ready{OK: true}
	}
	if !d.filled {
		return vrrp.Ready{Reason: "IPVS is not filled yet"}
	}
	if s := d.rec.Status(); !s.Ready {
		return vrrp.Ready{Lasting: true, Reason: s.Error}
	}
	if d.ready.OK {
		return d.ready // a reload brings new checks, but this director serves
	}
	if !d.sched.Settled() && !(d.resumed && time.Since(d.began) >= steadyAfter && d.sched.Known()) {
		return vrrp.Ready{Reason: "not every check has run yet"}
	}
	return vrrp.Ready{OK: true}
}

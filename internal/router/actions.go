package router

import (
	"bytes"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/vrrp"
	"github.com/holdfast-ha/holdfast/vrrp/vrrpnet"
)

// do carries out what the machines decided, in order.
func (r *loop) do(actions []vrrp.Action) {
	for _, a := range actions {
		switch a := a.(type) {
		case vrrp.Send:
			if a.Patience > 0 {
				r.sendBehind(a)
			} else {
				r.send(a)
			}
		case vrrp.Hold:
			r.holdFor(a)
		case vrrp.Announce:
			r.announce(a.ID, onInterface(a.ID.Interface, a.Addresses), a.Repeat)
		case vrrp.Transition:
			r.dirty = true
			r.tellTransition(event.Transition.With(a.Name, a.From, a.To, a.Priority, a.Reason), &a)
		case vrrp.Refused:
			if a.Count == 1 || a.Count%100 == 0 {
				r.withSender(a.ID, a.Refusal.From, func(mac string) {
					r.tell(event.AdvertRefused.With(r.name(a.ID), a.ID.Interface, a.Refusal.From, a.Refusal.Priority, string(a.Refusal.Reason), a.Refusal.Detail+mac, a.Count))
				})
			}
		case vrrp.Notice:
			if a.From.IsValid() {
				r.withSender(a.ID, a.From, func(mac string) {
					a.Detail += mac
					r.notice(a)
				})
			} else {
				r.notice(a)
			}
		case vrrp.HandoverEnded:
			r.handoverEnded(a)
		case vrrp.Released:
			r.release()
		}
	}
}

func (r *loop) name(id vrrp.ID) string {
	if i := r.instance(id); i.Name != "" {
		return i.Name
	}
	return id.String()
}

func (r *loop) send(a vrrp.Send) {
	delete(r.behind, a.ID)
	link := r.links[a.ID.Interface]
	src := link.Source4
	if a.ID.Family == vrrp.IPv6 {
		src = link.Source6
	}
	if s := r.instance(a.ID).Source; s.IsValid() {
		src = s
	}
	e := vrrpnet.Endpoint{Interface: a.ID.Interface, Index: r.interfaces[a.ID.Interface].Index, Family: a.ID.Family}
	send := func(out vrrp.Outgoing) error {
		e.Proto = out.Proto
		return r.Wire.Send(e, src, out)
	}
	switch v := r.instance(a.ID).VMAC; {
	case v.Name == "" || v.XmitBase:
	case r.interfaces[v.Name].Up:
		e.Interface, e.Index, e.For = v.Name, r.interfaces[v.Name].Index, a.ID.Interface
	case a.Priority > 0: // the first of a MASTER: its virtual MAC interface comes up behind it
		send = r.sendAhead(e, v, src, send)
	}
	for _, out := range r.machines.Packet(a, src) {
		if err := send(out); err != nil {
			r.sendErrors[a.ID]++
			if n := r.sendErrors[a.ID]; n == 1 || n%100 == 0 {
				r.tell(event.SendFailed.With(r.name(a.ID), err, n))
			}
			continue
		}
		delete(r.sendErrors, a.ID)
	}
	r.stamped = true
}

// sendAhead sends from a virtual MAC whose interface is not up; what cannot go that way (unicast, no Ethernet) goes from the interface below.
func (r *loop) sendAhead(e vrrpnet.Endpoint, v vrrp.VMAC, src netip.Addr, otherwise func(vrrp.Outgoing) error) func(vrrp.Outgoing) error {
	mac, err := net.ParseMAC(v.MAC)
	return func(out vrrp.Outgoing) error {
		if err != nil || !out.Dst.IsMulticast() || r.Wire.SendFrom(e.Index, mac, src, out) != nil {
			return otherwise(out)
		}
		return nil
	}
}

func (r *loop) holdFor(a vrrp.Hold) {
	addrs := onInterface(a.ID.Interface, a.Addresses)
	if len(addrs) == 0 {
		defer r.askForVMACs(a.ID, r.held[a.ID])
		delete(r.held, a.ID)
		delete(r.denied, a.ID)
		delete(r.behind, a.ID)
	} else {
		r.held[a.ID] = addrs
	}
	r.dirty = true
	r.switchVMACs(a.ID, len(addrs) > 0)
	// Routes may need the addresses: they come after them and go before them.
	if len(addrs) == 0 {
		r.holdRoutes(a.ID.String(), a.Routes, a.Rules)
	} else {
		defer r.holdRoutes(a.ID.String(), a.Routes, a.Rules)
	}
	r.hold(a.ID.String(), r.lifetimes(a.ID, addrs), a.ID)
}

// announce sends the frames behind the changes of addresses that were decided before: nobody is told of an address that is not there yet.
func (r *loop) announce(id vrrp.ID, addrs []vrrp.Address, repeat int) {
	type target struct {
		index   int
		mac     net.HardwareAddr
		addr    netip.Addr
		address vrrp.Address
	}
	var targets []target
	for _, a := range addrs {
		if at, ok := r.interfaces[a.Interface]; ok && len(at.MAC) == 6 {
			targets = append(targets, target{at.Index, at.MAC, a.Prefix.Addr(), a})
		}
	}
	if len(targets) == 0 || repeat < 1 {
		return
	}
	r.queue.add(func() func() {
		var first error
		if denied := r.Kernel.Denied(); len(denied) > 0 {
			targets = slices.DeleteFunc(targets, func(t target) bool { return isDenied(denied, t.address) })
		}
		for range repeat { // round by round, so that every address is told once as soon as possible
			for _, t := range targets {
				if err := r.Kernel.Announce(t.index, t.mac, t.addr); err != nil && first == nil {
					first = err
				}
			}
		}
		if first == nil {
			return nil
		}
		return func() { r.kernelProblem(id.String(), first) }
	})
}

func (r *loop) notice(n vrrp.Notice) {
	e := event.VRRPNotice.With(n.Name, n.Kind, n.Detail)
	if k := event.NoticeKind(n.Kind); k != nil {
		e = k.With(n.Name, n.Detail)
	}
	r.pass(seam.Event{Event: e, Notice: &n})
	if n.Kind == "window_over" {
		r.listen()
	}
}

// handoverEnded answers the oldest question about that instance.
func (r *loop) handoverEnded(a vrrp.HandoverEnded) {
	for n, p := range r.handovers {
		if p.instance == a.Instance {
			r.handovers = slices.Delete(r.handovers, n, n+1)
			r.child.send(seam.Message{HandoverDone: &seam.HandoverDone{Token: p.token, Error: a.Error, Nothing: a.Nothing}})
			return
		}
	}
}

// onChange takes what the kernel says about interfaces and addresses.
func (r *loop) onChange(c vrrpnet.Change) {
	for _, i := range c.Interfaces {
		was, there := r.interfaces[i.Name]
		r.interfaces[i.Name] = i
		r.updateLink(linkOf(i, r.virtual))
		r.checkSources(i.Name)
		if there && was.Index == i.Index && !bytes.Equal(was.MAC, i.MAC) {
			r.newMAC(i.Name)
		}
		if !there || was.Index != i.Index {
			r.makeVMACs(i.Name)
			r.vmacCame(i.Name)
		}
		if !there || was.Index != i.Index || i.Up && !was.Up {
			r.refreshRoutes(true) // IPv4 routes go with the interface, and nobody tells
			for _, a := range r.statics {
				if a.Interface == i.Name {
					r.restore("", a)
				}
			}
		}
	}
	for _, name := range c.Gone {
		r.clearRenamed(r.interfaces[name])
		delete(r.interfaces, name)
		r.updateLink(vrrp.Link{Name: name})
		r.vmacGone(name)
	}
	if len(c.Gone) > 0 || len(c.Interfaces) > 0 {
		r.listen()
	}
	for _, l := range c.Lost {
		r.onLost(l)
	}
	if c.RoutesGone || len(c.Lost) > 0 && len(r.routed) > 0 { // routes with a preferred source go with that address, and nobody tells
		r.refreshRoutes(false)
	}
}

// newMAC tells the segment where the addresses of an interface are that has another hardware address now; the kernel does not.
func (r *loop) newMAC(name string) {
	r.dirty = true
	for id, held := range r.held {
		on := slices.DeleteFunc(slices.Clone(held), func(a vrrp.Address) bool { return a.Interface != name })
		r.announce(id, on, 2)
	}
}

// clearRenamed takes held addresses off an interface that has another name now: nothing here would know them there, and the peer takes over.
func (r *loop) clearRenamed(was vrrpnet.Interface) {
	for _, now := range r.interfaces {
		if was.Name == "" || now.Index != was.Index || now.Name == was.Name {
			continue
		}
		var found []vrrp.Address
		for _, held := range r.held {
			for _, a := range held {
				if a.Interface == was.Name {
					a.Interface = now.Name
					found = append(found, a)
				}
			}
		}
		r.remove(found)
	}
}

func (r *loop) updateLink(l vrrp.Link) {
	if was, ok := r.links[l.Name]; ok && was == l {
		return
	}
	r.links[l.Name] = l
	r.do(r.machines.Step(time.Now(), l))
}

// troubleFor is how long an instance stays FAULT because the kernel refused to bring its virtual interface up.
const (
	troubleFor    = time.Minute
	troubleKernel = "kernel"
	troubleSource = "source"
)

// trouble makes an instance FAULT for troubleFor, renewed by a further trouble of the kind.
func (r *loop) trouble(id vrrp.ID, kind, detail string) {
	now := time.Now()
	r.troubles[trouble{id, kind}] = now.Add(troubleFor)
	r.do(r.machines.Step(now, vrrp.Trouble{ID: id, Kind: kind, Detail: detail}))
}

// endTroubles takes back those whose time has come.
func (r *loop) endTroubles(now time.Time) {
	for t, end := range r.troubles {
		if now.After(end) {
			delete(r.troubles, t)
			r.do(r.machines.Step(now, vrrp.Trouble{ID: t.id, Kind: t.kind}))
		}
	}
}

// onLost puts an address back that is held here and was taken away by somebody else. Those that were let go are no longer held.
func (r *loop) onLost(l vrrpnet.LostAddress) {
	if !r.interfaces[l.Interface].Up { // an interface that goes down takes its IPv6 addresses with it
		return
	}
	match := func(a vrrp.Address) bool { return a.Interface == l.Interface && a.Prefix == l.Prefix }
	for id, held := range r.held {
		for _, a := range held {
			if match(a) {
				r.lost(r.name(id), a)
				return
			}
		}
	}
	for _, a := range r.statics {
		if match(a) {
			r.lost(staticOwner, a)
		}
	}
}

// lost puts an address back, unless the configuration leaves it to others (no_track).
func (r *loop) lost(owner string, a vrrp.Address) {
	if !a.NoTrack {
		r.restore(owner, a)
		return
	}
	r.queue.add(func() func() {
		r.Kernel.Forget(a.Interface, a.Prefix)
		return nil
	})
}

// onTaken lets the machines count what was taken away: they stop fighting when it happens too often.
func (r *loop) onTaken(a vrrp.Address) {
	for id, held := range r.held {
		if slices.ContainsFunc(held, func(h vrrp.Address) bool { return h.Interface == a.Interface && h.Prefix == a.Prefix }) {
			r.do(r.machines.Step(time.Now(), vrrp.Taken{ID: id, Prefix: a.Prefix}))
			return
		}
	}
}

// restore adds an address again if it is missing, tells so in the owner's name (unless that is empty) and announces it.
func (r *loop) restore(owner string, a vrrp.Address) {
	r.queue.add(func() func() {
		missing, err := r.Kernel.Restore(a.Interface, a.Prefix)
		denied := r.Kernel.Denied()
		if err == nil && (!missing || owner == "") {
			return nil
		}
		return func() {
			if err != nil {
				if !r.onDenied(denied) {
					r.kernelProblem(owner, err)
				}
				return
			}
			r.tell(event.AddressRestored.With(owner, a.Interface, a.Prefix))
			r.onTaken(a)
			r.refreshRoutes(true)
			r.announce(vrrp.ID{Interface: a.Interface}, []vrrp.Address{a}, 2)
		}
	})
}

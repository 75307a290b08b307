package router

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/vrrp"
	"github.com/holdfast-ha/holdfast/vrrp/vrrpnet"
)

// staticOwner holds the static addresses.
const staticOwner = "static"

// onApply brings everything to a new configuration and answers when the kernel has done its part.
func (r *loop) onApply(a seam.Apply) {
	if !r.stopping.IsZero() {
		return
	}
	now := time.Now()
	config := a.Config
	r.removeLeftovers(&config)
	r.configure(&config, a.Gen)
	r.listen() // old and new: what Apply says next may already need the new ones
	r.do(r.machines.Apply(now, config))
	r.listen()
	r.checkSources("")
	r.moveHome()
	r.settleVMACs()
	r.holdStatics()
	r.dirty = true
	r.queue.add(func() func() { // behind everything that Apply asked of the kernel
		return func() { r.applied(a.Gen) }
	})
}

// configure makes config the one in force, apart from the machines.
func (r *loop) configure(config *vrrp.Config, gen uint64) {
	r.config, r.gen = config, gen
	r.former, r.instances = r.instances, map[vrrp.ID]vrrp.Instance{}
	for _, i := range config.Instances {
		r.instances[i.ID()] = i
	}
	r.virtual = virtualAddrs(config)
	r.Wire.Gather(gathering(config))
	r.shield()
	r.schedule()
	r.makeVMACs("")
	for _, i := range r.interfaces { // which of its addresses are virtual may have changed
		r.updateLink(linkOf(i, r.virtual))
	}
}

// gathering is how long packets may wait for each other: half a hundredth of the shortest interval, and not so long that anybody would see it in a
// takeover. Below 100 ms it is nothing. A timer that runs out reads the sockets first, so nothing is decided without what waits there.
func gathering(config *vrrp.Config) time.Duration {
	const most, least = 5 * time.Millisecond, 500 * time.Microsecond
	wait := most
	for n := range config.Instances {
		wait = min(wait, config.Instances[n].Interval/200)
	}
	if wait < least {
		return 0
	}
	return wait
}

// shield keeps the addresses of no_accept instances from local programs, whether they are held now or not: it is then never too late.
func (r *loop) shield() {
	var addrs []netip.Addr
	for _, i := range r.config.Instances {
		if !i.NoAccept || i.Priority == 255 {
			continue
		}
		for _, a := range i.Addresses {
			addrs = append(addrs, a.Prefix.Addr())
		}
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	addrs = slices.Compact(addrs)
	if r.shielded != nil && slices.Equal(addrs, r.shielded) {
		return
	}
	r.shielded = append([]netip.Addr{}, addrs...)
	r.queue.add(func() func() {
		err := r.Kernel.Shield(addrs)
		return func() { r.kernelProblem("no_accept", err) }
	})
}

// schedule has the process run as the configuration asks for.
func (r *loop) schedule() {
	want := r.config.Process
	if raised := min(r.raised, want.MaxAuto); raised > want.RealTime {
		want.RealTime, want.Unasked = raised, false
	}
	if want == r.process || r.Schedule == nil {
		return
	}
	r.process = want
	r.queue.add(func() func() {
		err := r.Schedule(want)
		return func() { r.kernelProblem("vrrp_priority", err) }
	})
}

func (r *loop) applied(gen uint64) {
	problems := r.problems()
	r.child.send(seam.Message{Applied: &seam.Applied{Gen: gen, Problems: problems}})
	r.tell(event.RouterReady.With(gen, len(r.config.Instances), len(problems)))
	if !r.ready {
		r.ready = true
		r.notify("READY=1")
	}
}

// problems are what the configuration wants and the machine has not got now.
func (r *loop) problems() []string {
	var problems []string
	missing := map[string]bool{}
	note := func(name string) {
		if _, ok := r.interfaces[name]; !ok && !missing[name] {
			missing[name] = true
			problems = append(problems, fmt.Sprintf("interface %s does not exist", name))
		}
	}
	for _, i := range r.config.Instances {
		note(i.Interface)
	}
	for _, a := range r.statics {
		note(a.Interface)
	}
	if r.socketsErr != "" {
		problems = append(problems, r.socketsErr)
	}
	for owner := range r.lame {
		if !slices.ContainsFunc(r.deniedNow, func(d vrrp.DeniedAddress) bool { return r.holderOf(d) == owner }) {
			problems = append(problems, "addresses of "+owner+" could not all be written")
		}
	}
	for _, d := range r.deniedNow {
		problems = append(problems, "the kernel refuses "+d.String())
	}
	slices.Sort(problems)
	return problems
}

// removeLeftovers takes away virtual addresses of instances that are new here and found on interfaces: a former daemon's. Owners' addresses are their
// interface's own and stay.
func (r *loop) removeLeftovers(config *vrrp.Config) {
	var found []vrrp.Address
	for _, i := range config.Instances {
		if _, known := r.instances[i.ID()]; known || i.Priority == 255 {
			continue
		}
		for _, a := range onInterface(i.Interface, i.Addresses) {
			if at, ok := r.interfaces[a.Interface]; ok && slices.Contains(at.Addrs, a.Prefix) && !r.holds(a.Interface, a.Prefix) {
				found = append(found, a)
			}
		}
	}
	r.remove(found)
}

func (r *loop) remove(found []vrrp.Address) {
	if len(found) == 0 {
		return
	}
	r.queue.add(func() func() {
		err := r.Kernel.Remove(found)
		return func() { r.kernelProblem("leftovers", err) }
	})
}

// onInterface fills in the interface that carries each address: its virtual one, its own or that of the instance, which has the given name.
func onInterface(name string, addrs []vrrp.Address) []vrrp.Address {
	out := slices.Clone(addrs)
	for i := range out {
		out[i].Interface = cmp.Or(out[i].On, out[i].Interface, name)
	}
	return out
}

// holds says whether somebody here holds the address now.
func (r *loop) holds(iface string, prefix netip.Prefix) bool {
	match := func(a vrrp.Address) bool { return a.Interface == iface && a.Prefix == prefix }
	if slices.ContainsFunc(r.statics, match) {
		return true
	}
	for _, held := range r.held {
		if slices.ContainsFunc(held, match) {
			return true
		}
	}
	return false
}

func (r *loop) holdStatics() {
	defer r.holdRoutes(staticOwner, r.config.StaticRoutes, r.config.StaticRules)
	statics := onInterface("", r.config.Statics)
	if slices.Equal(statics, r.statics) {
		return
	}
	r.statics = statics
	r.hold(staticOwner, permanent(statics))
}

func permanent(addrs []vrrp.Address) []vrrpnet.Held {
	out := make([]vrrpnet.Held, len(addrs))
	for i, a := range addrs {
		out[i] = vrrpnet.Held{Address: a}
	}
	return out
}

// lifetimes turns an instance's addresses into held ones: see minLifetime, and at least three times the longest time peers wait before they take over.
func (r *loop) lifetimes(id vrrp.ID, addrs []vrrp.Address) []vrrpnet.Held {
	i := r.instance(id)
	down := time.Duration(max(i.DownTimerAdverts, 3)+1) * max(i.Interval, time.Second)
	life := max(3*down, minLifetime).Round(time.Second)
	out := make([]vrrpnet.Held, len(addrs))
	for n, a := range addrs {
		out[n] = vrrpnet.Held{Address: a, Lifetime: life, Keep: i.Priority == 255}
	}
	return out
}

// instance is the configuration of an instance, of the former configuration if it is no longer in this one.
func (r *loop) instance(id vrrp.ID) vrrp.Instance {
	if i, ok := r.instances[id]; ok {
		return i
	}
	return r.former[id]
}

// hold has the kernel goroutine make the addresses of an owner, an instance unless it is the static ones, exactly want.
func (r *loop) hold(owner string, want []vrrpnet.Held, instance ...vrrp.ID) {
	r.queue.add(func() func() {
		err := r.Kernel.Hold(owner, want)
		denied := r.Kernel.Denied()
		return func() {
			switch told := r.onDenied(denied, instance...); {
			case err == nil:
				delete(r.lame, owner)
			case !r.lame[owner]:
				r.lame[owner] = true
				if !told || len(instance) == 0 {
					r.kernelProblem(owner, err)
				}
			}
		}
	})
}

// retryLame tries again to hold what could not be held.
func (r *loop) retryLame() {
	for owner := range r.lame {
		r.rehold(owner)
	}
}

func (r *loop) rehold(owner string) {
	if owner == staticOwner {
		r.hold(owner, permanent(r.statics))
		return
	}
	for id, held := range r.held {
		if id.String() == owner {
			r.hold(owner, r.lifetimes(id, held), id)
			return
		}
	}
	r.hold(owner, nil)
}

// listen opens and closes sockets as the configuration and the interfaces want it.
func (r *loop) listen() {
	text := ""
	// What is spoken besides the configuration in force: the former form within the transition window, and, before an Apply, the configuration until now.
	if err := r.Wire.Listen(endpoints(append(slices.Clone(r.config.Instances), r.machines.Spoken()...), r.interfaces)); err != nil {
		text = err.Error()
	}
	if text != "" && text != r.socketsErr {
		r.tell(event.RouterSockets.With(text))
	}
	r.socketsErr = text
}

package router

import (
	"maps"
	"slices"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// adopt continues what a former router did, as far as its state is to be believed, before the balancer has read any file: its Apply is then an
// ordinary reload. What is not believed loses the addresses that are recorded, first of all.
func (r *loop) adopt() {
	s, age, ok, err := r.Store.Load()
	if err != nil {
		r.tell(event.RouterNotAdopted.With("all", err))
		return
	}
	if !ok {
		return
	}
	ports := map[string]port{}
	for name, i := range r.interfaces {
		ports[name] = port{i.Index, i.MAC.String(), i.Up}
	}
	adopted, why := believe(s, r.BootID, r.NetNS, age, ports)
	believed := map[vrrp.ID]bool{}
	for _, a := range adopted {
		believed[a.ID] = true
	}
	for _, i := range s.Instances {
		if !believed[i.ID] {
			r.tell(event.RouterNotAdopted.With(s.name(i.ID), why[i.ID]))
			if s.BootID == r.BootID && s.NetNS == r.NetNS {
				r.removeFound(i.Held)
				r.removeRoutes(s.Config, i.ID)
			}
		}
	}
	if len(adopted) == 0 {
		return
	}
	// Of instances that are not believed the configured addresses go too; of those adopted as BACKUP likewise.
	masters := 0
	for _, a := range adopted {
		if a.State == vrrp.Master {
			masters++
		}
	}
	for _, i := range s.Config.Instances {
		if i.Priority != 255 && !isMaster(adopted, i.ID()) {
			r.removeFound(onInterface(i.Interface, i.Addresses))
		}
	}
	now := time.Now()
	r.adopted = true
	r.settings = s.Settings
	for _, t := range s.Tracks {
		r.tracks[t.ID] = t
	}
	r.configure(s.Config, s.Gen)
	r.listen()
	// The machines start from INIT with everything let go; for an adopted instance the very next step says what it holds instead.
	for _, act := range r.machines.Apply(now, *s.Config) {
		if h, ok := act.(vrrp.Hold); ok && believed[h.ID] {
			continue
		}
		if t, ok := act.(vrrp.Transition); ok && believed[t.ID] {
			continue
		}
		if n, ok := act.(vrrp.Notice); ok && believed[n.ID] {
			continue
		}
		r.do([]vrrp.Action{act})
	}
	r.do(r.machines.Step(now, vrrp.Adopt{Instances: adopted, Tracks: s.Tracks}))
	r.checkSources("")
	r.holdStatics()
	r.settleVMACs()
	r.tell(event.RouterAdopted.With(len(adopted), masters, age.Round(time.Millisecond)))
	r.dirty = true
	r.endTurn()
}

func isMaster(adopted []vrrp.Adopted, id vrrp.ID) bool {
	for _, a := range adopted {
		if a.ID == id {
			return a.State == vrrp.Master
		}
	}
	return false
}

// removeFound removes those of the addresses that are on their interfaces.
func (r *loop) removeFound(addrs []vrrp.Address) {
	var found []vrrp.Address
	for _, a := range addrs {
		for _, p := range r.interfaces[a.Interface].Addrs {
			if p == a.Prefix {
				found = append(found, a)
			}
		}
	}
	r.remove(found)
}

// save stores what a follower needs to adopt.
func (r *loop) save() {
	s := Saved{Version: savedVersion, BootID: r.BootID, NetNS: r.NetNS, Gen: r.gen, Config: r.config, Settings: maps.Clone(r.settings)}
	for _, st := range r.machines.Snapshot() {
		i := r.interfaces[st.ID.Interface]
		s.Instances = append(s.Instances, SavedInstance{ID: st.ID, State: st.State, Priority: st.Priority, Index: i.Index, MAC: i.MAC.String(), Held: r.held[st.ID]})
	}
	for _, id := range slices.Sorted(maps.Keys(r.tracks)) {
		s.Tracks = append(s.Tracks, r.tracks[id])
	}
	r.Store.Save(s)
}

// name is what the configuration of the former router calls an instance.
func (s *Saved) name(id vrrp.ID) string {
	if s.Config != nil {
		for i := range s.Config.Instances {
			if in := &s.Config.Instances[i]; in.ID() == id {
				return in.Name
			}
		}
	}
	return id.String()
}

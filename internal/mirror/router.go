package mirror

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// awayAfter is the silence after which the router counts as away.
const awayAfter = 5 * time.Second

// Router is what the router said last.
type Router struct {
	send      func(seam.Message) bool
	instances map[vrrp.ID]vrrp.Status
	cleared   map[vrrp.ID]vrrp.Counters // what a signal said to count from
	numbers   seam.RouterStatus
	heard     time.Time
	tokens    uint64
	waiting   map[uint64]func(seam.Message)
}

// New knows nothing yet; send sends a message to the router and does not block.
func New(send func(seam.Message) bool) *Router {
	return &Router{send: send, instances: map[vrrp.ID]vrrp.Status{}, cleared: map[vrrp.ID]vrrp.Counters{}, heard: time.Now(),
		waiting: map[uint64]func(seam.Message){}}
}

// Heard takes what every message of the router says of it, and hands an answer to who waits for it.
func (r *Router) Heard(m seam.Message) {
	r.heard = time.Now()
	switch {
	case m.Snapshot != nil:
		r.setInstances(m.Snapshot.Instances)
		r.numbers.Adopted = m.Snapshot.Adopted
	case m.Event != nil:
		r.happened(*m.Event)
	case m.Status != nil:
		r.setInstances(m.Status.Instances)
		r.numbers = m.Status.Router
		r.answer(m.Status.Token, m)
	case m.HandoverDone != nil:
		r.answer(m.HandoverDone.Token, m)
	}
}

func (r *Router) setInstances(all []vrrp.Status) {
	r.instances = make(map[vrrp.ID]vrrp.Status, len(all))
	for _, s := range all {
		r.instances[s.ID] = s
	}
}

func (r *Router) happened(e seam.Event) {
	if t := e.Transition; t != nil {
		s := r.instances[t.ID]
		s.ID, s.Name, s.State, s.Priority, s.Reason, s.Since = t.ID, t.Name, t.To, t.Priority, t.Reason, e.Event.Time
		r.instances[t.ID] = s
	}
	if n := e.Notice; n != nil && n.Kind == "priority" {
		s := r.instances[n.ID]
		s.ID, s.Priority = n.ID, n.Priority
		r.instances[n.ID] = s
	}
}

// Away says that the router has been silent for longer than a living one would be.
func (r *Router) Away() bool { return time.Since(r.heard) > awayAfter }

// Numbers are what the router last said of its own process.
func (r *Router) Numbers() seam.RouterStatus { return r.numbers }

// Instance is the last state of one instance; the zero Status if it is not known.
func (r *Router) Instance(id vrrp.ID) vrrp.Status { return r.instances[id] }

// Instances are the last states of all instances by identity. They are not to be changed.
func (r *Router) Instances() map[vrrp.ID]vrrp.Status { return r.instances }

// ByName are the last states of all instances, in the order of their names.
func (r *Router) ByName() []vrrp.Status {
	return slices.SortedFunc(maps.Values(r.instances), func(a, b vrrp.Status) int { return strings.Compare(a.Name, b.Name) })
}

// IsMaster says whether the instance of that name owns its addresses.
func (r *Router) IsMaster(name string) bool {
	for _, s := range r.instances {
		if s.Name == name {
			return s.State == vrrp.Master
		}
	}
	return false
}

// Owns says whether the instance owns its addresses.
func (r *Router) Owns(id vrrp.ID) bool { return r.instances[id].State == vrrp.Master }

// Ask sends the message that question makes; the router answers it with the same token, and then hears the answer. cancel stops waiting.
func (r *Router) Ask(question func(token uint64) seam.Message, then func(seam.Message)) (cancel func()) {
	r.tokens++
	token := r.tokens
	r.waiting[token] = then
	r.send(question(token))
	return func() { delete(r.waiting, token) }
}

// Refresh asks the router for its present state; then is called when it is here.
func (r *Router) Refresh(then func()) (cancel func()) {
	return r.Ask(func(token uint64) seam.Message { return seam.Message{Query: &seam.Query{Token: token}} }, func(seam.Message) { then() })
}

func (r *Router) answer(token uint64, m seam.Message) {
	if then := r.waiting[token]; then != nil {
		delete(r.waiting, token)
		then(m)
	}
}

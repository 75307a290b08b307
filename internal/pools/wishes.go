package pools

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/state"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

// LoadIntent takes up what operators wanted before this process: call it before the first Reconfigure.
func (s *Set) LoadIntent() {
	if s.o.StateDir == "" {
		return
	}
	var err error
	if s.intent, err = state.LoadIntent(s.o.StateDir); err != nil {
		s.o.Bus.Publish(event.StateUnreadable.With("intent.json", err))
	}
}

// Drain gives a server no new connections, for as long as the wish says.
func (s *Set) Drain(virtual, real string, w ipvssync.Drain) error {
	p, server, err := s.find(virtual, real)
	if err != nil {
		return err
	}
	w.Since = time.Now()
	changes := p.Drain(w.Since, server, w)
	s.intent.Drain(state.Drain{Virtual: p.Spec().ID, Real: server, Since: w.Since, Timeout: w.Timeout, By: w.By, Why: w.Why})
	return s.wished(p, server, "drain", w.By, changes)
}

// Undrain takes a drain back.
func (s *Set) Undrain(virtual, real, by string) error {
	p, server, err := s.find(virtual, real)
	if err != nil {
		return err
	}
	changes := p.Undrain(time.Now(), server)
	s.intent.Undrain(p.Spec().ID, server)
	return s.wished(p, server, "undrain", by, changes)
}

// Weigh sets a weight in place of the configured one; a negative one takes that back.
func (s *Set) Weigh(virtual, real string, weight int, by string) error {
	p, server, err := s.find(virtual, real)
	if err != nil {
		return err
	}
	if weight > ipvssync.MaxWeight {
		return fmt.Errorf("weight %d: the largest is %d", weight, ipvssync.MaxWeight)
	}
	now := time.Now()
	changes := p.SetWeight(now, server, weight)
	s.intent.Weigh(state.Weight{Virtual: p.Spec().ID, Real: server, Weight: weight, Since: now, By: by})
	return s.wished(p, server, fmt.Sprintf("weight %d", weight), by, changes)
}

// wished tells of a wish that was granted, and keeps it.
func (s *Set) wished(p *ipvssync.Pool, server, what, by string, changes []ipvssync.Change) error {
	s.o.Bus.Publish(event.OperatorDrain.With(p.Spec().ID, server, what, by))
	s.changed(p, changes)
	s.CountConnections()
	if err := s.saveIntent(); err != nil {
		return fmt.Errorf("it is done, but will not outlive a restart: %w", err)
	}
	return nil
}

// saveIntent writes at once: an operator's wish must not be lost.
func (s *Set) saveIntent() error {
	if s.o.StateDir == "" {
		return nil
	}
	return s.intent.Save(s.o.StateDir)
}

// keepIntent is saveIntent where nobody waits for the answer.
func (s *Set) keepIntent() {
	if err := s.saveIntent(); err != nil {
		s.o.Bus.Publish(event.StateUnreadable.With("intent.json", err))
	}
}

// noteDrained keeps that a drained server has left the table, so that it does not come back for a moment after a restart.
func (s *Set) noteDrained(virtual, real string) {
	if s.intent.Drained(virtual, real) {
		s.keepIntent()
	}
}

// PruneIntent forgets what operators wanted of servers that are here no more. With keepUnknown, wishes for virtual servers that are not here
// wait: a mistake in the file may keep them from running.
func (s *Set) PruneIntent(keepUnknown bool) {
	n := s.intent.Prune(func(virtual, real string) bool {
		p := s.pools[virtual]
		if p == nil {
			return keepUnknown
		}
		return slices.ContainsFunc(p.Spec().Servers, func(rs ipvssync.RealServer) bool { return rs.ID == real })
	})
	if n > 0 {
		s.keepIntent()
	}
}

// find resolves what an operator wrote: an id as status shows it, without regard to case, or an address and port, or
// an address alone, that only one has.
func (s *Set) find(virtual, real string) (*ipvssync.Pool, string, error) {
	id, err := resolve("virtual server", virtual, s.order)
	if err != nil {
		return nil, "", err
	}
	p := s.pools[id]
	var servers []string
	for _, rs := range p.Spec().Servers {
		servers = append(servers, rs.ID)
	}
	server, err := resolve("real server", real, servers)
	return p, server, err
}

func resolve(what, name string, all []string) (string, error) {
	var found, byAddress []string
	for _, id := range all {
		if strings.EqualFold(id, name) {
			return id, nil
		}
		if _, rest, _ := strings.Cut(id, " "); name != "" && strings.EqualFold(rest, name) {
			found = append(found, id)
		}
		if a, err := netip.ParseAddr(name); err == nil && addressOf(id) == a {
			byAddress = append(byAddress, id)
		}
	}
	if len(found) == 0 {
		found = byAddress
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", fmt.Errorf("there is no %s %q; 'holdfast status' shows their names", what, name)
	}
	return "", fmt.Errorf("%s %q could be %s: say which", what, name, strings.Join(found, " or "))
}

// addressOf is the address in an id such as "TCP 192.0.2.1:80" or "10.0.0.1:80"; none in that of a mark or a group.
func addressOf(id string) netip.Addr {
	_, rest, ok := strings.Cut(id, " ")
	if !ok {
		rest = id
	}
	ap, _ := netip.ParseAddrPort(rest)
	return ap.Addr()
}

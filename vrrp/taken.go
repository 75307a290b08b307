package vrrp

import (
	"fmt"
	"time"
)

const (
	// takenLimit removals of one thing within takenWindow are a fight that this router does not win: it goes to FAULT for takenPause, so
	// that the peer serves.
	takenLimit  = 5
	takenWindow = 60 * time.Second
	takenPause  = 60 * time.Second
)

// taken counts that somebody else removed an address, a route or a rule.
func (ms *Machines) taken(now time.Time, t Taken) {
	m := ms.byID[t.ID]
	if m == nil || m.unit.state != Master || m.unit.giving != nil {
		return
	}
	what, watch := t.What, "route or ip monitor rule"
	if what == "" {
		what, watch = t.Prefix.String(), "address"
	}
	list := m.taken[what]
	for len(list) > 0 && now.Sub(list[0]) > takenWindow {
		list = list[1:]
	}
	list = append(list, now)
	m.taken[what] = list
	if len(list) < takenLimit {
		return
	}
	m.taken = map[string][]time.Time{}
	m.set(timerTaken, now.Add(takenPause))
	ms.trouble(now, Trouble{ID: m.id, Kind: "taken", Detail: fmt.Sprintf(
		"something on this host removed %s %d times in %s: find out what (ip monitor %s) and stop it", what, len(list), takenWindow, watch)})
}

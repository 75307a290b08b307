package vrrp

import (
	"fmt"
	"net/netip"
	"time"
)

const (
	// takenLimit removals of one address within takenWindow are a fight that this router does not win: it goes to FAULT for takenPause, so
	// that the peer serves.
	takenLimit  = 5
	takenWindow = 60 * time.Second
	takenPause  = 60 * time.Second
)

// taken counts that somebody else removed an address.
func (ms *Machines) taken(now time.Time, t Taken) {
	m := ms.byID[t.ID]
	if m == nil || m.unit.state != Master || m.unit.giving != nil {
		return
	}
	list := m.taken[t.Prefix]
	for len(list) > 0 && now.Sub(list[0]) > takenWindow {
		list = list[1:]
	}
	list = append(list, now)
	m.taken[t.Prefix] = list
	if len(list) < takenLimit {
		return
	}
	m.taken = map[netip.Prefix][]time.Time{}
	m.set(timerTaken, now.Add(takenPause))
	ms.trouble(now, Trouble{ID: m.id, Kind: "taken", Detail: fmt.Sprintf(
		"something on this host removed %s %d times in %s: find out what (ip monitor address) and stop it", t.Prefix, len(list), takenWindow)})
}

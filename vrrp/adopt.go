package vrrp

import "time"

// adopt continues what was before a crash. It comes after the first Apply and before the first Tick, so every unit is INIT still.
// A unit is MASTER again when every member was.
func (ms *Machines) adopt(now time.Time, ev Adopt) {
	was := map[ID]Adopted{}
	for _, a := range ev.Instances {
		was[a.ID] = a
	}
	for _, t := range ev.Tracks {
		ms.tracks[t.ID] = t
	}
	for _, u := range ms.units {
		if u.state != Init || u.stopped {
			continue
		}
		state, masters := Master, 0
		for _, m := range u.members {
			switch was[m.id].State {
			case Master:
				masters++
			case Backup:
				state = Backup
			default:
				state = Init
			}
			if state == Init {
				break
			}
		}
		if state != Init {
			for _, m := range u.members {
				m.adopted = was[m.id].Priority
			}
			u.startAt = time.Time{}
			for _, m := range u.members {
				m.priority = ms.priorityOf(m)
			}
		}
		switch {
		case state == Master:
			ms.master(now, u, nil, ReasonAdopted)
		case state == Backup:
			if masters > 0 {
				for _, m := range u.members {
					ms.emit(Hold{ID: m.id})
				}
			}
			ms.backup(now, u, nil, ReasonAdopted)
		}
		ms.evaluate(now, u)
	}
}

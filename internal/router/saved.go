package router

import (
	"fmt"
	"time"

	"github.com/holdfast-ha/holdfast/vrrp"
)

// savedVersion changes when Saved does: another version's state is not believed.
const savedVersion = 1

// Saved is what a router leaves behind for the one that may follow it.
type Saved struct {
	Version int
	BootID  string
	NetNS   string
	Gen     uint64
	// Config is the last Apply, verbatim.
	Config    *vrrp.Config
	Instances []SavedInstance
	// Tracks are the last known values of scripts, files and processes.
	Tracks []vrrp.Track
	// Settings are former values of kernel settings changed for virtual MACs, by "INTERFACE/NAME".
	Settings map[string]string `json:",omitempty"`
}

// SavedInstance is what one instance was and held.
type SavedInstance struct {
	ID       vrrp.ID
	State    vrrp.State
	Priority uint8
	// Index and MAC are its interface's.
	Index int
	MAC   string
	// Held are the addresses it held, their interfaces filled in.
	Held []vrrp.Address
}

// port is what adoption needs to know of an interface.
type port struct {
	index int
	mac   string
	up    bool
}

// believe decides what of a former router's state may be continued: what was MASTER or BACKUP, on the same interface, not longer ago than two
// advertisement intervals (one less than peers miss before they take over). The last advert was then sent less than three intervals ago and no
// peer can have taken over. why names for every
// other instance the reason.
func believe(s Saved, bootID, netNS string, age time.Duration, ports map[string]port) (adopted []vrrp.Adopted, why map[vrrp.ID]string) {
	why = map[vrrp.ID]string{}
	config := map[vrrp.ID]vrrp.Instance{}
	if s.Config != nil {
		for _, i := range s.Config.Instances {
			config[i.ID()] = i
		}
	}
	for _, i := range s.Instances {
		c, known := config[i.ID]
		p, there := ports[i.ID.Interface]
		switch {
		case s.Version != savedVersion:
			why[i.ID] = fmt.Sprintf("the state has version %d, this is %d", s.Version, savedVersion)
		case s.BootID != bootID:
			why[i.ID] = "the machine was booted since"
		case s.NetNS != netNS:
			why[i.ID] = "the state is of another network namespace"
		case !known:
			why[i.ID] = "the instance is not in the stored configuration"
		case !there:
			why[i.ID] = "its interface is gone"
		case p.index != i.Index || p.mac != i.MAC:
			why[i.ID] = "its interface is another one now"
		case age < 0 || age >= window(c):
			why[i.ID] = fmt.Sprintf("the last sign of life is %s old, more than %s", age.Round(time.Millisecond), window(c))
		case i.State != vrrp.Master && i.State != vrrp.Backup:
			why[i.ID] = "it was " + i.State.String()
		default:
			adopted = append(adopted, vrrp.Adopted{ID: i.ID, State: i.State, Priority: i.Priority})
		}
	}
	return adopted, why
}

// window is how old the last sign of life may be.
func window(i vrrp.Instance) time.Duration {
	adverts := i.DownTimerAdverts
	if adverts <= 0 {
		adverts = 3
	}
	return time.Duration(max(adverts-1, 1)) * i.Interval
}

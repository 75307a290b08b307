package balancer

import (
	"runtime/debug"

	"github.com/holdfast-ha/holdfast/config"
)

// whole is the Model with its real servers; nil when there is none, as before the first configuration.
func (in *inputs) whole() *config.Model {
	if in.packed == nil {
		return in.Model
	}
	m, err := in.packed.Unpack()
	if err != nil {
		return nil // cannot be: this process packed it. The reload goes on without a plan to show.
	}
	return m
}

// pack puts the real servers of the Model away once a change is over: half of the memory that ten thousand checks take is theirs, and only
// the next change asks for them.
func (d *daemon) pack() {
	m := d.in.Model
	if m == nil || d.in.packed != nil {
		return
	}
	go func() {
		debug.FreeOSMemory() // first what the reading left behind: several times as much as the values
		rest, packed, err := m.Pack()
		d.inbox.post(func() {
			if err == nil && d.in.Model == m {
				d.in.Model, d.in.packed = rest, packed
			}
			go debug.FreeOSMemory()
		})
	}()
}

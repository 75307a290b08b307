package reading

import (
	"runtime/debug"

	"github.com/holdfast-ha/holdfast/config"
)

// whole is the Model with its real servers; nil when there is none, as before the first configuration.
func (r *Reading) whole() *config.Model {
	if r.packed == nil {
		return r.Model
	}
	m, err := r.packed.Unpack()
	if err != nil {
		return nil // cannot be: this process packed it. The reload goes on without a plan to show.
	}
	return m
}

// Pack puts the real servers of the Model away once a change is over: half of the memory that ten thousand checks take is theirs, and only
// the next change asks for them. The work is done elsewhere; its result comes through post.
func (r *Reading) Pack(post func(func())) {
	m := r.Model
	if m == nil || r.packed != nil {
		return
	}
	go func() {
		debug.FreeOSMemory() // first what the reading left behind: several times as much as the values
		rest, packed, err := m.Pack()
		post(func() {
			if err == nil && r.Model == m {
				r.Model, r.packed = rest, packed
			}
			go debug.FreeOSMemory()
		})
	}()
}

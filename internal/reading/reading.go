package reading

import (
	"errors"
	"io/fs"
	"net/netip"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/assemble"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

// Reading is one configuration as it was read. The zero value is none.
type Reading struct {
	// Inputs are what it means for every room. Between two changes its Model has no real servers: the others have what they need of them.
	assemble.Inputs
	// Private are the services of the checks through the forwarding path.
	Private []ipvssync.Service
	// Sources are the addresses from which such checks through NAT come.
	Sources []netip.Addr
	// Diags are what was found in the files.
	Diags config.Diagnostics
	// Plan is what leads here from the configuration that was in force when this one was read: what holdfast plan shows.
	Plan []config.Change

	// packed is the whole Model while it has no real servers.
	packed *config.Packed
}

// Parse reads a configuration from a file system.
type Parse func(fs.FS) (*config.Model, config.Diagnostics)

// Read reads a configuration; before is the one in force. With ten thousand services that takes a while. Of a configuration that is refused
// there are only the Diags. The error is about the mark of reload_file: a reading does not depend on it.
func Read(parse Parse, files fs.FS, before Reading) (Reading, error) {
	mark := ""
	if before.Model != nil {
		mark = before.Model.Global.ReloadFile
	}
	failed := markReading(mark)
	model, diags := parse(files)
	r := Reading{Diags: diags}
	if mark == "" && !r.Refused() { // the first reading: somebody may wait for its end
		mark = model.Global.ReloadFile
	}
	failed = errors.Join(failed, doneReading(mark))
	if !r.Refused() {
		r.Inputs, r.Private, r.Sources = assemble.All(model), assemble.ForwardServices(model), assemble.ForwardSources(model)
		if whole := before.whole(); whole != nil {
			r.Plan = config.Diff(whole, model)
		}
	}
	return r, failed
}

// Refused says that nothing of it may run.
func (r *Reading) Refused() bool { return r.Diags.RefuseStart() }

// Renew takes the files' present words from a reading that asks for the same.
func (r *Reading) Renew(same Reading) { r.Model, r.packed, r.Diags = same.Model, nil, same.Diags }

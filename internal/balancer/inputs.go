package balancer

import (
	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/assemble"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

// inputs are one configuration as it was read.
type inputs struct {
	// Between two changes its Model has no real servers: the others have what they need of them.
	assemble.Inputs
	// packed is the whole Model while that is so.
	packed *config.Packed
	// private are the services of the checks through the forwarding path.
	private []ipvssync.Service
	diags   config.Diagnostics
	// plan is what leads here from the configuration that was in force when this one was read: what holdfast plan shows.
	plan []config.Change
}

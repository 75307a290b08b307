package balancer

import (
	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/assemble"
)

// inputs are one configuration as it was read.
type inputs struct {
	assemble.Inputs
	diags config.Diagnostics
	// plan is what leads here from the configuration that was in force when this one was read: what holdfast plan shows.
	plan []config.Change
}

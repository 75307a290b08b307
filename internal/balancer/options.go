package balancer

import (
	"context"
	"io/fs"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/outside"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

// Options are the outside world of the balancer: real doers in the daemon, fakes in tests.
type Options struct {
	// Version is what status shows.
	Version string
	// ConfigFile is what status and events call the configuration; Read reads it from a file system, as often as it is asked to.
	ConfigFile string
	Read       func(fs.FS) (*config.Model, config.Diagnostics)
	// Files are the files of this machine.
	Files fs.FS
	// RunDir has checks.json and the control socket; "" for neither.
	RunDir string
	// StateDir has the operators' intent (drain, weight), which outlives a boot; "" keeps it in memory.
	StateDir string
	// Host identifies boot and network namespace: records of another one are not believed.
	Host string
	// Kernel is IPVS.
	Kernel ipvssync.Kernel
	// Prober and Clock make the checks.
	Prober checkers.Prober
	Clock  checkers.Clock
	// Programs run what the operators name; nil: nothing is tracked and nobody is notified. Run closes them.
	Programs *outside.Programs
	// Bus takes the balancer's own events. Its sinks do not include the recent ones, which Run adds.
	Bus *event.Bus
	// SetLevel changes the level of the balancer's log; Losses is how many of its lines were lost, and the error if
	// they were refused. Both may be nil.
	SetLevel func(level string) error
	Losses   func() (uint64, error)
	// Release lets go of the recorded addresses of a dead router unless somebody holds its lock, and says what it removed.
	Release func(ctx context.Context) (removed []string, err error)
	// KeepIPVS leaves the tables in place at stop (keepalived -I).
	KeepIPVS bool
	// ReconcileEvery is the time between two read-backs of IPVS; 0 for the default.
	ReconcileEvery time.Duration
}

// Exit codes of Run, which the process ends with.
const (
	// ExitClean: stopped as asked.
	ExitClean = 0
	// ExitFatal: the router is gone.
	ExitFatal = 1
	// ExitConfig: there is no configuration that could run.
	ExitConfig = 2
)

package balancer

import (
	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/reading"
	"github.com/holdfast-ha/holdfast/internal/state"
)

// keepSources keeps the files of the configuration in force, for a balancer that starts while the files are bad.
func (d *daemon) keepSources(s *state.Recorder) {
	if d.o.RunDir == "" || s == nil {
		return
	}
	d.writers.Go(func() {
		if err := s.Save(d.o.RunDir); err != nil {
			d.bus.Publish(event.StateUnreadable.With("config.zip", err))
		}
	})
}

// fallBack is the start of a balancer whose file has errors. Where the router runs a configuration already, the last good one goes on, as it
// would have if this process had not died; otherwise there is nothing to run.
func (d *daemon) fallBack() {
	if d.gen == 0 || d.o.RunDir == "" {
		d.finish(ExitConfig)
		return
	}
	files, err := state.Sources(d.o.RunDir)
	if err != nil {
		d.bus.Publish(event.StateUnreadable.With("config.zip", err))
		d.finish(ExitConfig)
		return
	}
	d.change.sources = nil
	rejected := d.rejected
	d.readFrom(files, func(in reading.Reading) {
		if in.Refused() {
			d.finish(ExitConfig)
			return
		}
		d.bus.Publish(event.ConfigLastGood.With(d.o.ConfigFile))
		d.onRead(in)
		d.keepRejected = rejected
	})
}

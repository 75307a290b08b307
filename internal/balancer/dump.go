package balancer

import (
	"github.com/holdfast-ha/holdfast/internal/event"
)

// dump writes what a signal of keepalived's exporters asks for.
func (d *daemon) dump(kind string) {
	d.bus.Publish(event.DumpWritten.With(kind, "", "not built yet"))
}

package balancer

import (
	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/script"
)

// runScript runs startup_script or shutdown_script; then follows when it has ended, however it ended.
func (d *daemon) runScript(which string, c script.Command, then func()) {
	if d.o.Programs == nil || c.Empty() {
		then()
		return
	}
	go func() {
		r := d.o.Programs.notify.Run(d.ctx, which, c)
		d.inbox.post(func() {
			d.bus.Publish(event.ScriptRan.With(which, c.String(), r.Reason(), r.OK()))
			then()
		})
	}()
}

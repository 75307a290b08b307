package balancer

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/internal/event"
)

// savedVersion changes when checks.json means something else.
const savedVersion = 1

// savedChecks is RUN/checks.json: verdicts that a restart continues, so that a failed server stays out until a check passes.
type savedChecks struct {
	Version int              `json:"version"`
	Host    string           `json:"host"`
	Checks  []checkers.Saved `json:"checks"`
}

func (d *daemon) checksFile() string { return filepath.Join(d.o.RunDir, "checks.json") }

// restoreChecks continues the verdicts of the process before, and says whether there were any.
func (d *daemon) restoreChecks() bool {
	if d.o.RunDir == "" {
		return false
	}
	var s savedChecks
	err := readJSON(d.checksFile(), &s)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		d.bus.Publish(event.StateUnreadable.With(d.checksFile(), err))
	case s.Version == savedVersion && s.Host == d.o.Host:
		d.sched.Restore(s.Checks)
		return true
	}
	return false
}

// saveSoon writes verdicts that changed, one writer at a time, beside the owner.
func (d *daemon) saveSoon() {
	if !d.unsaved || d.saving || d.o.RunDir == "" || d.stopping || d.finished || !d.started {
		return
	}
	d.unsaved, d.saving = false, true
	s := savedChecks{Version: savedVersion, Host: d.o.Host, Checks: d.sched.Snapshot()}
	d.writers.Go(func() {
		err := writeJSON(d.checksFile(), s)
		d.inbox.post(func() {
			d.saving = false
			if err != nil {
				d.bus.Publish(event.StateUnreadable.With(d.checksFile(), err))
			}
		})
	})
}

// maxState bounds what is believed to be a state file of ours.
const maxState = 64 << 20

func readJSON(name string, into any) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if info.Size() > maxState {
		return fmt.Errorf("read %s: %d bytes are more than such a file ever has", name, info.Size())
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("understand %s: %w", name, err)
	}
	return nil
}

// writeJSON replaces the file as a whole, mode 0600.
func writeJSON(name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	tmp := name + ".new"
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, name)
}

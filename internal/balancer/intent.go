package balancer

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

// intent is what operators want of single servers beyond the configuration. It is kept over restarts and boots, with who and when.
type intent struct {
	Drains  []drainIntent  `json:"drains,omitempty"`
	Weights []weightIntent `json:"weights,omitempty"`
}

type drainIntent struct {
	Virtual string        `json:"virtual_server"`
	Real    string        `json:"real_server"`
	Since   time.Time     `json:"since"`
	Timeout time.Duration `json:"timeout,omitempty"`
	By      string        `json:"by"`
	Why     string        `json:"why,omitempty"`
}

type weightIntent struct {
	Virtual string    `json:"virtual_server"`
	Real    string    `json:"real_server"`
	Weight  int       `json:"weight"`
	Since   time.Time `json:"since"`
	By      string    `json:"by"`
}

// impose gives a pool what operators want of its servers. Servers that are drained already are left alone.
func (in *intent) impose(now time.Time, p *ipvssync.Pool) (changes []ipvssync.Change) {
	st := p.Status()
	find := func(server string) *ipvssync.ServerStatus {
		for i := range st.Servers {
			if st.Servers[i].ID == server {
				return &st.Servers[i]
			}
		}
		return nil
	}
	for _, x := range in.Drains {
		if s := find(x.Real); x.Virtual == st.ID && s != nil && s.Drain.Since.IsZero() {
			changes = append(changes, p.Drain(now, x.Real, ipvssync.Drain{Since: x.Since, Timeout: x.Timeout, By: x.By, Why: x.Why})...)
		}
	}
	for _, x := range in.Weights {
		if s := find(x.Real); x.Virtual == st.ID && s != nil && s.Override != x.Weight {
			changes = append(changes, p.SetWeight(now, x.Real, x.Weight)...)
		}
	}
	return changes
}

func (in *intent) drain(x drainIntent) {
	in.undrain(x.Virtual, x.Real)
	in.Drains = append(in.Drains, x)
}

func (in *intent) undrain(virtual, real string) {
	in.Drains = slices.DeleteFunc(in.Drains, func(x drainIntent) bool { return x.Virtual == virtual && x.Real == real })
}

// weight records a wish; a negative one takes it back.
func (in *intent) weight(x weightIntent) {
	in.Weights = slices.DeleteFunc(in.Weights, func(o weightIntent) bool { return o.Virtual == x.Virtual && o.Real == x.Real })
	if x.Weight >= 0 {
		in.Weights = append(in.Weights, x)
	}
}

func (d *daemon) intentFile() string { return filepath.Join(d.o.StateDir, "intent.json") }

func (d *daemon) loadIntent() {
	if d.o.StateDir == "" {
		return
	}
	if err := readJSON(d.intentFile(), &d.intent); err != nil && !errors.Is(err, os.ErrNotExist) {
		d.bus.Publish(event.StateUnreadable.With(d.intentFile(), err))
	}
}

// saveIntent writes at once: an operator's wish must not be lost.
func (d *daemon) saveIntent() error {
	if d.o.StateDir == "" {
		return nil
	}
	if err := os.MkdirAll(d.o.StateDir, 0o700); err != nil {
		return err
	}
	return writeJSON(d.intentFile(), d.intent)
}

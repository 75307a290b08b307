package router

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"reflect"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/keep"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// replayFile holds the auth_hmac sequences. Other than the state for adoption it outlives an orderly stop: an advertisement captured before it
// must not be accepted after it.
const replayFile = "replay.json"

// loadSequences reads the sequences of a former router; none if there is no file.
func loadSequences(dir string) ([]vrrp.Sequences, error) {
	b, err := keep.Read(filepath.Join(dir, replayFile), maxSaved)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var all []vrrp.Sequences
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil {
		return nil, fmt.Errorf("read the auth_hmac sequences of a former router: %w", err)
	}
	return all, nil
}

func writeSequences(dir string, all []vrrp.Sequences) error {
	b, err := json.Marshal(all)
	if err == nil {
		err = keep.Write(filepath.Join(dir, replayFile), b, 0o600)
	}
	if err != nil {
		return fmt.Errorf("store the auth_hmac sequences for a following router: %w", err)
	}
	return nil
}

// recallSequences gives the machines what a former router remembered. What cannot be read is told and does without.
func (r *loop) recallSequences() {
	all, err := r.Store.Sequences()
	if err != nil {
		r.tell(event.RouterKernel.With(replayFile, err))
	}
	for _, s := range all {
		r.machines.Step(time.Now(), s)
	}
	r.sequences = r.machines.Sequences()
}

// saveSequences stores the sequences if they have changed. It is called every second: what an attacker captured in the last second before a crash
// is what he may replay after it.
func (r *loop) saveSequences() {
	now := r.machines.Sequences()
	if len(now) == 0 || reflect.DeepEqual(now, r.sequences) {
		return
	}
	r.sequences = now
	r.Store.SaveSequences(now)
}

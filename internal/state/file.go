package state

import (
	"encoding/json"
	"fmt"

	"github.com/holdfast-ha/holdfast/internal/keep"
)

// maxState bounds what is believed to be a state file of ours.
const maxState = 64 << 20

func read(name string, into any) error {
	b, err := keep.Read(name, maxState)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("understand %s: %w", name, err)
	}
	return nil
}

// write replaces the file as a whole, mode 0600.
func write(name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return keep.Write(name, b, 0o600)
}

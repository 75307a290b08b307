package state

import (
	"encoding/json"
	"fmt"
	"os"
)

// maxState bounds what is believed to be a state file of ours.
const maxState = 64 << 20

func read(name string, into any) error {
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

// write replaces the file as a whole, mode 0600.
func write(name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return replace(name, b)
}

func replace(name string, b []byte) error {
	tmp := name + ".new"
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, name)
}

package state

import (
	"bufio"
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
	return replaceBy(name, func(w *bufio.Writer) error { _, err := w.Write(b); return err })
}

// replaceBy replaces the file by what fill writes.
func replaceBy(name string, fill func(*bufio.Writer) error) error {
	tmp := name + ".new"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 32<<10)
	err = fill(w)
	if e := w.Flush(); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp, name)
}

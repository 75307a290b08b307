package reading

import (
	"errors"
	"os"
	"syscall"
)

// markReading creates or empties the file that says that the configuration is being read (reload_file); those who write the configuration wait
// until it is gone. It never follows a link.
func markReading(name string) error {
	if name == "" {
		return nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// doneReading removes that file.
func doneReading(name string) error {
	if name == "" {
		return nil
	}
	if err := os.Remove(name); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

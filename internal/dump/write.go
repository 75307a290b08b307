package dump

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// Name is where keepalived writes a dump: TMPDIR or /tmp, unless the configuration says another file.
func Name(configured, name string) string {
	if configured != "" {
		return configured
	}
	return filepath.Join(os.TempDir(), name)
}

// Write replaces the file as a whole, mode 0600: a link that somebody put there is replaced, never followed. Afterwards it opens and closes the file
// for writing once more: who waits with inotify for the end of a write under the final name (VyOS does) hears of it.
func Write(name string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*") // O_EXCL, mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	if told, err := os.OpenFile(name, os.O_WRONLY|syscall.O_NOFOLLOW, 0); err == nil {
		told.Close()
	}
	return nil
}

package logs

import (
	"fmt"
	"os"
)

// File is a log file. A file that was moved away or removed, as logrotate does, is left and begun anew under its name.
type File struct {
	path string
	open *os.File
	is   os.FileInfo
	torn bool // the last line is there in part: the disk was full
}

// OpenFile opens the file at path for appending and creates it with mode 0600 if there is none.
func OpenFile(path string) (*File, error) {
	f := &File{path: path}
	if err := f.reopen(); err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	return f, nil
}

func (f *File) reopen() error {
	file, err := os.OpenFile(f.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	is, err := file.Stat()
	if err != nil {
		file.Close()
		return err
	}
	if f.open != nil {
		f.open.Close()
	}
	f.open, f.is, f.torn = file, is, false
	return nil
}

// Write appends one line. Where the name cannot be opened again it goes to the file that was there before. It is for one goroutine.
func (f *File) Write(p []byte) (int, error) {
	if is, err := os.Stat(f.path); err != nil || !os.SameFile(is, f.is) {
		_ = f.reopen()
	}
	if f.torn {
		if _, err := f.open.Write([]byte("\n")); err != nil {
			return 0, err
		}
		f.torn = false
	}
	n, err := f.open.Write(p)
	f.torn = err != nil && n > 0
	return n, err
}

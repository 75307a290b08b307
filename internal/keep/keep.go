package keep

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Write replaces the file as a whole by b, with this mode: written beside as NAME.new, then renamed. One writer at a time for each name.
func Write(name string, b []byte, mode os.FileMode) error {
	return Fill(name, mode, func(w *bufio.Writer) error { _, err := w.Write(b); return err })
}

// Fill is Write for what is better not in memory as a whole: the file gets what fill writes. When fill fails the old file stays.
func Fill(name string, mode os.FileMode, fill func(*bufio.Writer) error) error {
	temp := name + ".new"
	_ = os.Remove(temp) // of a writer that died; what cannot be removed shows below
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, mode)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 32<<10)
	if err = fill(w); err == nil {
		err = w.Flush()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temp, name)
	}
	if err != nil {
		_ = os.Remove(temp)
	}
	return err
}

// Read reads a regular file of at most limit bytes. Without one the error is fs.ErrNotExist.
func Read(name string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read %s: it is not a regular file", name)
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("read %s: more than %d bytes, larger than such a file ever is", name, limit)
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// Directory makes dir if it does not exist (mode 0755) and refuses one in which other users could replace our files: one that everybody may write
// to, or that belongs to somebody else.
func Directory(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o002 != 0 {
		return fmt.Errorf("%s may be written to by everybody: choose a directory of its own, or run: chmod o-w %s", dir, dir)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to the user with id %d: choose a directory of its own, or run: chown root %s", dir, st.Uid, dir)
	}
	return nil
}

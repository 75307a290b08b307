package track

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/internal/keep"
)

const (
	// settle is how long after the first sign of a change a directory is left alone before its files are read: an editor's
	// write and rename come as several signs.
	settle = 10 * time.Millisecond
	// rescan is how often every file is read without a sign: signs get lost when the kernel's queue overflows, when a directory
	// appears later, and when the file is a symbolic link to elsewhere.
	rescan = 5 * time.Second
	// limit is the most a value can matter: priorities go from 1 to 255.
	limit = 254
)

// parseNumber reads the first number of a file: blanks, a sign, digits, and nothing else matters. No number is 0; the result is
// limited to -254..254.
func parseNumber(text []byte) int {
	i := 0
	for i < len(text) && (text[i] == ' ' || text[i] >= '\t' && text[i] <= '\r') {
		i++
	}
	sign := 1
	if i < len(text) && (text[i] == '-' || text[i] == '+') {
		if text[i] == '-' {
			sign = -1
		}
		i++
	}
	n := 0
	for ; i < len(text) && text[i] >= '0' && text[i] <= '9'; i++ {
		n = min(n*10+int(text[i]-'0'), limit)
	}
	return sign * n
}

// readText reads the value of a file, and gives the text that was looked at. It never blocks (a FIFO is refused) and never reads much.
func readText(path string) (number int, reason string, text string) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, "the file does not exist", ""
	}
	if err != nil {
		return 0, err.Error(), ""
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return 0, path + " is not a regular file", ""
	}
	buf := make([]byte, 128)
	n, err := io.ReadFull(f, buf)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, fmt.Sprintf("read %s: %v", path, err), ""
	}
	reason = "read from " + path
	if text := strings.TrimSpace(string(buf[:n])); text != "" && strings.IndexFunc(strings.TrimLeft(text, "+-"), func(c rune) bool { return c < '0' || c > '9' }) == 0 {
		reason = fmt.Sprintf("%s begins with no number: %q", path, text)
	}
	return parseNumber(buf[:n]), reason, string(buf[:n])
}

// fileWatch watches the directories of all tracked files: a file that is replaced by a rename is a new file, of which a watch on
// the old one would never hear.
type fileWatch struct {
	set      *Set
	notify   *fsnotify.Watcher // nil when the kernel gives none: everything is polled
	kick     chan struct{}
	done     chan struct{}
	problems map[string]string // directory: what kept it from being watched, told once

	mu    sync.Mutex
	files map[string]File
	dirs  map[string]bool
	texts map[string]string // what was read last, by ID
}

func newFileWatch(s *Set) *fileWatch {
	w := &fileWatch{set: s, kick: make(chan struct{}, 1), done: make(chan struct{}), problems: map[string]string{},
		files: map[string]File{}, dirs: map[string]bool{}, texts: map[string]string{}}
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		s.bus.Publish(event.TrackProblem.With("file", fmt.Errorf("inotify: %w: files are read every %v instead", err, rescan)))
	} else {
		w.notify = notify
	}
	go w.run()
	return w
}

func (w *fileWatch) apply(files []File) {
	w.mu.Lock()
	wanted := map[string]File{}
	for _, f := range files {
		f.Path = filepath.Clean(f.Path)
		if _, had := w.files[f.ID]; !had && f.Init {
			w.create(f)
		}
		wanted[f.ID] = f
	}
	w.files = wanted
	w.mu.Unlock()
	w.readAll()
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

// create makes the file, by a rename, so that nobody reads it half written.
func (w *fileWatch) create(f File) {
	if _, err := os.Stat(f.Path); err == nil && !f.Overwrite {
		return
	}
	if err := keep.Write(f.Path, []byte(strconv.Itoa(f.InitValue)+"\n"), 0o644); err != nil {
		w.set.bus.Publish(event.TrackProblem.With(f.ID, fmt.Errorf("create with init_file: %w", err)))
	}
}

func (w *fileWatch) run() {
	defer close(w.done)
	var events chan fsnotify.Event
	var errs chan error
	if w.notify != nil {
		events, errs = w.notify.Events, w.notify.Errors
		defer w.notify.Close()
	}
	w.watchDirs()
	again := time.NewTicker(rescan)
	defer again.Stop()
	var soon <-chan time.Time
	for {
		select {
		case <-w.set.ctx.Done():
			return
		case <-w.kick:
			w.watchDirs()
			w.readAll()
		case <-again.C:
			w.watchDirs()
			w.readAll()
		case ev := <-events:
			if soon == nil && ev.Op != fsnotify.Chmod && w.concerns(ev.Name) {
				soon = time.After(settle)
			}
		case <-errs: // an overflow: read everything
			if soon == nil {
				soon = time.After(settle)
			}
		case <-soon:
			soon = nil
			w.watchDirs()
			w.readAll()
		}
	}
}

// concerns says whether a change of that name may change a value: the file itself, or anything that is neither a tracked file's
// neighbour by chance nor a plain file - a symbolic link on the way to it.
func (w *fileWatch) concerns(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dirs[name] {
		return true
	}
	for _, f := range w.files {
		if f.Path == name {
			return true
		}
	}
	st, err := os.Lstat(name)
	return err != nil || st.Mode()&fs.ModeSymlink != 0
}

// watchDirs brings the watched directories to those of the tracked files.
func (w *fileWatch) watchDirs() {
	if w.notify == nil {
		return
	}
	w.mu.Lock()
	dirs := map[string]bool{}
	for _, f := range w.files {
		dirs[filepath.Dir(f.Path)] = true
	}
	w.dirs = dirs
	w.mu.Unlock()
	have := map[string]bool{}
	for _, d := range w.notify.WatchList() {
		if have[d] = true; !dirs[d] {
			_ = w.notify.Remove(d)
		}
	}
	for d := range dirs {
		if have[d] {
			continue
		}
		err := w.notify.Add(d)
		if err == nil {
			delete(w.problems, d)
		} else if w.problems[d] != err.Error() {
			w.problems[d] = err.Error()
			w.set.bus.Publish(event.TrackProblem.With(d, fmt.Errorf("watch the directory: %w: its files are read every %v instead", err, rescan)))
		}
	}
}

func (w *fileWatch) readAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.files {
		n, reason, text := readText(f.Path)
		w.set.hand(Value{ID: f.ID, Known: true, OK: true, Value: n}, reason)
		if last, had := w.texts[f.ID]; had && last != text && w.set.Touched != nil {
			w.set.Touched(f.ID)
		}
		w.texts[f.ID] = text
	}
}

func (w *fileWatch) close() { <-w.done }

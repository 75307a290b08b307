package router

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/internal/keep"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// Names of the router's files in the run directory.
const (
	stateFile = "router.json"
	aliveFile = "alive"
	lockFile  = "lock"
)

// maxSaved bounds what is believed to be a file of a former router: one with thousands of addresses has a few megabytes.
const maxSaved = 256 << 20

// fileStore keeps the router's state in the run directory: router.json (0600, written beside and renamed) by a goroutine of its own, and the stamp of
// life by the caller, which on tmpfs costs a microsecond. On a disk the stamp goes through the goroutine too.
type fileStore struct {
	dir    string
	memory bool // the directory is on tmpfs
	alive  *os.File

	mu      sync.Mutex
	changed *sync.Cond
	pending *Saved
	replay  []vrrp.Sequences // to be written, nil for none
	stamp   time.Duration    // to be written by the goroutine, 0 for none
	busy    bool
	closed  bool
	failed  error

	config  *vrrp.Config // whose encoding is
	encoded json.RawMessage
}

// newFileStore opens the store; memory says whether the directory is on tmpfs.
func newFileStore(dir string) (s *fileStore, memory bool, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return nil, false, fmt.Errorf("look at the run directory %s: %w", dir, err)
	}
	const ramfs = 0x858458f6
	memory = st.Type == unix.TMPFS_MAGIC || int64(st.Type) == ramfs
	alive, err := os.OpenFile(filepath.Join(dir, aliveFile), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, false, fmt.Errorf("open the stamp of life: %w", err)
	}
	s = &fileStore{dir: dir, memory: memory, alive: alive}
	s.changed = sync.NewCond(&s.mu)
	go s.run()
	return s, memory, nil
}

// savedFile is Saved with the configuration already encoded: it is the large part and changes at reloads only.
type savedFile struct {
	Version       int
	BootID, NetNS string
	Gen           uint64
	Config        json.RawMessage
	Instances     []SavedInstance
	Tracks        []vrrp.Track
	Settings      map[string]string `json:",omitempty"`
}

// loadSaved reads the state in dir; ok is false if there is none.
func loadSaved(dir string) (s Saved, age time.Duration, ok bool, err error) {
	b, err := keep.Read(filepath.Join(dir, stateFile), maxSaved)
	if errors.Is(err, fs.ErrNotExist) {
		return s, 0, false, nil
	}
	if err != nil {
		return s, 0, false, fmt.Errorf("read the state of a former router: %w", err)
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return Saved{}, 0, false, fmt.Errorf("read the state of a former router in %s: %w", filepath.Join(dir, stateFile), err)
	}
	if s.Config == nil {
		s.Config = &vrrp.Config{}
	}
	b, err = keep.Read(filepath.Join(dir, aliveFile), 8)
	if err != nil || len(b) != 8 {
		return s, time.Duration(1<<62 - 1), true, nil // never alive
	}
	age = bootTime() - time.Duration(binary.LittleEndian.Uint64(b))
	if age < 0 { // not a stamp of this boot, or not a stamp
		age = time.Duration(1<<62 - 1)
	}
	return s, age, true, nil
}

func (s *fileStore) Load() (Saved, time.Duration, bool, error) { return loadSaved(s.dir) }

func (s *fileStore) Save(v Saved) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = &v
	s.changed.Broadcast()
}

func (s *fileStore) Sequences() ([]vrrp.Sequences, error) { return loadSequences(s.dir) }

func (s *fileStore) SaveSequences(all []vrrp.Sequences) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replay = all
	s.changed.Broadcast()
}

func (s *fileStore) Stamp() {
	if s.memory {
		s.writeStamp(bootTime())
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stamp = bootTime()
	s.changed.Broadcast()
}

func (s *fileStore) writeStamp(t time.Duration) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(t))
	_, _ = s.alive.WriteAt(b[:], 0) // without it the next router does not adopt; nothing else to do about it
}

func (s *fileStore) run() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for s.pending == nil && s.stamp == 0 && s.replay == nil {
			if s.closed {
				return
			}
			s.changed.Wait()
		}
		v, stamp, replay := s.pending, s.stamp, s.replay
		s.pending, s.stamp, s.replay, s.busy = nil, 0, nil, true
		s.mu.Unlock()
		if stamp != 0 {
			s.writeStamp(stamp)
		}
		var err error
		if v != nil {
			err = s.write(*v)
		}
		if replay != nil {
			_ = writeSequences(s.dir, replay) // tried again in a second, with newer ones
		}
		s.mu.Lock()
		s.busy = false
		if v != nil {
			s.failed = err
		}
		s.changed.Broadcast()
	}
}

func (s *fileStore) write(v Saved) error {
	if s.config != v.Config || s.encoded == nil {
		b, err := json.Marshal(v.Config)
		if err != nil {
			return fmt.Errorf("encode the configuration for a following router: %w", err)
		}
		s.config, s.encoded = v.Config, b
	}
	b, err := json.Marshal(savedFile{v.Version, v.BootID, v.NetNS, v.Gen, s.encoded, v.Instances, v.Tracks, v.Settings})
	if err != nil {
		return fmt.Errorf("encode the state for a following router: %w", err)
	}
	if err := keep.Write(filepath.Join(s.dir, stateFile), b, 0o600); err != nil {
		return fmt.Errorf("store the state for a following router: %w", err)
	}
	return nil
}

// flush waits until everything is written.
func (s *fileStore) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.pending != nil || s.stamp != 0 || s.replay != nil || s.busy {
		s.changed.Wait()
	}
}

func (s *fileStore) Clear() {
	s.flush()
	for _, f := range []string{stateFile, aliveFile} {
		_ = os.Remove(filepath.Join(s.dir, f)) // what is left is not believed: it has no sign of life
	}
}

func (s *fileStore) close() {
	s.flush()
	s.mu.Lock()
	s.closed = true
	s.changed.Broadcast()
	s.mu.Unlock()
	s.alive.Close()
}

// lockDir takes the lock of the run directory, which says that a router runs. It tries for up to wait: somebody may just be looking.
func lockDir(dir string, wait time.Duration) (*os.File, error) {
	path := filepath.Join(dir, lockFile)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the run directory: %w", err)
	}
	for end := time.Now().Add(wait); ; time.Sleep(5 * time.Millisecond) {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if time.Now().After(end) {
			f.Close()
			return nil, fmt.Errorf("%w (%s is locked)", ErrRunning, path)
		}
	}
}

func bootID() string {
	b, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if len(b) < 36 {
		return ""
	}
	return string(b[:36])
}

// netNS identifies the network namespace of the calling thread.
func netNS() string {
	var st unix.Stat_t
	if err := unix.Stat("/proc/thread-self/ns/net", &st); err != nil {
		return ""
	}
	return fmt.Sprintf("%d:%d", st.Dev, st.Ino)
}

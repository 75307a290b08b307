package state

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/holdfast-ha/holdfast/internal/keep"
)

const sourcesFile = "config.zip"

// maxSource bounds what is kept of one file; a larger one is read but not kept.
const maxSource = 64 << 20

// Recorder is a file system that remembers what was read through it: the configuration with everything it includes, byte for byte as it
// was parsed.
type Recorder struct {
	under fs.FS

	mu    sync.Mutex
	files map[string]source
}

type source struct {
	mode fs.FileMode
	data []byte
}

// Record is a Recorder over under.
func Record(under fs.FS) *Recorder { return &Recorder{under: under, files: map[string]source{}} }

// Open implements fs.FS.
func (r *Recorder) Open(name string) (fs.File, error) {
	f, err := r.under.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxSource {
		return f, nil
	}
	return &recorded{File: f, recorder: r, name: name, mode: info.Mode()}, nil
}

// recorded is a file whose content is kept when it was read to its end.
type recorded struct {
	fs.File
	recorder *Recorder
	name     string
	mode     fs.FileMode
	data     []byte
}

func (f *recorded) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	if len(f.data)+n <= maxSource {
		f.data = append(f.data, p[:n]...)
	}
	if errors.Is(err, io.EOF) {
		f.recorder.mu.Lock()
		f.recorder.files[f.name] = source{f.mode, f.data}
		f.recorder.mu.Unlock()
	}
	return n, err
}

// Save keeps what was read in the run directory dir.
func (r *Recorder) Save(dir string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var names []string
	for name := range r.files {
		names = append(names, name)
	}
	slices.Sort(names)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range names {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(r.files[name].mode)
		w, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := w.Write(r.files[name].data); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	return keep.Write(filepath.Join(dir, sourcesFile), b.Bytes(), 0o600)
}

// Sources is the file system of the last good configuration in dir, with the names it had.
func Sources(dir string) (fs.FS, error) {
	b, err := keep.Read(filepath.Join(dir, sourcesFile), maxState)
	if err != nil {
		return nil, err
	}
	return zip.NewReader(bytes.NewReader(b), int64(len(b)))
}

// RemoveSources forgets them: the daemon ended in an orderly way.
func RemoveSources(dir string) { _ = os.Remove(filepath.Join(dir, sourcesFile)) }

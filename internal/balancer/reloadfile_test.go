package balancer

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/internal/seam"
)

// Who writes the configuration creates the file, asks for a reload and waits until the file is gone.
func TestReloadFileIsThereWhileTheConfigurationIsRead(t *testing.T) {
	name := filepath.Join(t.TempDir(), "reload")
	there := func() bool { _, err := os.Lstat(name); return err == nil }
	if err := os.WriteFile(name, []byte("from before"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := model("10.0.0.1")
	m.Global.ReloadFile = name
	w := newWorld(t, m)
	w.start(seam.Snapshot{})
	w.up()
	if there() {
		t.Error("the start has read the configuration, the file is still there")
	}
	var size int64 = -1
	w.mu.Lock()
	w.reread = func() *config.Model {
		if info, err := os.Stat(name); err == nil {
			size = info.Size()
		}
		return m
	}
	w.mu.Unlock()
	if err := os.WriteFile(name, []byte("wait for me"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := control.Do(t.Context(), w.dir, control.Request{Op: control.OpReload, Wait: true}, nil); err != nil {
		t.Fatal(err)
	}
	if size != 0 || there() {
		t.Errorf("while it was read the file had %d bytes (-1: none), afterwards it is there: %v", size, there())
	}
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, name); err != nil {
		t.Fatal(err)
	}
	if err := control.Do(t.Context(), w.dir, control.Request{Op: control.OpReload, Wait: true}, nil); err != nil {
		t.Errorf("a reload does not depend on it: %v", err)
	}
	if b, _ := os.ReadFile(victim); string(b) != "kept" || !w.has("config.problem") {
		t.Errorf("a link is not followed, and that is said: %q", b)
	}
}

package router

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

func TestZombies(t *testing.T) {
	proc := t.TempDir()
	for pid, stat := range map[string]string{
		"10": "10 (sleep) Z 1 10 10 0", "11": "11 (a) Z 9) Z 1 11", "12": "12 (sh) S 1 12", "13": "13 (sleep) Z 12 13", "14": "14 (sleep", "x": "15 (sleep) Z 1",
	} {
		if err := os.Mkdir(filepath.Join(proc, pid), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(proc, pid, "stat"), []byte(stat), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := zombies(proc, 1); !slices.Equal(got, []int{10, 11}) {
		t.Errorf("got %v", got)
	}
}

// A child that nobody waits for is gone after two looks.
func TestOrphansAreReaped(t *testing.T) {
	pid, err := syscall.ForkExec("/bin/true", []string{"true"}, &syscall.ProcAttr{})
	if err != nil {
		t.Fatal(err)
	}
	var before []int
	for deadline := time.Now().Add(20 * time.Second); !slices.Contains(before, pid); <-time.After(5 * time.Millisecond) {
		if before = zombies("/proc", os.Getpid()); time.Now().After(deadline) {
			t.Fatal("it never became a zombie")
		}
	}
	if after := reapAgain("/proc", os.Getpid(), []int{pid}); slices.Contains(after, pid) {
		t.Errorf("%d is still there", pid)
	}
}

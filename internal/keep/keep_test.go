package keep

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestWriteReplacesLinksAndLeftovers(t *testing.T) {
	dir := t.TempDir()
	victim, name := filepath.Join(dir, "victim"), filepath.Join(dir, "state")
	if err := os.WriteFile(victim, []byte("untouched"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{name, name + ".new"} {
		if err := os.Symlink(victim, link); err != nil {
			t.Fatal(err)
		}
	}
	if err := Write(name, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(victim); string(b) != "untouched" {
		t.Errorf("a link was followed: %q", b)
	}
	info, err := os.Lstat(name)
	if err != nil || !info.Mode().IsRegular() || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if b, err := Read(name, 3); err != nil || string(b) != "new" {
		t.Errorf("%q %v", b, err)
	}
	if left, _ := filepath.Glob(name + "?*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestWriteLeavesTheOldFileWhenItFails(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "state")
	if err := os.Mkdir(name, 0o700); err != nil { // a directory cannot be replaced by a file
		t.Fatal(err)
	}
	if err := Write(name, []byte("x"), 0o600); err == nil {
		t.Fatal("no error")
	}
	if left, _ := filepath.Glob(name + "?*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestReadIsSuspicious(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(os.WriteFile(path("big"), []byte("12345"), 0o600), os.Symlink("big", path("link")), syscall.Mkfifo(path("pipe"), 0o600),
		os.Mkdir(path("dir"), 0o700)); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path("none"), 4); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	for _, name := range []string{"big", "link", "pipe", "dir", "none"} {
		if b, err := Read(path(name), 4); err == nil {
			t.Errorf("%s: read %q", name, b)
		}
	}
	if b, err := Read(path("big"), 5); err != nil || string(b) != "12345" {
		t.Errorf("%q %v", b, err)
	}
}

func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := Directory(filepath.Join(dir, "a", "b")); err != nil {
		t.Errorf("a new one: %v", err)
	}
	open := filepath.Join(dir, "open")
	if err := errors.Join(os.Mkdir(open, 0o700), os.Chmod(open, 0o777)); err != nil {
		t.Fatal(err)
	}
	if err := Directory(open); err == nil || !strings.Contains(err.Error(), "chmod") {
		t.Errorf("one that everybody may write to: %v", err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if Directory(file) == nil {
		t.Error("a file is no directory")
	}
	if os.Geteuid() == 0 {
		theirs := filepath.Join(dir, "theirs")
		if err := errors.Join(os.Mkdir(theirs, 0o755), os.Chown(theirs, 65534, 65534)); err != nil {
			t.Fatal(err)
		}
		if err := Directory(theirs); err == nil || !strings.Contains(err.Error(), "65534") {
			t.Errorf("somebody else's: %v", err)
		}
	}
}

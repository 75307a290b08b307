package logs

import (
	"os"
	"path/filepath"
	"testing"
)

func TestARotatedLogIsBegunAnew(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(line string) {
		t.Helper()
		if _, err := f.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	is := func(path, want string) {
		t.Helper()
		if b, err := os.ReadFile(path); err != nil || string(b) != want {
			t.Errorf("%s: %q %v, want %q", path, b, err, want)
		}
	}
	write("one\n")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	write("two\n")
	write("three\n")
	is(path+".1", "one\n")
	is(path, "two\nthree\n")
	if err := os.Truncate(path, 0); err != nil { // logrotate's copytruncate
		t.Fatal(err)
	}
	write("four\n")
	is(path, "four\n")
	if err := os.Rename(dir, dir+".gone"); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir + ".gone")
	write("five\n") // the name cannot be opened
	is(dir+".gone/log", "four\nfive\n")
	if _, err := OpenFile(filepath.Join(dir, "none", "log")); err == nil {
		t.Error("a directory that is not there")
	}
}

func TestATornLineEndsBeforeTheNextOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("half a li")); err != nil {
		t.Fatal(err)
	}
	f.torn = true // as after a write that the disk had no room for
	for _, line := range []string{"one\n", "two\n"} {
		if _, err := f.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "half a li\none\ntwo\n" {
		t.Errorf("%q %v", b, err)
	}
}

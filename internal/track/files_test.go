package track

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestParseNumber(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "5": 5, "-5\n": -5, "  +17 words": 17, "\n\t 8\n9": 8, "x7": 0, "12x": 12, "-": 0, "--4": 0, "253": 253,
		"99999999999999999999": 254, "-300": -254, "0x10": 0, "\x00": 0,
	} {
		if got := parseNumber([]byte(text)); got != want {
			t.Errorf("%q is %d, want %d", text, got, want)
		}
	}
}

func FuzzParseNumber(f *testing.F) {
	for _, s := range []string{"", "1", "-254", " 9999999999999999999999", "+-1"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if n := parseNumber(b); n < -limit || n > limit {
			t.Errorf("%q gave %d", b, n)
		}
	})
}

// within waits until ok says so.
func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestTrackFile(t *testing.T) {
	dir := t.TempDir()
	path, late := filepath.Join(dir, "value"), filepath.Join(dir, "later", "value")
	var got seen
	s := New(newFake(always(0)), got.give, nil)
	defer s.Close()
	conf := []File{{ID: "file/a", Path: path}, {ID: "file/late", Path: late}}
	s.Apply(nil, conf, nil)
	if n, known := s.Number("file/a"); n != 0 || !known {
		t.Errorf("a missing file is worth 0 at once: %d %v", n, known)
	}
	is := func(id string, want int) func() bool {
		return func() bool { n, _ := s.Number(id); return n == want }
	}
	put(t, path, "10\n")
	within(t, "a created file counts", is("file/a", 10))
	put(t, path, "-3")
	within(t, "a written file counts", is("file/a", -3))
	put(t, path+".new", "77")
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	within(t, "a renamed file counts", is("file/a", 77))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	within(t, "a deleted file is worth 0", is("file/a", 0))
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Dir(late), 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, late, "5")
	within(t, "a file in a directory that appears later counts", is("file/late", 5))
	put(t, late, "6")
	within(t, "and is watched then", is("file/late", 6))
	if is("file/a", 0)(); len(s.Values()) != 2 {
		t.Errorf("values %+v", s.Values())
	}
	s.Apply(nil, conf[1:], nil)
	if v := s.Values(); len(v) != 1 || v[0].ID != "file/late" || v[0].Value != 6 {
		t.Errorf("after a reload: %+v", v)
	}
}

func TestTrackFileThroughLinks(t *testing.T) {
	// A mounted ConfigMap: value -> ..data/value, ..data -> a directory that is replaced by renaming the link.
	dir := t.TempDir()
	for _, v := range []string{"1", "2"} {
		if err := os.Mkdir(filepath.Join(dir, "v"+v), 0o755); err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(dir, "v"+v, "value"), v)
	}
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Symlink("v1", filepath.Join(dir, "..data")))
	must(os.Symlink("..data/value", filepath.Join(dir, "value")))
	var got seen
	s := New(newFake(always(0)), got.give, nil)
	defer s.Close()
	s.Apply(nil, []File{{ID: "file/a", Path: filepath.Join(dir, "value")}}, nil)
	must(os.Symlink("v2", filepath.Join(dir, "..tmp")))
	must(os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")))
	within(t, "the new target counts", func() bool { n, _ := s.Number("file/a"); return n == 2 })
}

func TestInitFile(t *testing.T) {
	dir := t.TempDir()
	fresh, kept, over := filepath.Join(dir, "fresh"), filepath.Join(dir, "kept"), filepath.Join(dir, "over")
	put(t, kept, "9")
	put(t, over, "9")
	var got seen
	s := New(newFake(always(0)), got.give, nil)
	defer s.Close()
	conf := []File{{ID: "file/fresh", Path: fresh, Init: true, InitValue: 3}, {ID: "file/kept", Path: kept, Init: true, InitValue: 3},
		{ID: "file/over", Path: over, Init: true, InitValue: 3, Overwrite: true}}
	s.Apply(nil, conf, nil)
	for id, want := range map[string]int{"file/fresh": 3, "file/kept": 9, "file/over": 3} {
		if n, _ := s.Number(id); n != want {
			t.Errorf("%s is %d, want %d", id, n, want)
		}
	}
	put(t, over, "50")
	s.Apply(nil, conf, nil)
	if n, _ := s.Number("file/over"); n != 50 {
		t.Errorf("a reload must not overwrite, got %d", n)
	}
}

func TestTouchedTellsWhatTheValueDoesNot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "value")
	put(t, path, "300")
	var got seen
	s := New(newFake(always(0)), got.give, nil)
	defer s.Close()
	touched := make(chan string, 10)
	s.Touched = func(id string) { touched <- id }
	s.Apply(nil, []File{{ID: "file/a", Path: path}}, nil)
	put(t, path, "400") // both are 254 to a priority
	select {
	case id := <-touched:
		if id != "file/a" {
			t.Errorf("told %s", id)
		}
	case <-time.After(20 * time.Second):
		t.Error("never told")
	}
}

func TestWhatIsNoNumberIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	for text, named := range map[string]bool{"17\n": false, " -3": false, "": false, "\n": false, "12 apples": false, "garbage": true, "- 3": true} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, reason, _ := readText(path); strings.Contains(reason, "no number") != named {
			t.Errorf("%q: %s", text, reason)
		}
	}
}

package probe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/checkers"
)

// canned is a Runner that ends every program in the same way.
type canned struct {
	exit   int
	output string
	err    error
	ran    Command
}

func (c *canned) Run(_ context.Context, what Command) (int, []byte, error) {
	c.ran = what
	return c.exit, []byte(c.output), c.err
}

func TestMisc(t *testing.T) {
	for _, row := range []struct {
		name    string
		run     canned
		dynamic bool
		want    checkers.Reason
		weight  checkers.Weight
	}{
		{"exit 0", canned{}, false, checkers.OK, checkers.Weight{}},
		{"exit 1", canned{exit: 1, output: "no database\n"}, false, checkers.Script, checkers.Weight{}},
		{"exit 2 is down", canned{exit: 2}, false, checkers.Script, checkers.Weight{}},
		{"dynamic exit 0 says nothing", canned{}, true, checkers.OK, checkers.Weight{}},
		{"dynamic exit 1 is down", canned{exit: 1}, true, checkers.Script, checkers.Weight{}},
		{"dynamic exit 2", canned{exit: 2}, true, checkers.OK, checkers.Weight{Mode: checkers.Absolute}},
		{"dynamic exit 255", canned{exit: 255}, true, checkers.OK, checkers.Weight{Mode: checkers.Absolute, Value: 253}},
		{"signal", canned{exit: -9}, true, checkers.ScriptSignal, checkers.Weight{}},
		{"too long", canned{exit: -1, err: context.DeadlineExceeded}, false, checkers.Timeout, checkers.Weight{}},
		{"cannot start", canned{exit: -1, err: os.ErrNotExist}, false, checkers.ScriptStart, checkers.Weight{}},
		{"no file descriptor", canned{exit: -1, err: fmt.Errorf("run /bin/check: %w", &os.PathError{Op: "open", Path: "/dev/null", Err: unix.EMFILE})}, false, checkers.NoFiles, checkers.Weight{}},
		{"no process", canned{exit: -1, err: fmt.Errorf("run /bin/check: %w", &os.PathError{Op: "fork/exec", Path: "/bin/check", Err: unix.EAGAIN})}, false, checkers.NoFiles, checkers.Weight{}},
		{"other error", canned{exit: -1, err: errors.New("no such user")}, false, checkers.ScriptStart, checkers.Weight{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := New(Options{Runner: &row.run})
			defer p.Close()
			what := &checkers.Probe{Kind: checkers.Misc, Timeout: 3 * time.Second, Params: &checkers.MiscParams{Argv: []string{"/bin/check", "x"}, User: "u", Dynamic: row.dynamic}}
			r := p.Probe(t.Context(), what)
			expect(t, r, row.want)
			if r.Weight != row.weight {
				t.Errorf("weight %+v", r.Weight)
			}
			if row.run.ran.Argv[1] != "x" || row.run.ran.User != "u" || row.run.ran.Timeout != 3*time.Second {
				t.Errorf("ran %+v", row.run.ran)
			}
		})
	}
	expect(t, attempt(t, checkers.Probe{Kind: checkers.Misc, Params: &checkers.MiscParams{Argv: []string{"x"}}}), checkers.Invalid)
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	added := func(n int) checkers.Weight { return checkers.Weight{Mode: checkers.Added, Value: n} }
	for _, row := range []struct {
		params checkers.FileParams
		want   checkers.Reason
		weight checkers.Weight
	}{
		{checkers.FileParams{Path: write("zero", "0\n")}, checkers.OK, checkers.Weight{}},
		{checkers.FileParams{Path: write("one", " 1 # why\n")}, checkers.FileValue, checkers.Weight{}},
		{checkers.FileParams{Path: write("up", "1"), Reverse: true}, checkers.OK, checkers.Weight{}},
		{checkers.FileParams{Path: write("none", "0"), Reverse: true}, checkers.FileValue, checkers.Weight{}},
		{checkers.FileParams{Path: write("neutral", "0"), Weight: 5}, checkers.OK, checkers.Weight{}},
		{checkers.FileParams{Path: write("three", "-3"), Weight: 5}, checkers.OK, added(-15)},
		{checkers.FileParams{Path: write("four", "4"), Weight: 5, Reverse: true}, checkers.OK, added(-20)},
		{checkers.FileParams{Path: write("huge", "2147483647"), Weight: 100}, checkers.OK, added(2147483647)},
		{checkers.FileParams{Path: write("low", "-2147483647"), Weight: 100}, checkers.FileValue, checkers.Weight{}},
		{checkers.FileParams{Path: write("words", "up")}, checkers.FileValue, checkers.Weight{}},
		{checkers.FileParams{Path: write("empty", "")}, checkers.OK, checkers.Weight{}},
		{checkers.FileParams{Path: filepath.Join(dir, "missing")}, checkers.OK, checkers.Weight{}},
		{checkers.FileParams{Path: dir}, checkers.FileValue, checkers.Weight{}},
		{checkers.FileParams{Path: fifo}, checkers.FileValue, checkers.Weight{}},
		{checkers.FileParams{Path: "/dev/zero"}, checkers.FileValue, checkers.Weight{}},
	} {
		t.Run(filepath.Base(row.params.Path), func(t *testing.T) {
			r := attempt(t, checkers.Probe{Kind: checkers.File, Params: &row.params})
			expect(t, r, row.want)
			if r.Weight != row.weight {
				t.Errorf("weight %+v", r.Weight)
			}
		})
	}
}

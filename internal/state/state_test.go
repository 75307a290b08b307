package state

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

func TestChecksOfAnotherHostAreNotBelieved(t *testing.T) {
	dir := t.TempDir()
	if got, _, err := LoadChecks(dir, "h"); got != nil || err != nil {
		t.Errorf("nothing there is no error: %v %v", got, err)
	}
	all := []checkers.Saved{{ID: checkers.ID{Virtual: "v", Real: "r"}, Reason: checkers.Refused}}
	if err := SaveChecks(dir, "h", slices.Values(all), map[string]bool{"v": false, "w": true}); err != nil {
		t.Fatal(err)
	}
	if got, held, err := LoadChecks(dir, "h"); len(held) != 2 || held["v"] || !held["w"] || err != nil || len(got) != 1 || got[0].ID != all[0].ID || got[0].Reason != checkers.Refused {
		t.Errorf("got %v %v", got, err)
	}
	if got, _, _ := LoadChecks(dir, "other boot"); got != nil {
		t.Errorf("got %v", got)
	}
	if info, err := os.Stat(filepath.Join(dir, checksFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if err := os.WriteFile(filepath.Join(dir, checksFile), []byte("}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := LoadChecks(dir, "h"); err == nil {
		t.Error("nonsense is an error")
	}
}

func TestIntent(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made")
	now := time.Unix(1000, 0)
	var in Intent
	in.Drain(Drain{Virtual: "v", Real: "r", Since: now, By: "ann"})
	in.Drain(Drain{Virtual: "v", Real: "r", Since: now, By: "bob"})
	in.Weigh(Weight{Virtual: "v", Real: "s", Weight: 7})
	if err := in.Save(dir); err != nil {
		t.Fatal(err)
	}
	in, err := LoadIntent(dir)
	if err != nil || len(in.Drains) != 1 || in.Drains[0].By != "bob" {
		t.Fatalf("the last wish counts: %+v %v", in, err)
	}
	p, _ := ipvssync.NewPool(now, ipvssync.VirtualServer{ID: "v", Servers: []ipvssync.RealServer{{ID: "r", Server: ipvssync.Server{Weight: 1}}, {ID: "s", Server: ipvssync.Server{Weight: 1}}}})
	in.Impose(now, p)
	if st := p.Status(); !st.Servers[0].Draining || st.Servers[1].Override != 7 {
		t.Errorf("%+v", st)
	}
	if again := in.Impose(now, p); len(again) != 0 {
		t.Errorf("imposing twice changes nothing: %v", again)
	}
	if !in.Drained("v", "r") || in.Drained("v", "r") || in.Drained("v", "s") {
		t.Error("a wish is done once, and only if there is one")
	}
	if err := in.Save(dir); err != nil {
		t.Fatal(err)
	}
	if in, err = LoadIntent(dir); err != nil {
		t.Fatal(err)
	}
	q, _ := ipvssync.NewPool(now, ipvssync.VirtualServer{ID: "v", Keys: []ipvssync.Key{{Port: 80}}, Servers: []ipvssync.RealServer{{ID: "r", Server: ipvssync.Server{Weight: 1}}}})
	in.Impose(now, q)
	if st := q.Status(); !st.Servers[0].Drained || len(q.Want()[0].Servers) != 0 {
		t.Errorf("after a restart a drained server stays out of the table: %+v", st)
	}
	pruned := in
	if n := pruned.Prune(func(_, real string) bool { return real == "s" }); n != 1 || len(pruned.Drains) != 0 || len(pruned.Weights) != 1 {
		t.Errorf("wishes for servers that are gone are forgotten: %d, %+v", n, pruned)
	}
	if in, err = LoadIntent(dir); err != nil {
		t.Fatal(err)
	}
	in.Undrain("v", "r")
	in.Weigh(Weight{Virtual: "v", Real: "s", Weight: -1})
	if len(in.Drains)+len(in.Weights) != 0 {
		t.Errorf("%+v", in)
	}
}

func TestSourcesComeBackAsTheyWereRead(t *testing.T) {
	dir := t.TempDir()
	under := fstest.MapFS{"etc/a.conf": {Data: []byte("include b*"), Mode: 0o640}, "etc/b1": {Data: []byte("one"), Mode: 0o600}, "etc/c": {Data: []byte("not read")}}
	r := Record(under)
	for _, name := range []string{"etc/a.conf", "etc/b1"} {
		if _, err := fs.ReadFile(r, name); err != nil {
			t.Fatal(err)
		}
	}
	if found, err := fs.Glob(r, "etc/b*"); err != nil || len(found) != 1 {
		t.Fatalf("globs go through: %v %v", found, err)
	}
	if err := r.Save(dir); err != nil {
		t.Fatal(err)
	}
	kept, err := Sources(dir)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := fs.ReadFile(kept, "etc/b1"); err != nil || string(b) != "one" {
		t.Errorf("%s %v", b, err)
	}
	if info, err := fs.Stat(kept, "etc/a.conf"); err != nil || info.Mode() != 0o640 {
		t.Errorf("%v %v", info, err)
	}
	if found, err := fs.Glob(kept, "etc/b*"); err != nil || len(found) != 1 {
		t.Errorf("includes are found again: %v %v", found, err)
	}
	if _, err := fs.Stat(kept, "etc/c"); err == nil {
		t.Error("only what was read is kept")
	}
	RemoveSources(dir)
	if _, err := Sources(dir); err == nil {
		t.Error("removed")
	}
}

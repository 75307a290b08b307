package balancer

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/internal/outside"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/internal/state"
	"github.com/holdfast-ha/holdfast/ipvssync"
)

func TestStartupAndShutdownScripts(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	m := model("10.0.0.1")
	m.Global.StartupScript, m.Global.ShutdownScript = shell("echo start >> "+log), shell("echo stop >> "+log)
	m.Global.StartupScriptTimeout, m.Global.ShutdownScriptTimeout = 10*time.Second, 10*time.Second
	w := newWorld(t, m)
	w.programs = outside.NewPrograms()
	w.start(seam.Snapshot{})
	w.up()
	if got := read(log); got != "start\n" {
		t.Errorf("before anything starts: %q", got)
	}
	w.router.Send(seam.Message{Stop: &seam.Stop{}})
	w.ended()
	if got := read(log); got != "start\nstop\n" {
		t.Errorf("after everything has stopped: %q", got)
	}
	w.programs = outside.NewPrograms()
	w.start(seam.Snapshot{Gen: 3})
	w.up()
	if got := read(log); strings.Count(got, "start") != 1 {
		t.Errorf("a new balancer is no start of the daemon: %q", got)
	}
}

func TestFlushOnStop(t *testing.T) {
	m := model("10.0.0.1")
	m.Global.LVSFlushOnStop = "all"
	w := newWorld(t, m)
	foreign := ipvssync.Service{Key: ipvssync.MarkKey(ipvssync.IPv4, 9), Scheduler: "rr"}
	if err := w.kernel.Do(ipvssync.Op{Kind: ipvssync.AddService, Service: foreign}); err != nil {
		t.Fatal(err)
	}
	w.start(seam.Snapshot{})
	w.up()
	if !w.holds("-f 9") {
		t.Errorf("the services of others stay while the daemon runs:\n%s", w.table())
	}
	w.router.Send(seam.Message{Stop: &seam.Stop{}})
	w.ended()
	if got := w.table(); got != "" {
		t.Errorf("lvs_flush_on_stop empties everything: %s", got)
	}
}

func TestChecksRestWhileTheAddressIsElsewhere(t *testing.T) {
	m := model("10.0.0.1")
	m.VirtualServers[0].HASuspend = true
	w := newWorld(t, m)
	w.start(seam.Snapshot{})
	w.up() // checks that rest hold nothing up
	if c := w.status().VirtualServers[0].Servers[0].Checks[0]; !c.Suspend || c.Passed != 0 {
		t.Errorf("a BACKUP does not check: %+v", c)
	}
	e := master(m)
	w.router.Send(seam.Message{Event: &e})
	eventually(t, "the MASTER checks", func() bool {
		c := w.status().VirtualServers[0].Servers[0].Checks[0]
		return !c.Suspend
	})
}

func TestKeptStateIsGoneAfterACleanStop(t *testing.T) {
	w := newWorld(t, model("10.0.0.1"))
	w.start(seam.Snapshot{})
	w.up()
	w.router.Send(seam.Message{Stop: &seam.Stop{}})
	w.ended()
	left, err := os.ReadDir(w.dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left in the run directory: %v %v", left, err)
	}
}

func TestReloadThatTurnsSuspensionOn(t *testing.T) {
	w := newWorld(t, model("10.0.0.1"))
	w.start(seam.Snapshot{})
	w.up()
	m := model("10.0.0.1")
	m.VirtualServers[0].HASuspend = true
	w.set(m, nil)
	var r control.Reloaded
	if err := control.Do(t.Context(), w.dir, control.Request{Op: control.OpReload, Wait: true}, &r); err != nil || !r.Changed {
		t.Fatalf("%+v %v", r, err)
	}
	if c := w.status().VirtualServers[0].Servers[0].Checks[0]; !c.Suspend {
		t.Errorf("a BACKUP does not check: %+v", c)
	}
}

func TestStopOvertakesAReload(t *testing.T) {
	w := newWorld(t, model("10.0.0.1"))
	w.start(seam.Snapshot{})
	w.up()
	w.mu.Lock()
	w.silent = true
	w.mu.Unlock()
	next := model("10.0.0.2")
	next.Instances[0].Priority = 50
	w.set(next, nil)
	w.router.Send(seam.Message{Reload: &seam.Reload{}})
	eventually(t, "the reload waits for the router", func() bool { return len(w.applies()) == 2 })
	w.router.Send(seam.Message{Stop: &seam.Stop{}})
	w.router.Send(seam.Message{Applied: &seam.Applied{Gen: 2}})
	if code := w.ended(); code != ExitClean || w.table() != "" {
		t.Errorf("exit %d, left: %s", code, w.table())
	}
	if n := len(w.applies()); n != 2 {
		t.Errorf("nothing is applied after a stop: %d", n)
	}
}

func TestPlannedStopGoesOnWithoutTheRouter(t *testing.T) {
	w := newWorld(t, model("10.0.0.1"))
	w.start(seam.Snapshot{})
	w.up()
	w.router.Send(seam.Message{Stop: &seam.Stop{}})
	w.router.Flush(soonEnough)
	_ = w.router.Close()
	if code := w.ended(); code != ExitClean || w.table() != "" {
		t.Errorf("exit %d, left: %s", code, w.table())
	}
}

func TestTrackedVirtualServerReachesTheRouter(t *testing.T) {
	m := model("10.0.0.1")
	m.Instances[0].TrackVirtualServers = []config.Track{{Name: "192.0.2.1:80", Weight: -30}}
	w := newWorld(t, m)
	w.start(seam.Snapshot{})
	const id = "virtual_server/192.0.2.1:80"
	eventually(t, "its quorum", func() bool { return w.lastTrack(id).OK })
	w.servers.set("10.0.0.1:80", true)
	eventually(t, "the loss of it", func() bool { v := w.lastTrack(id); return v.Known && !v.OK })
	if s := w.status(); len(s.Tracked) != 1 || s.Tracked[0].ID != id || s.Tracked[0].OK {
		t.Errorf("status shows it: %+v", s.Tracked)
	}
	n := len(w.tracks(id))
	w.router.Send(seam.Message{Snapshot: &seam.Snapshot{Gen: 0}})
	eventually(t, "a router that began anew is told again", func() bool { return len(w.tracks(id)) > n })
	w.servers.set("10.0.0.1:80", false)
	eventually(t, "its return", func() bool { return w.lastTrack(id).OK })
}

func TestWishesForServersThatAreGoneAreForgotten(t *testing.T) {
	w := newWorld(t, model("10.0.0.1", "10.0.0.2"))
	w.start(seam.Snapshot{})
	w.up()
	for _, server := range []string{"10.0.0.1:80", "10.0.0.2:80"} {
		ask := control.Request{Op: control.OpDrain, VirtualServer: "192.0.2.1:80", RealServer: server}
		if err := control.Do(t.Context(), w.dir, ask, nil); err != nil {
			t.Fatal(err)
		}
	}
	wishes := func() []string {
		in, err := state.LoadIntent(w.state)
		if err != nil {
			t.Fatal(err)
		}
		var of []string
		for _, x := range in.Drains {
			of = append(of, x.Real)
		}
		return of
	}
	blocked := model("10.0.0.1", "10.0.0.2")
	blocked.VirtualServers[0].Blocked = "a mistake"
	for _, c := range []struct {
		m    *config.Model
		want []string
	}{
		{blocked, []string{"10.0.0.1:80", "10.0.0.2:80"}},
		{model("10.0.0.2", "10.0.0.3"), []string{"10.0.0.2:80"}},
	} {
		w.set(c.m, nil)
		if err := control.Do(t.Context(), w.dir, control.Request{Op: control.OpReload, Wait: true}, nil); err != nil {
			t.Fatal(err)
		}
		if got := wishes(); !slices.Equal(got, c.want) {
			t.Errorf("kept: %v, not %v", got, c.want)
		}
	}
}

package balancer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/control"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/internal/state"
)

func TestStartFillsIPVSAndGetsReady(t *testing.T) {
	w := newWorld(t, model("10.0.0.1", "10.0.0.2"))
	w.servers.set("10.0.0.2:80", true)
	w.start(seam.Snapshot{Gen: 4})
	w.up()
	if a := w.applies(); len(a) != 1 || a[0].Gen != 5 || a[0].Config.Instances[0].Name != "VI_1" {
		t.Errorf("the router gets the configuration once, with the next generation: %+v", a)
	}
	eventually(t, "the server that is down leaves the table", func() bool { return w.holds("10.0.0.1:80") && !w.holds("10.0.0.2:80") })
	w.servers.set("10.0.0.2:80", false)
	eventually(t, "it comes back", func() bool { return w.holds("10.0.0.2:80") })

	s := w.status()
	if !s.Ready || s.Router.PID != 42 || len(s.VirtualServers) != 1 || len(s.VirtualServers[0].Servers) != 2 || s.VirtualServers[0].Servers[0].Checks[0].Kind != "TCP_CHECK" {
		t.Errorf("status %+v", s)
	}
	w.router.Send(seam.Message{Stop: &seam.Stop{}})
	if code := w.ended(); code != ExitClean {
		t.Errorf("exit %d", code)
	}
	if got := w.table(); got != "" {
		t.Errorf("a stop leaves nothing behind: %s", got)
	}
	eventually(t, "the last word is Stopped", func() bool {
		m := w.messages()
		return m[len(m)-1].Stopped != nil && m[len(m)-1].Stopped.Error == ""
	})
}

func TestNotReadyBeforeEveryCheckRan(t *testing.T) {
	w := newWorld(t, model("10.0.0.1"))
	w.servers.hold = make(chan struct{})
	w.start(seam.Snapshot{})
	eventually(t, "IPVS is filled", func() bool { return w.holds("10.0.0.1:80") })
	eventually(t, "the router is told why not", func() bool { return w.lastReady().Reason == "not every check has run yet" })
	close(w.servers.hold)
	w.up()
}

func TestWithoutIPVSTheObstacleLasts(t *testing.T) {
	w := newWorld(t, model("10.0.0.1"))
	w.kernel.SetMissing(true)
	w.start(seam.Snapshot{})
	eventually(t, "the router knows that this director cannot balance", func() bool { return w.lastReady().Lasting })
	w.kernel.SetMissing(false)
	w.up()
	eventually(t, "the table is filled", func() bool { return w.holds("10.0.0.1:80") })
}

func TestBadFileAtStart(t *testing.T) {
	w := newWorld(t, &config.Model{})
	w.diags = config.Diagnostics{{Severity: config.Error, File: "/etc/test.conf", Message: "no such file"}}
	w.start(seam.Snapshot{})
	if code := w.ended(); code != ExitConfig {
		t.Errorf("exit %d, want %d", code, ExitConfig)
	}
	if !w.has("config.rejected") || len(w.applies()) != 0 {
		t.Error("nothing is applied and one event says why")
	}
}

func TestConfinedErrorAtStartBlocksOneInstance(t *testing.T) {
	m := model("10.0.0.1")
	m.Instances[0].Blocked = "unknown keyword"
	w := newWorld(t, m)
	w.diags = config.Diagnostics{{Severity: config.Error, Confined: true, File: "/etc/test.conf", Line: 3, Message: "unknown keyword", Item: "vrrp_instance VI_1"}}
	w.start(seam.Snapshot{})
	w.up()
	if !w.has("config.blocked") || w.applies()[0].Config.Instances[0].Blocked == "" {
		t.Error("the instance is blocked and the rest runs")
	}
	if err := control.Do(t.Context(), w.dir, control.Request{Op: control.OpReload, Wait: true}, nil); err == nil {
		t.Error("the same error refuses a reload")
	}
}

func TestBadReloadChangesNothing(t *testing.T) {
	w := newWorld(t, model("10.0.0.1"))
	w.start(seam.Snapshot{})
	w.up()
	before, writes := w.table(), w.kernel.Writes()
	w.set(model("10.0.0.9"), config.Diagnostics{{Severity: config.Error, File: "/etc/test.conf", Line: 7, Col: 3, Message: "bad", Hint: "good", Confined: true},
		{Severity: config.Error, File: "/etc/test.conf", Line: 8, Message: "bad too"}})
	w.router.Send(seam.Message{Reload: &seam.Reload{}})
	eventually(t, "the event", func() bool { return w.has("config.rejected") })
	if w.table() != before || w.kernel.Writes() != writes || len(w.applies()) != 1 {
		t.Error("a bad file changes nothing")
	}
	if s := w.status(); !strings.Contains(s.Config.Rejected, "and 1 more ('holdfast check /etc/test.conf' lists them)") || s.Config.Generation != 1 {
		t.Errorf("status shows it: %+v", s.Config)
	}
}

func TestReloadWithoutChangesWritesNothing(t *testing.T) {
	w := newWorld(t, model("10.0.0.1"))
	w.start(seam.Snapshot{})
	w.up()
	writes := w.kernel.Writes()
	w.set(model("10.0.0.1"), nil)
	var r control.Reloaded
	if err := control.Do(t.Context(), w.dir, control.Request{Op: control.OpReload, Wait: true}, &r); err != nil || r.Changed || r.Generation != 1 {
		t.Fatalf("got %+v %v", r, err)
	}
	if w.kernel.Writes() != writes || len(w.applies()) != 1 || !w.has("config.unchanged") {
		t.Errorf("%d writes before, %d after, %d applies", writes, w.kernel.Writes(), len(w.applies()))
	}
}

func TestReloadAddsAppliesRemoves(t *testing.T) {
	w := newWorld(t, model("10.0.0.1", "10.0.0.2"))
	w.start(seam.Snapshot{})
	w.up()
	w.servers.set("10.0.0.2:80", true)
	eventually(t, "a server is down", func() bool { return !w.holds("10.0.0.2:80") })

	next := model("10.0.0.2", "10.0.0.3")
	next.Instances[0].Priority = 120
	more := model("10.0.0.4").VirtualServers[0]
	more.Port = 443
	next.VirtualServers = append(next.VirtualServers, more)
	w.set(next, nil)
	w.mu.Lock()
	w.silent = true // the router takes its time
	w.mu.Unlock()
	result := make(chan error, 1)
	var r control.Reloaded
	go func() {
		result <- control.Do(t.Context(), w.dir, control.Request{Op: control.OpReload, Wait: true}, &r)
	}()
	eventually(t, "the router is asked", func() bool { return len(w.applies()) == 2 })
	if !w.holds("192.0.2.1:443") || !w.holds("10.0.0.3:80") {
		t.Errorf("what is new is there before the router acts:\n%s", w.table())
	}
	w.router.Send(seam.Message{Applied: &seam.Applied{Gen: 2, Problems: []string{"eth7 is missing"}}})
	if err := <-result; err != nil || !r.Changed || r.Generation != 2 || len(r.Problems) != 1 {
		t.Fatalf("got %+v %v", r, err)
	}
	if w.holds("10.0.0.1:80") {
		t.Errorf("what is gone is gone:\n%s", w.table())
	}
	if w.holds("10.0.0.2:80") {
		t.Errorf("a server that was down stays out over a reload:\n%s", w.table())
	}

	w.mu.Lock()
	w.silent = false
	w.mu.Unlock()
	w.set(model("10.0.0.3"), nil)
	if err := control.Do(t.Context(), w.dir, control.Request{Op: control.OpReload, Wait: true}, &r); err != nil {
		t.Fatal(err)
	}
	if w.holds(":443") {
		t.Errorf("a virtual server that is gone leaves:\n%s", w.table())
	}
}

func TestReloadsCoalesce(t *testing.T) {
	w := newWorld(t, model("10.0.0.1"))
	w.start(seam.Snapshot{})
	w.up()
	w.mu.Lock()
	w.silent = true
	w.mu.Unlock()
	next := model("10.0.0.1")
	next.Instances[0].Priority = 50
	w.set(next, nil)
	w.router.Send(seam.Message{Reload: &seam.Reload{}})
	eventually(t, "a reload is under way", func() bool { return len(w.applies()) == 2 })
	for range 5 {
		w.router.Send(seam.Message{Reload: &seam.Reload{}})
	}
	results := make(chan error, 2)
	for range 2 {
		go func() {
			results <- control.Do(t.Context(), w.dir, control.Request{Op: control.OpReload, Wait: true}, nil)
		}()
	}
	eventually(t, "all have been asked for", func() bool { return w.count("config.reload") >= 4 })
	w.router.Send(seam.Message{Applied: &seam.Applied{Gen: 2}})
	for range 2 {
		if err := <-results; err != nil {
			t.Fatal(err)
		}
	}
	if n := w.count("config.unchanged"); n > 2 || n < 1 {
		t.Errorf("requests during a reload run once afterwards, got %d runs", n)
	}
}

func TestVerdictsOutliveTheProcess(t *testing.T) {
	steady := steadyAfter
	steadyAfter = 300 * time.Millisecond
	t.Cleanup(func() { steadyAfter = steady }) // after the daemon's end, which is registered later
	w := newWorld(t, model("10.0.0.1", "10.0.0.2"))
	w.servers.set("10.0.0.2:80", true)
	w.start(seam.Snapshot{})
	w.up()
	eventually(t, "a server is down", func() bool { return !w.holds("10.0.0.2:80") })
	eventually(t, "and that is written down", func() bool {
		saved, _, _ := state.LoadChecks(w.dir, "h")
		for _, c := range saved {
			if c.ID.Real == "10.0.0.2:80" && !c.Up {
				return true
			}
		}
		return false
	})
	w.cancel()
	w.ended()
	w.servers.hold = make(chan struct{}) // no check gets an answer
	w.start(seam.Snapshot{Gen: 1})
	eventually(t, "the configuration is in force again", func() bool { return w.has("config.loaded") })
	if w.has("pool.server_down") {
		t.Error("what was told before is not told again")
	}
	eventually(t, "the director is ready though no attempt has ended: a check that hangs must not cost it its addresses", func() bool { return w.has("daemon.ready") })
	if w.holds("10.0.0.2:80") || !w.holds("10.0.0.1:80") {
		t.Errorf("a failed server stays out until a check passes:\n%s", w.table())
	}
	close(w.servers.hold)
}

func TestOperatorsIntentIsKept(t *testing.T) {
	w := newWorld(t, model("10.0.0.1", "10.0.0.2"))
	w.start(seam.Snapshot{})
	w.up()
	ask := control.Request{Op: control.OpDrain, VirtualServer: "192.0.2.1:80", RealServer: "10.0.0.1:80", Why: "new disk"}
	if err := control.Do(t.Context(), w.dir, ask, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a server without connections is drained at once", func() bool { return !w.holds("10.0.0.1:80") })
	ask.RealServer = "10.0.0.7:80"
	if err := control.Do(t.Context(), w.dir, ask, nil); err == nil {
		t.Error("there is no such server")
	}
	w.cancel()
	w.ended()
	w.start(seam.Snapshot{})
	w.up()
	s := w.status().VirtualServers[0].Servers[0]
	if !s.Draining || s.DrainedBy == "" || s.DrainWhy != "new disk" || w.holds("10.0.0.1:80") {
		t.Errorf("the drain outlives a restart: %+v\n%s", s, w.table())
	}
	if err := control.Do(t.Context(), w.dir, control.Request{Op: control.OpUndrain, VirtualServer: "TCP 192.0.2.1:80", RealServer: "10.0.0.1:80"}, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it serves again", func() bool { return w.holds("10.0.0.1:80") })
	if err := control.Do(t.Context(), w.dir, control.Request{Op: control.OpWeight, VirtualServer: "TCP 192.0.2.1:80", RealServer: "10.0.0.1:80", Weight: 9}, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "an operator's weight is in the table", func() bool { return w.holds("10.0.0.1:80 -g -w 9") })
}

func TestDeadRouterOfAMasterIsReleased(t *testing.T) {
	m := model("10.0.0.1")
	w := newWorld(t, m)
	w.start(seam.Snapshot{})
	w.up()
	e := master(m)
	w.router.Send(seam.Message{Event: &e})
	eventually(t, "status shows the master", func() bool {
		s := w.status()
		return len(s.Instances) == 0 || s.Instances[0].State == "MASTER"
	})
	before := w.table()
	w.router.Send(seam.Message{Event: &e})
	w.router.Flush(soonEnough)
	_ = w.router.Close()
	if code := w.ended(); code != ExitFatal {
		t.Errorf("exit %d", code)
	}
	w.mu.Lock()
	released := w.released
	w.mu.Unlock()
	if released != 1 || !w.has("daemon.released") {
		t.Errorf("released %d times", released)
	}
	if w.table() != before {
		t.Error("IPVS is left alone")
	}
}

func TestDeadRouterOfABackupIsNot(t *testing.T) {
	w := newWorld(t, model("10.0.0.1"))
	w.start(seam.Snapshot{})
	w.up()
	_ = w.router.Close()
	if code := w.ended(); code != ExitFatal || w.released != 0 {
		t.Errorf("exit %d, released %d times", code, w.released)
	}
}

func TestRouterThatBeganAnewIsToldEverything(t *testing.T) {
	w := newWorld(t, model("10.0.0.1"))
	w.start(seam.Snapshot{})
	w.up()
	w.router.Send(seam.Message{Snapshot: &seam.Snapshot{Gen: 0}})
	eventually(t, "the configuration is sent again", func() bool { return len(w.applies()) == 2 })
	w.router.Send(seam.Message{Snapshot: &seam.Snapshot{Gen: 1, Dropped: 3}})
	eventually(t, "lost events are told", func() bool { return w.has("daemon.events_lost") })
	if n := len(w.applies()); n != 2 {
		t.Errorf("a router that has it is not told again: %d", n)
	}
}

func TestHandoverAnswersWhatTheRouterSays(t *testing.T) {
	w := newWorld(t, model("10.0.0.1"))
	w.start(seam.Snapshot{})
	w.up()
	if err := control.Do(t.Context(), w.dir, control.Request{Op: control.OpHandover, Instance: "VI_1"}, nil); err == nil || err.Error() != "nobody took over" {
		t.Errorf("got %v", err)
	}
	if err := control.Do(t.Context(), w.dir, control.Request{Op: "dance"}, nil); err == nil {
		t.Error("want an error")
	}
	n := 0
	if err := control.Events(t.Context(), w.dir, false, func(control.Line) error { n++; return nil }); err != nil || n == 0 {
		t.Errorf("%d events, %v", n, err)
	}
}

func TestDumpsForKeepalivedsExporters(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "keepalived.stats")); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, model("10.0.0.1"))
	w.start(seam.Snapshot{})
	w.up()
	for kind, name := range map[string]string{"data": "keepalived.data", "stats": "keepalived.stats", "json": "keepalived.json"} {
		w.router.Send(seam.Message{Dump: &seam.Dump{Kind: kind}})
		eventually(t, name+" is there", func() bool {
			b, err := os.ReadFile(filepath.Join(dir, name))
			return err == nil && strings.Contains(string(b), "VI_1")
		})
	}
	t.Setenv("TMPDIR", filepath.Join(dir, "none"))
	w.router.Send(seam.Message{Dump: &seam.Dump{Kind: "json"}})
	eventually(t, "a file that cannot be written is told", func() bool { return w.has("daemon.dump_failed") })
	if info, err := os.Lstat(filepath.Join(dir, "keepalived.stats")); err != nil || !info.Mode().IsRegular() || info.Mode().Perm() != 0o600 {
		t.Errorf("a link is replaced, not followed: %v %v", info, err)
	}
}

func TestBalancerThatStartsOnABadFileGoesOnWithTheLastGoodOne(t *testing.T) {
	w := newWorld(t, model("10.0.0.1"))
	w.start(seam.Snapshot{})
	w.up()
	eventually(t, "the files are kept", func() bool { _, err := state.Sources(w.dir); return err == nil })
	w.cancel()
	w.ended()
	w.lastGood = model("10.0.0.1")
	w.set(&config.Model{}, config.Diagnostics{{Severity: config.Error, File: "/etc/test.conf", Line: 2, Message: "broken"}})
	w.start(seam.Snapshot{Gen: 1})
	w.up()
	if !w.has("config.rejected") || !w.has("config.last_good") || !w.holds("10.0.0.1:80") {
		t.Errorf("what ran before runs on:\n%s", w.table())
	}
	if s := w.status(); s.Config.Rejected == "" || s.Config.Generation != 2 {
		t.Errorf("status shows that the file is bad: %+v", s.Config)
	}
}

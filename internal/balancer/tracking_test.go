package balancer

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/checkers/probe"
	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/outside"
	"github.com/holdfast-ha/holdfast/internal/seam"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// shell is a command as the configuration would have it.
func shell(line string) config.Command {
	return config.Command{Line: line, Argv: []string{"/bin/sh", "-c", line}}
}

// tracks are the values of one tracked thing that the router was sent.
func (w *world) tracks(id string) (all []vrrp.Track) {
	for _, m := range w.messages() {
		if m.Track != nil && m.Track.ID == id {
			all = append(all, *m.Track)
		}
	}
	return all
}

func (w *world) lastTrack(id string) vrrp.Track {
	if all := w.tracks(id); len(all) > 0 {
		return all[len(all)-1]
	}
	return vrrp.Track{}
}

func TestTrackedScriptReachesTheRouter(t *testing.T) {
	dir := t.TempDir()
	flag, gate := filepath.Join(dir, "down"), filepath.Join(dir, "gate")
	m := model()
	m.VirtualServers = nil
	m.Instances[0].TrackScripts = []config.Track{{Name: "chk"}}
	m.Instances[0].TrackFiles = []config.Track{{Name: "f"}}
	m.Scripts = []config.VRRPScript{{Name: "chk", Script: shell("until test -e " + gate + "; do sleep 0.01; done; test ! -e " + flag), Interval: 50 * time.Millisecond, Timeout: 10 * time.Second, Rise: 1, Fall: 2}}
	m.TrackFiles = []config.TrackFile{{Name: "f", File: filepath.Join(dir, "value")}}
	w := newWorld(t, m)
	w.programs = outside.NewPrograms()
	w.start(seam.Snapshot{})
	eventually(t, "the router is told of the script", func() bool { return len(w.tracks("script/chk")) > 0 })
	if first := w.tracks("script/chk")[0]; first.Known {
		t.Errorf("before the first run nothing is known: %+v", first)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the script succeeds", func() bool { return w.lastTrack("script/chk").OK })
	if err := os.WriteFile(flag, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its failure", func() bool { v := w.lastTrack("script/chk"); return v.Known && !v.OK })
	if err := os.WriteFile(filepath.Join(dir, "value"), []byte("17"), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the number in the file", func() bool { return w.lastTrack("file/f").Value == 17 })
	if s := w.status(); len(s.Tracked) != 2 || s.Tracked[1].ID != "script/chk" || s.Tracked[1].Reason != "exited with status 1" {
		t.Errorf("status shows it: %+v", s.Tracked)
	}
	n := len(w.tracks("file/f"))
	w.router.Send(seam.Message{Snapshot: &seam.Snapshot{Gen: 0, Seq: 1}})
	eventually(t, "a router that began anew is told again", func() bool { return len(w.tracks("file/f")) > n })
	w.router.Send(seam.Message{Stop: &seam.Stop{}})
	w.ended()
}

// read is the text of a file, "" without one.
func read(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}

func TestNotReadyBeforeEveryScriptRan(t *testing.T) {
	dir := t.TempDir()
	m := model()
	m.VirtualServers = nil
	m.Instances[0].TrackScripts = []config.Track{{Name: "chk"}}
	m.Scripts = []config.VRRPScript{{Name: "chk", Script: shell("until test -e " + dir + "/go; do sleep 0.02; done"), Interval: time.Second, Timeout: time.Minute}}
	w := newWorld(t, m)
	w.programs = outside.NewPrograms()
	w.start(seam.Snapshot{})
	eventually(t, "the router is told why not", func() bool { return w.lastReady().Reason == "script/chk has not had a result yet" })
	if err := os.WriteFile(dir+"/go", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.up()
	if track, ready := w.lastTrack("script/chk"), w.lastReady(); !track.OK || !ready.OK {
		t.Errorf("%+v %+v", track, ready)
	}
	w.router.Send(seam.Message{Stop: &seam.Stop{}})
	w.ended()
}

func TestNotifications(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	m := model("10.0.0.1")
	m.Instances[0].NotifyMaster = shell("echo master >> " + log)
	m.Instances[0].Notify = config.Command{Line: "x", Argv: []string{"/bin/sh", "-c", `echo "$@" >> ` + log, "own"}}
	m.Instances[0].NotifyStop = shell("sleep 0.2; echo stop >> " + log)
	m.Instances[0].NotifyRxLower = shell("echo lower >> " + log)
	vs := &m.VirtualServers[0]
	vs.QuorumUp, vs.QuorumDown = shell("echo quorum up >> "+log), shell("echo quorum down >> "+log)
	vs.RealServers[0].NotifyUp, vs.RealServers[0].NotifyDown = shell("echo server up >> "+log), shell("echo server down >> "+log)
	w := newWorld(t, m)
	w.programs = outside.NewPrograms()
	w.start(seam.Snapshot{})
	w.up()
	eventually(t, "the quorum at the start", func() bool { return read(log) == "quorum up\n" })
	w.router.Send(seam.Message{Event: ptr(master(m))})
	eventually(t, "MASTER", func() bool { return strings.HasSuffix(read(log), "master\nINSTANCE VI_1 MASTER 100\n") })
	w.router.Send(seam.Message{Event: &seam.Event{Notice: &vrrp.Notice{ID: vrrp.ID{Interface: "eth0", Family: vrrp.IPv4, VRID: 51}, Kind: "master_rx_lower_pri", Priority: 100}}})
	eventually(t, "a lower MASTER", func() bool { return strings.HasSuffix(read(log), "lower\n") })
	w.servers.set("10.0.0.1:80", true)
	eventually(t, "the server and the quorum lost", func() bool {
		return strings.Contains(read(log), "server down\n") && strings.Contains(read(log), "quorum down\n")
	})
	w.router.Send(seam.Message{Stop: &seam.Stop{}})
	if code := w.ended(); code != ExitClean {
		t.Errorf("exit %d", code)
	}
	if got := read(log); !strings.HasSuffix(got, "stop\nINSTANCE VI_1 STOP 100\n") {
		t.Errorf("the stop waits for its scripts: %q", got)
	}
}

func ptr[T any](v T) *T { return &v }

func TestRestartNotifiesOnlyNews(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	m := model()
	m.VirtualServers = nil
	m.Instances[0].Notify = config.Command{Line: "x", Argv: []string{"/bin/sh", "-c", `echo "$@" >> ` + log, "own"}}
	w := newWorld(t, m)
	w.programs = outside.NewPrograms()
	w.start(seam.Snapshot{})
	w.up()
	w.router.Send(seam.Message{Event: ptr(master(m))})
	eventually(t, "MASTER is told and recorded", func() bool {
		return read(log) == "INSTANCE VI_1 MASTER 100\n" && strings.Contains(read(filepath.Join(w.dir, "notified.json")), "MASTER")
	})
	w.cancel() // as good as killed
	w.ended()
	w.programs = outside.NewPrograms()
	id := vrrp.ID{Interface: "eth0", Family: vrrp.IPv4, VRID: 51}
	status := vrrp.Status{ID: id, Name: "VI_1", State: vrrp.Master, Priority: 100}
	w.start(seam.Snapshot{Gen: 1, Adopted: true, Instances: []vrrp.Status{status}})
	w.up()
	status.State = vrrp.Backup
	w.router.Send(seam.Message{Snapshot: &seam.Snapshot{Gen: 2, Dropped: 1, Instances: []vrrp.Status{status}}})
	eventually(t, "only the change is told", func() bool {
		return read(log) == "INSTANCE VI_1 MASTER 100\nINSTANCE VI_1 BACKUP 100\n"
	})
	w.cancel()
	w.ended()
}

func TestCheckPrograms(t *testing.T) {
	p := outside.NewPrograms()
	defer p.Close()
	run := func(c probe.Command) (int, string, error) {
		exit, out, err := p.Checks().Run(context.Background(), c)
		return exit, string(out), err
	}
	if exit, out, err := run(probe.Command{Argv: []string{"/bin/sh", "-c", "echo x; exit 7"}}); exit != 7 || out != "x\n" || err != nil {
		t.Errorf("got %d %q %v", exit, out, err)
	}
	if exit, _, err := run(probe.Command{Shell: "kill -9 $$"}); exit != -9 || err != nil {
		t.Errorf("got %d %v", exit, err)
	}
	if _, _, err := run(probe.Command{Shell: "sleep 1000", Timeout: 50 * time.Millisecond}); err == nil || !strings.Contains(err.Error(), "deadline") {
		t.Errorf("got %v", err)
	}
	if _, _, err := run(probe.Command{Argv: []string{"/no/such"}}); err == nil {
		t.Error("a missing program is an error")
	}
}

func TestRemovedInstanceIsToldAsDeleted(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	m := model()
	m.VirtualServers = nil
	m.Instances[0].ReportDeleted = true
	m.Instances[0].Notify = config.Command{Line: "x", Argv: []string{"/bin/sh", "-c", `echo "$@" >> ` + log, "own"}}
	w := newWorld(t, m)
	w.programs = outside.NewPrograms()
	w.start(seam.Snapshot{})
	w.up()
	w.router.Send(seam.Message{Event: ptr(master(m))})
	eventually(t, "MASTER is told", func() bool { return read(log) == "INSTANCE VI_1 MASTER 100\n" })
	without := *m
	without.Instances = nil
	w.set(&without, nil)
	w.router.Send(seam.Message{Reload: &seam.Reload{}})
	eventually(t, "DELETED is told", func() bool { return read(log) == "INSTANCE VI_1 MASTER 100\nINSTANCE VI_1 DELETED 100\n" })
	w.router.Send(seam.Message{Stop: &seam.Stop{}})
	w.ended()
	if got := read(log); strings.Contains(got, "STOP") {
		t.Errorf("what is gone does not stop: %q", got)
	}
}

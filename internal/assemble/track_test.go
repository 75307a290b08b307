package assemble

import (
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/track"
)

func TestTracks(t *testing.T) {
	m := &config.Model{
		Global: config.GlobalDefs{ScriptUser: "nobody", EnableScriptSecurity: true},
		Instances: []config.VRRPInstance{{Name: "VI_1",
			TrackScripts: []config.Track{{Name: "used"}}, TrackProcesses: []config.Track{{Name: "p"}}}},
		Groups: []config.SyncGroup{{Name: "G", TrackScripts: []config.Track{{Name: "by_group"}}}},
		Scripts: []config.VRRPScript{
			{Name: "used", Script: config.Command{Line: "/bin/check -a", Argv: []string{"/bin/check", "-a"}}, Interval: 2 * time.Second, Timeout: time.Second, Rise: 2, Fall: 3, InitFail: true},
			{Name: "unused", Script: config.Command{Line: "x", Argv: []string{"x"}}},
			{Name: "by_group", Script: config.Command{Line: "y", Argv: []string{"y"}, User: "root"}},
		},
		TrackFiles:     []config.TrackFile{{Name: "f", File: "/run/f", Init: true, InitValue: 4}},
		TrackProcesses: []config.TrackProcess{{Name: "p", Process: "nginx", Params: []string{"-x"}, Quorum: 2, QuorumMax: -1}, {Name: "unused"}},
	}
	scripts, files, processes := Tracks(m)
	if len(scripts) != 2 || len(files) != 1 || len(processes) != 1 {
		t.Fatalf("got %d scripts, %d files, %d processes", len(scripts), len(files), len(processes))
	}
	s := scripts[0]
	if s.ID != "script/used" || s.Command.String() != "/bin/check -a" || s.Command.User != "nobody" || !s.Command.Secure ||
		s.Interval != 2*time.Second || s.Timeout != time.Second || s.Rise != 2 || s.Fall != 3 || !s.InitFail {
		t.Errorf("script %+v", s)
	}
	if scripts[1].Command.User != "root" {
		t.Errorf("a script's own user wins: %+v", scripts[1])
	}
	if f := files[0]; f != (track.File{ID: "file/f", Path: "/run/f", Init: true, InitValue: 4}) {
		t.Errorf("file %+v", f)
	}
	if p := processes[0]; p.ID != "process/p" || p.Name != "nginx" || p.Match != track.MatchExact || p.Quorum != 2 || p.QuorumMax != -1 {
		t.Errorf("process %+v", p)
	}
}

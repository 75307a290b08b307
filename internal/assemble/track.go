package assemble

import (
	"github.com/holdfast-ha/holdfast/config"
	"github.com/holdfast-ha/holdfast/internal/track"
)

// Tracks is what the balancer watches: the scripts, files and processes that instances and sync groups refer to.
// Scripts and processes that nobody refers to are left out; files stay, because FILE_CHECK may read them.
func Tracks(m *config.Model) (scripts []track.Script, files []track.File, processes []track.Process) {
	used := map[string]bool{}
	for i := range m.Instances {
		in := &m.Instances[i]
		for _, t := range tracks(m, in.TrackScripts, in.TrackFiles, in.TrackProcesses) {
			used[t.ID] = true
		}
	}
	for i := range m.Groups {
		g := &m.Groups[i]
		for _, t := range tracks(m, g.TrackScripts, g.TrackFiles, g.TrackProcesses) {
			used[t.ID] = true
		}
	}
	for i := range m.Scripts {
		if s := &m.Scripts[i]; used[TrackID("script", s.Name)] {
			scripts = append(scripts, track.Script{ID: TrackID("script", s.Name), Command: command(m, s.Script, 0), Interval: s.Interval,
				Timeout: s.Timeout, Rise: s.Rise, Fall: s.Fall, InitFail: s.InitFail})
		}
	}
	for i := range m.TrackFiles {
		f := &m.TrackFiles[i]
		files = append(files, track.File{ID: TrackID("file", f.Name), Path: f.File, Init: f.Init, InitValue: f.InitValue, Overwrite: f.InitOverwrite})
	}
	for i := range m.TrackProcesses {
		if p := &m.TrackProcesses[i]; used[TrackID("process", p.Name)] {
			processes = append(processes, track.Process{ID: TrackID("process", p.Name), Name: p.Process, Params: p.Params, Match: paramMatch(p),
				FullCommand: p.FullCommand, Quorum: p.Quorum, QuorumMax: p.QuorumMax, ForkDelay: p.ForkDelay, TerminateDelay: p.TerminateDelay})
		}
	}
	return scripts, files, processes
}

// TrackedPath is the file with that track id, "" for none.
func TrackedPath(m *config.Model, id string) string {
	for i := range m.TrackFiles {
		if f := &m.TrackFiles[i]; TrackID("file", f.Name) == id {
			return f.File
		}
	}
	return ""
}

func paramMatch(p *config.TrackProcess) track.ParamMatch {
	switch {
	case p.ParamMatch == "initial":
		return track.MatchInitial
	case p.ParamMatch == "partial":
		return track.MatchPartial
	case p.ParamMatch == "exact" || len(p.Params) > 0:
		return track.MatchExact
	}
	return track.MatchAny
}

package track

import (
	"slices"
	"time"

	"github.com/holdfast-ha/holdfast/internal/script"
)

// Value is what a tracked thing is worth now; it becomes vrrp.Track at the seam.
type Value struct {
	// ID names the thing: "script/NAME", "file/NAME", "process/NAME".
	ID string
	// Known is false for a script that has not had a result yet.
	Known bool
	// OK is the verdict on a script or process. For a file it is true.
	OK bool
	// Value is the number in a file, limited to -254..254, which is all a priority can feel; 0 for the others.
	Value int
}

// Script is one vrrp_script. Zero values mean keepalived's defaults.
type Script struct {
	ID      string
	Command script.Command
	// Interval is the time from the start of one run to the start of the next, 1 s by default. A run that lasts longer delays the
	// next start to the next multiple.
	Interval time.Duration
	// Timeout limits one run; by default it is Interval. A run that is cut off is a failure.
	Timeout time.Duration
	// Rise and Fall are the consecutive results needed to change the verdict, 1 by default. The first result counts alone.
	Rise, Fall int
	// InitFail makes the verdict failed until Rise runs succeeded (init_fail).
	InitFail bool
}

func (s Script) withDefaults() Script {
	if s.Interval <= 0 {
		s.Interval = time.Second
	}
	if s.Timeout <= 0 {
		s.Timeout = s.Interval
	}
	s.Rise, s.Fall = max(1, s.Rise), max(1, s.Fall)
	s.Command.Timeout = s.Timeout
	return s
}

func (s Script) equal(o Script) bool {
	return s.Command.Equal(o.Command) && s.ID == o.ID && s.Interval == o.Interval && s.Timeout == o.Timeout && s.Rise == o.Rise &&
		s.Fall == o.Fall && s.InitFail == o.InitFail
}

// File is one track_file.
type File struct {
	ID string
	// Path is the file whose first number is the value. A file that is missing or starts with no number is worth 0.
	Path string
	// Init makes the file at the first Apply that names it, with the number InitValue, when it is missing, or always with Overwrite.
	Init, Overwrite bool
	InitValue       int
}

// ParamMatch says how the parameters of a process are compared.
type ParamMatch uint8

// How parameters are compared: MatchAny when the configuration names none.
const (
	// MatchAny does not look at parameters.
	MatchAny ParamMatch = iota
	// MatchExact wants exactly the given parameters.
	MatchExact
	// MatchInitial wants the given parameters first (param_match initial).
	MatchInitial
	// MatchPartial is MatchInitial with the last one given only in part (param_match partial).
	MatchPartial
)

// Process is one vrrp_track_process.
type Process struct {
	ID string
	// Name is compared with the process's name (/proc/PID/comm, of which the kernel keeps 15 bytes), or with FullCommand with the
	// first word of its command line.
	Name   string
	Params []string
	Match  ParamMatch
	// FullCommand compares Name with the command line.
	FullCommand bool
	// Quorum is how many must run, 1 by default. QuorumMax is how many may, negative for any number.
	Quorum, QuorumMax int
	// ForkDelay and TerminateDelay are how long a change to good and to bad must last before it counts.
	ForkDelay, TerminateDelay time.Duration
}

func (p Process) equal(o Process) bool {
	return slices.Equal(p.Params, o.Params) && p.ID == o.ID && p.Name == o.Name && p.Match == o.Match &&
		p.FullCommand == o.FullCommand && p.Quorum == o.Quorum && p.QuorumMax == o.QuorumMax && p.ForkDelay == o.ForkDelay &&
		p.TerminateDelay == o.TerminateDelay
}

// enough says whether that many running processes are what is wanted.
func (p Process) enough(running int) bool {
	return running >= p.Quorum && (p.QuorumMax < 0 || running <= p.QuorumMax)
}

// Status is a Value with what an operator wants to know about it.
type Status struct {
	Value
	// Reason says in one clause why the value is what it is: "exited with status 1", "3 of 2 processes run".
	Reason string
	// Since is when the value changed last.
	Since time.Time
}

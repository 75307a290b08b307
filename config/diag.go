package config

import (
	"sort"
	"strings"
)

// Severity grades a Diagnostic.
type Severity string

// The severities. An Error means that the file cannot be run as written; a Warning that something will not be as its author may
// think; a Note that something is worth knowing.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Diagnostic is one thing to say about a configuration.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	// Code names the rule for ever, such as "unknown-keyword".
	Code string `json:"code"`
	File string `json:"file"`
	// Line and Col count from 1, 0 means the whole file; EndCol is one past the last column.
	Line   int `json:"line"`
	Col    int `json:"col"`
	EndCol int `json:"end_col,omitempty"`
	// Message says what is wrong, Hint what to do about it.
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	// Item is the object concerned, such as "vrrp_instance VI_1".
	Item string `json:"item,omitempty"`
	// Confined errors hurt only Item (an instance has Blocked set, a block is left out): at start the rest may run, at a reload
	// they refuse the file like any other.
	Confined bool `json:"confined,omitempty"`
	// Excerpt is the line of the source.
	Excerpt string `json:"excerpt,omitempty"`
	// Included lists the include lines that led to File, outermost first.
	Included []string `json:"included,omitempty"`
}

// String is file:line:col: severity: message.
func (d Diagnostic) String() string {
	s := Pos{d.File, d.Line, d.Col}.String() + ": " + string(d.Severity) + ": " + d.Message
	if d.Hint != "" {
		s += " (" + d.Hint + ")"
	}
	return s
}

// Diagnostics are all that is to be said about one configuration, in the order of the source.
type Diagnostics []Diagnostic

// HasErrors says that the file cannot run as written. A reload refuses it.
func (ds Diagnostics) HasErrors() bool { return ds.Count(Error) > 0 }

// RefuseStart says that there is an error which is not confined to one item, so that nothing of the file may run.
func (ds Diagnostics) RefuseStart() bool {
	for _, d := range ds {
		if d.Severity == Error && !d.Confined {
			return true
		}
	}
	return false
}

// Count is how many there are of a severity.
func (ds Diagnostics) Count(s Severity) int {
	n := 0
	for _, d := range ds {
		if d.Severity == s {
			n++
		}
	}
	return n
}

// FirstError is the first error, or nil.
func (ds Diagnostics) FirstError() *Diagnostic {
	for i := range ds {
		if ds[i].Severity == Error {
			return &ds[i]
		}
	}
	return nil
}

// Err is one line for a log: the first error and how many more there are; "" without errors.
func (ds Diagnostics) Err() string {
	d := ds.FirstError()
	if d == nil {
		return ""
	}
	s := d.String()
	if n := ds.Count(Error); n > 1 {
		s += strings.Replace(" and N more", "N", itoa(n-1), 1)
	}
	return s
}

func (ds Diagnostics) sort(files []string) {
	rank := make(map[string]int, len(files))
	for i, f := range files {
		if _, ok := rank[f]; !ok {
			rank[f] = i
		}
	}
	sort.SliceStable(ds, func(i, j int) bool {
		a, b := &ds[i], &ds[j]
		if a.File != b.File {
			return rank[a.File] < rank[b.File]
		}
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return a.Col < b.Col
	})
}

package config

import (
	"io/fs"
	"strconv"
)

// Parse reads the file name of fsys, which is rooted at "/", with everything it includes. A relative name starts at opts.Dir.
// The Model is never nil; whether it may run is told by the Diagnostics (HasErrors, RefuseStart).
func Parse(fsys fs.FS, name string, host Host, opts Options) (*Model, Diagnostics) {
	return &Model{}, Diagnostics{{Severity: Error, Code: "not-built", File: name, Message: "reading configurations is not built yet"}}
}

func itoa(n int) string { return strconv.Itoa(n) }

var _ = []any{triOf, (*Meta).mark, Diagnostics.sort}

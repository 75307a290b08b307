package router

import "errors"

// ErrRefused: the daemon was started with a configuration it refuses.
var ErrRefused = errors.New("it has errors, see the lines before")

// Package examples holds configurations to start from, with the real servers' side, and the systemd units. A test loads each of them.
package examples

import "embed"

// Classic are the three classic set-ups: DIRECTORY/director.conf, director.sh and realserver.sh.
//
//go:embed classic
var Classic embed.FS

// Package examples holds configurations to start from, with the real servers' side, and the systemd units. A test loads each of them.
package examples

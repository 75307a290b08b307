// Package assemble turns a config.Model into what each room takes: vrrp.Config, checker specs, IPVS services, tracked things and notify
// targets, one file each.
//
// It is pure and total: every Model that may run has a result, the same Model always the same one (so that a reload without changes
// compares equal), and nothing is decided here that a room decides itself. It never reads anything but the Model.
package assemble

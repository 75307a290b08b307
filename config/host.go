package config

import (
	"io/fs"
	"net/netip"
)

// Host is what the configuration may know about the machine. Every field may be left zero: then nothing is said about it.
type Host struct {
	// Hostname is the default of router_id and, up to the first dot, of the config id.
	Hostname string
	// Interfaces by name; nil means that they are not known.
	Interfaces map[string]Interface
	// NextHop is the router through which this machine sends to an address, not valid when none is in between; known is false where there is no route, or
	// nothing is known. nil: not known.
	NextHop func(to netip.Addr) (router netip.Addr, known bool)
	// InNamespace tells whether Interfaces are those of the network namespace of this name; nil means that they are not.
	InNamespace func(name string) bool
	// UserExists tells whether an account exists; nil means that accounts are not known.
	UserExists func(name string) bool
	// GroupExists likewise for groups.
	GroupExists func(name string) bool
	// Stat gives what script security asks of each component of a path (symbolic links followed); nil: not known.
	Stat func(path string) (FileInfo, error)
	// Sysctl gives a kernel setting by its dotted name, "" for one that does not exist (its module is not loaded); nil: not known.
	Sysctl func(name string) string
	// Env gives the value of an environment variable for ${_ENV NAME}; nil means an empty environment.
	Env func(name string) string
	// Seed starts ${_RANDOM}.
	Seed int64
}

// Interface is what is known of a network interface.
type Interface struct {
	Addrs     []netip.Prefix
	Multicast bool
	// MTU is 0 when unknown.
	MTU int
	// Type is the ARPHRD number, 1 for Ethernet, 32 for InfiniBand, 0 when unknown.
	Type int
}

// FileInfo is owner and mode of a file.
type FileInfo struct {
	UID, GID uint32
	Mode     fs.FileMode
}

// Options say how to read.
type Options struct {
	// Dir is the directory that a relative file name and ${_PWD} start from; "" is "/".
	Dir string
	// ConfigID is compared by @id conditionals; "" means the host name up to the first dot.
	ConfigID string
	// IncludeChecks makes every include strict (keepalived's -e).
	IncludeChecks bool
	// WarnOnly turns the errors about words that decide who owns an address into warnings (--warn-only).
	WarnOnly bool
}

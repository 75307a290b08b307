package main

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"os/user"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/holdfast-ha/holdfast/config"
)

// parseFile reads a configuration of this machine, for a command that ends soon: collecting garbage at every doubling of a small heap would take
// longer than the reading.
func parseFile(name string, opts config.Options) (*config.Model, config.Diagnostics) {
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	if opts.Dir == "" {
		opts.Dir, _ = os.Getwd()
	}
	return config.Parse(os.DirFS("/"), name, configHost(), opts)
}

// configIDFlag is the option of every command that reads a configuration.
func configIDFlag(cmd *cobra.Command) *string {
	return cmd.Flags().StringP("config-id", "i", "", "name that @ conditionals are compared with (default: the host name up to the first dot)")
}

// configHost is what the configuration may know about this machine. Nothing in it needs root or the network.
func configHost() config.Host {
	h := config.Host{Interfaces: map[string]config.Interface{}, InNamespace: inNamespace, NextHop: nextHops(), UserExists: userExists, GroupExists: groupExists, Stat: statFile, Sysctl: readSysctl, Env: os.Getenv, Seed: int64(os.Getpid())}
	h.Hostname, _ = os.Hostname()
	list, err := net.Interfaces()
	if err != nil {
		h.Interfaces = nil
		return h
	}
	for _, i := range list {
		c := config.Interface{Multicast: i.Flags&net.FlagMulticast != 0, MTU: i.MTU}
		if b, err := os.ReadFile("/sys/class/net/" + i.Name + "/type"); err == nil {
			c.Type, _ = strconv.Atoi(strings.TrimSpace(string(b)))
		}
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				c.Addrs = append(c.Addrs, p)
			}
		}
		h.Interfaces[i.Name] = c
	}
	return h
}

// readSysctl reads a setting by the name that sysctl(8) knows it by: dots and slashes change places.
func readSysctl(name string) string {
	b, _ := os.ReadFile("/proc/sys/" + strings.NewReplacer(".", "/", "/", ".").Replace(name))
	return strings.TrimSpace(string(b))
}

func userExists(name string) bool {
	if _, err := strconv.Atoi(name); err == nil {
		return true
	}
	_, err := user.Lookup(name)
	var unknown user.UnknownUserError
	return !errors.As(err, &unknown)
}

func groupExists(name string) bool {
	if _, err := strconv.Atoi(name); err == nil {
		return true
	}
	_, err := user.LookupGroup(name)
	var unknown user.UnknownGroupError
	return !errors.As(err, &unknown)
}

func statFile(name string) (config.FileInfo, error) {
	i, err := os.Stat(name)
	if err != nil {
		return config.FileInfo{}, err
	}
	f := config.FileInfo{Mode: i.Mode()}
	if s, ok := i.Sys().(*syscall.Stat_t); ok {
		f.UID, f.GID = s.Uid, s.Gid
	}
	return f, nil
}

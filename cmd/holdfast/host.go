package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/holdfast-ha/holdfast/config"
)

// seed stays the same for the life of the process, so that reading a file twice gives the same.
var seed = time.Now().UnixNano()

// realHost is what the configuration may know about this machine.
func realHost() config.Host {
	h := config.Host{Env: os.Getenv, Seed: seed, Interfaces: interfaces(), Stat: stat,
		UserExists:  func(name string) bool { _, err := user.Lookup(name); return err == nil },
		GroupExists: func(name string) bool { _, err := user.LookupGroup(name); return err == nil },
	}
	h.Hostname, _ = os.Hostname()
	return h
}

// interfaces lists the network interfaces; nil when they cannot be listed, and then the configuration says nothing about them.
func interfaces() map[string]config.Interface {
	list, err := net.Interfaces()
	if err != nil {
		return nil
	}
	out := make(map[string]config.Interface, len(list))
	for _, i := range list {
		c := config.Interface{Multicast: i.Flags&net.FlagMulticast != 0}
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				c.Addrs = append(c.Addrs, p)
			}
		}
		if b, err := os.ReadFile(filepath.Join("/sys/class/net", i.Name, "type")); err == nil {
			c.Type, _ = strconv.Atoi(strings.TrimSpace(string(b)))
		}
		out[i.Name] = c
	}
	return out
}

func stat(path string) (config.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return config.FileInfo{}, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return config.FileInfo{}, fmt.Errorf("stat %s: no owner known", path)
	}
	return config.FileInfo{UID: st.Uid, GID: st.Gid, Mode: info.Mode()}, nil
}

// readConfig reads a configuration file of this machine.
func readConfig(name string, opts config.Options) (*config.Model, config.Diagnostics) {
	if opts.Dir == "" {
		opts.Dir, _ = os.Getwd()
	}
	return config.Parse(os.DirFS("/"), name, realHost(), opts)
}

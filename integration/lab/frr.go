//go:build linux

package lab

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// FRR is FRRouting's vrrpd, which works on interfaces that somebody else has made: one macvlan with the virtual MAC and the addresses per family.
const FRR Kind = "frr"

// FRRConf is one virtual router of vrrpd, for both families.
type FRRConf struct {
	VRID, Priority int
	// Version is 2 or 3, Interval a multiple of 10 ms.
	Version  int
	Interval time.Duration
	// VIPs are its addresses with prefix length.
	VIPs []netip.Prefix
}

// StartFRR starts zebra and vrrpd on the director; Daemon is vrrpd. It may be called again after both have ended.
func (d *Director) StartFRR(c FRRConf) {
	d.runs++
	d.kind = string(FRR)
	dir := filepath.Join(d.Dir, "frr")
	if d.zebra == nil {
		// The daemons give up root for the user frr, and then make their sockets.
		err := errors.Join(os.MkdirAll(dir, 0o755), os.Chmod(d.lab.Dir, 0o711))
		if frr, uerr := user.Lookup("frr"); uerr != nil {
			err = errors.Join(err, uerr)
		} else {
			uid, _ := strconv.Atoi(frr.Uid)
			gid, _ := strconv.Atoi(frr.Gid)
			err = errors.Join(err, os.Chown(dir, uid, gid))
		}
		if err != nil {
			d.lab.Fatalf("prepare %s for FRR: %v", dir, err)
		}
		// The addresses are there all the time; only the macvlan may answer for them.
		d.Sysctl("net/ipv4/conf/all/arp_ignore=1", "net/ipv4/conf/all/rp_filter=0", "net/ipv4/conf/eth0/rp_filter=0")
	}
	families := map[bool]string{}
	for _, p := range c.VIPs {
		six := p.Addr().Is6()
		if families[six] == "" {
			dev, mac := "vrrp4-1", fmt.Sprintf("00:00:5e:00:01:%02x", c.VRID)
			if six {
				dev, mac = "vrrp6-1", fmt.Sprintf("00:00:5e:00:02:%02x", c.VRID)
			}
			families[six] = dev
			_, _ = d.Try("ip", "link", "del", dev)
			// The link-local address must not come from the MAC: both routers have the same one.
			d.IP("link add "+dev+" link eth0 type macvlan mode bridge", "link set "+dev+" addrgenmode none address "+mac)
			d.Sysctl("net/ipv6/conf/"+dev+"/accept_dad=0", "net/ipv4/conf/"+dev+"/rp_filter=0")
			if six {
				d.IP("addr add fe80::" + strings.TrimPrefix(d.Addr6.String(), "fd77::") + "/64 dev " + dev)
			}
		}
		d.IP("addr add " + p.String() + " dev " + families[six])
	}
	for _, dev := range families {
		d.IP("link set " + dev + " up")
	}
	text := fmt.Sprintf("hostname %s\nlog stdout\ninterface eth0\n vrrp %d version %d\n vrrp %d priority %d\n vrrp %d advertisement-interval %d\n", d.Name, c.VRID, c.Version, c.VRID, c.Priority, c.VRID, c.Interval.Milliseconds())
	for _, p := range c.VIPs {
		word := "ip"
		if p.Addr().Is6() {
			word = "ipv6"
		}
		text += fmt.Sprintf(" vrrp %d %s %s\n", c.VRID, word, p.Addr())
	}
	if err := os.WriteFile(filepath.Join(dir, "vrrpd.conf"), []byte(text), 0o644); err != nil {
		d.lab.Fatalf("%v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "zebra.conf"), []byte("hostname "+d.Name+"\nlog stdout\n"), 0o644); err != nil {
		d.lab.Fatalf("%v", err)
	}
	start := func(name string) *Process {
		return d.Node.Start(fmt.Sprintf("%s of %s (start %d)", name, d.Name, d.runs), "/usr/lib/frr/"+name, "-f", filepath.Join(dir, name+".conf"), "-i", filepath.Join(dir, name+".pid"),
			"-z", filepath.Join(dir, "zserv.api"), "--vty_socket", dir, "-P", "0")
	}
	if d.zebra == nil || !d.zebra.Running() {
		d.zebra = start("zebra")
		d.lab.Eventually("zebra listens", func() bool {
			_, err := os.Stat(filepath.Join(dir, "zserv.api"))
			return err == nil
		})
	}
	d.Daemon = start("vrrpd")
}

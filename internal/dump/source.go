package dump

import (
	"fmt"
	"time"

	"github.com/holdfast-ha/holdfast/ipvssync"
	"github.com/holdfast-ha/holdfast/vrrp"
)

// Source is everything that is printed.
type Source struct {
	// RouterID is the name of this director.
	RouterID  string
	Instances []Instance
	Groups    []vrrp.Group
	Scripts   []Script
	Pools     []Pool
}

// Instance is one VRRP instance: what it is and what it was told.
type Instance struct {
	Config vrrp.Instance
	Status vrrp.Status
	// SMTPAlert and Accept are settings the router has no use for.
	SMTPAlert, Accept bool
}

// Script is a tracked script.
type Script struct {
	Name, Command     string
	Interval, Timeout time.Duration
	Weight            int
	Rise, Fall        int
	// Known says that there is a result yet.
	Known, OK bool
}

// Pool is a virtual server.
type Pool struct {
	Spec   ipvssync.VirtualServer
	Status ipvssync.Status
}

// refusals are keepalived's names for refusals, counted from ours.
type refusals struct {
	length, ttl, kind, interval, addresses, authType, authMismatch, authFailure uint64
}

func errorsOf(c vrrp.Counters) refusals {
	r := func(reasons ...vrrp.Reason) (n uint64) {
		for _, reason := range reasons {
			n += c.Refused[string(reason)]
		}
		return n
	}
	return refusals{
		length: r(vrrp.ReasonTruncated, vrrp.ReasonLength), ttl: r(vrrp.ReasonTTL), kind: r(vrrp.ReasonType), interval: r(vrrp.ReasonInterval),
		addresses: c.Refused["addresses"], authMismatch: r(vrrp.ReasonAuthType), authFailure: r(vrrp.ReasonAuthFailure, vrrp.ReasonReplay),
	}
}

// seconds prints a time as keepalived does: whole seconds without a point.
func seconds(d time.Duration) string {
	return fmt.Sprintf("%g", d.Seconds())
}

// addressText is an address as keepalived prints it.
func addressText(a vrrp.Address, iface string, set bool) string {
	if a.Interface != "" {
		iface = a.Interface
	}
	s := a.Prefix.String()
	if a.Broadcast.IsValid() {
		s += " brd " + a.Broadcast.String()
	}
	s += " dev " + iface + " scope " + scopeName(a.Scope)
	if a.Label != "" {
		s += " label " + a.Label
	}
	if set {
		s += " set"
	}
	return s
}

func scopeName(n uint8) string {
	switch n {
	case 0:
		return "global"
	case 200:
		return "site"
	case 253:
		return "link"
	case 254:
		return "host"
	case 255:
		return "nowhere"
	}
	return fmt.Sprint(n)
}

func advertised(in vrrp.Instance, excluded bool) (out []vrrp.Address) {
	for _, a := range in.Addresses {
		if a.Excluded == excluded {
			out = append(out, a)
		}
	}
	return out
}

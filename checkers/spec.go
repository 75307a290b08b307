package checkers

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// ID names one check for as long as the configuration names it: it is what state is kept by over reload and restart.
type ID struct {
	// Virtual is the key of the virtual server, as the rest of Holdfast spells it.
	Virtual string `json:"virtual"`
	// Real is the key of the real server within it.
	Real string `json:"real"`
	// Index counts the checks of that real server from 0.
	Index int `json:"index"`
}

// String is for people: "virtual real #index".
func (id ID) String() string { return fmt.Sprintf("%s %s #%d", id.Virtual, id.Real, id.Index) }

// compare orders by virtual server, real server, index.
func (id ID) compare(b ID) int {
	return cmp.Or(strings.Compare(id.Virtual, b.Virtual), strings.Compare(id.Real, b.Real), id.Index-b.Index)
}

// Probe is what one attempt does: the part of a check that is the same for every virtual server asking for it. Two checks with
// equal probes can share one.
type Probe struct {
	// Kind of check.
	Kind Kind
	// Target is connect_ip and connect_port, or the real server's own. An IPv6 zone is honoured.
	Target netip.AddrPort
	// Bind is bindto and bind_port, the source of the attempt. The zero address leaves it to the kernel; a port alone is honoured.
	Bind netip.AddrPort
	// Interface is bind_if (SO_BINDTODEVICE), empty for none.
	Interface string
	// Mark is fwmark (SO_MARK), 0 for none.
	Mark uint32
	// Via is the way of a check through the director's own forwarding path; the zero value connects directly. Then Target is the virtual
	// address, and Mark leads to a private service with exactly that server.
	Via Via
	// Timeout bounds the attempt, of HTTP each url and of SMTP each host, from the connect to the last byte (keepalived's
	// connect_timeout; misc_timeout for scripts). 0 means 5 s.
	Timeout time.Duration
	// Params is what the kind needs beyond that, nil where it needs nothing. Not changed after it was handed over.
	Params Params
}

// Via is the real server that a check through the forwarding path reaches, and how.
type Via struct {
	// Server is the real server's address and port.
	Server netip.AddrPort
	// Method is the forwarding method, for people: "DR", "TUN gue port 6080".
	Method string
}

// Asks is what the probe is about, for people: address and port, the address alone, the program, the file.
func (p *Probe) Asks() string {
	switch params := p.Params.(type) {
	case *MiscParams:
		if params.Shell != "" {
			return params.Shell
		}
		return strings.Join(params.Argv, " ")
	case *FileParams:
		return params.Path
	}
	if p.Kind == Ping {
		return p.Target.Addr().String()
	}
	if p.Via.Server.IsValid() {
		return fmt.Sprintf("%s through %s to %s", p.Target, p.Via.Method, p.Via.Server)
	}
	return p.Target.String()
}

// DefaultTimeout is Probe.Timeout when it is 0.
const DefaultTimeout = 5 * time.Second

// StepLimit is Timeout or its default.
func (p *Probe) StepLimit() time.Duration {
	if p.Timeout <= 0 {
		return DefaultTimeout
	}
	return p.Timeout
}

// Limit is the longest that the whole attempt may take: one StepLimit for each url or host.
func (p *Probe) Limit() time.Duration {
	switch params := p.Params.(type) {
	case *HTTPParams:
		return p.StepLimit() * time.Duration(max(len(params.URLs), 1))
	case *SMTPParams:
		sum := time.Duration(0)
		for i := range params.Hosts {
			sum += cmp.Or(max(params.Hosts[i].Timeout, 0), p.StepLimit())
		}
		return cmp.Or(sum, p.StepLimit())
	}
	return p.StepLimit()
}

// Spec is one check of one real server of one virtual server.
type Spec struct {
	// ID is its identity.
	ID ID
	// Probe is what is done.
	Probe Probe
	// Rules are when, how often and what follows.
	Rules Rules
	// Warmup spreads the first attempt over this time (keepalived's warmup, where the file sets it). 0: at once.
	Warmup time.Duration
	// LogAll asks for a Notice for every failed attempt (log_all_failures), not only for changes.
	LogAll bool
	// Smooth moves the weight at each attempt by this many percent of the way to what the server says. 0 or 100: all of it.
	Smooth int
	// Alone keeps the probe from being shared with equal ones (check_share off).
	Alone bool
	// Suspended keeps the check's state and stops its attempts (ha_suspend while the address is elsewhere).
	Suspended bool
}

// Rules are how a row of results becomes a verdict. Comparable.
type Rules struct {
	// Interval is delay_loop: from attempt to attempt while nothing is wrong, and while the check is down. 0 means 60 s.
	Interval time.Duration
	// Retry is how many further attempts follow a failed one before the check is down: Retry 3 = 4 failures.
	Retry int
	// RetryDelay is delay_before_retry, the pause before each of these. 0 means at once.
	RetryDelay time.Duration
	// Alpha: a new check is down until it has passed.
	Alpha bool
	// Rise is how many successes in a row bring a check up that is down. 0 means 1. Not in keepalived.
	Rise int
	// Fall is how many failures in a row bring it down; 0 means Retry + 1. Not in keepalived.
	Fall int
	// FastInterval replaces Interval and RetryDelay while results and state disagree. 0 means it does not. Not in keepalived.
	FastInterval time.Duration
	// Damping keeps a check down that changes too often. The zero value does not. Not in keepalived.
	Damping Damping
}

// DefaultInterval is delay_loop when the file does not say (keepalived: 60 s).
const DefaultInterval = 60 * time.Second

func (r *Rules) interval() time.Duration {
	if r.Interval <= 0 {
		return DefaultInterval
	}
	return r.Interval
}

func (r *Rules) fall() int {
	if r.Fall > 0 {
		return r.Fall
	}
	return max(r.Retry, 0) + 1
}

func (r *Rules) rise() int { return max(r.Rise, 1) }

// Damping holds a flapping check down.
type Damping struct {
	// Flaps is how many times it may go down within Window before it is held. 0 turns damping off.
	Flaps int
	// Window is the time over which they count.
	Window time.Duration
	// Hold is how long it then stays down, whatever its attempts say.
	Hold time.Duration
}

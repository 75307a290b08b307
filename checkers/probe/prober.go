package probe

import (
	"context"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/checkers"
)

// Command is a program to run for MISC_CHECK.
type Command struct {
	// Argv is the program and its arguments.
	Argv []string
	// Shell, when not empty, is run by /bin/sh -c instead.
	Shell string
	// User and Group to run as, empty for the configured script user.
	User, Group string
	// SupplementaryGroups and Secure are keepalived's set_supplementary_groups and enable_script_security.
	SupplementaryGroups, Secure bool
	// Timeout after which its process group is ended, counted from the program's start.
	Timeout time.Duration
}

// Runner runs programs: unprivileged, in their own process group, reaped, never more than a bounded number at once. exit is the
// exit status, negative when a signal ended the program (minus its number). output is its first bytes, for the log. err says that
// it could not be started or did not end in time (then errors.Is(err, context.DeadlineExceeded)); EAGAIN says that too many run already.
type Runner interface {
	Run(ctx context.Context, c Command) (exit int, output []byte, err error)
}

// queueTime is how long an attempt of MISC_CHECK may wait for a free place among the programs.
const queueTime = 10 * time.Second

// Options are what a Prober is made of.
type Options struct {
	// Runner runs MISC_CHECK; nil fails such checks as invalid.
	Runner Runner
	// NeverFrom is what [Prober.NeverFrom] begins with.
	NeverFrom []netip.Addr
}

// Prober makes attempts. It is safe for concurrent use.
type Prober struct {
	opt     Options
	files   tlsFiles
	pings   pingSockets
	sources sources

	connector connector
	room      room
}

var _ checkers.Prober = (*Prober)(nil)

// New makes a Prober. Close it when it is no longer used.
func New(opt Options) *Prober {
	p := &Prober{opt: opt}
	p.NeverFrom(opt.NeverFrom)
	return p
}

// Close releases the shared sockets.
func (p *Prober) Close() {
	p.pings.close()
	p.connector.close()
}

// InFlight is how many attempts may run at once without running out of file descriptors: half of those this process may have open,
// 8192 at most.
func (p *Prober) InFlight() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 256
	}
	return int(min(max(limit.Cur/2, 16), 8192))
}

// Probe makes one attempt.
func (p *Prober) Probe(ctx context.Context, what *checkers.Probe) checkers.Result {
	r := p.probe(ctx, what)
	r.Detail, r.Warning = oneLine(r.Detail), oneLine(r.Warning)
	return r
}

func (p *Prober) probe(ctx context.Context, what *checkers.Probe) checkers.Result {
	f := kinds[what.Kind]
	if f == nil {
		return checkers.Fail(checkers.Invalid, "no check of kind "+what.Kind.String())
	}
	if what.Kind != checkers.Misc && what.Kind != checkers.File {
		what = p.sources.sourced(what)
	}
	switch what.Kind {
	case checkers.TCP, checkers.HTTP, checkers.SSL, checkers.SMTP:
		return f(p, ctx, what) // set their own limits: by url, by host, or cheaper than by a context
	}
	limit := what.Limit()
	if what.Kind == checkers.Misc {
		// The Runner ends the program in time; waiting for a free place there is not the program's fault.
		limit += queueTime
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return f(p, ctx, what)
}

// kinds is the table of what can be done.
var kinds = map[checkers.Kind]func(p *Prober, ctx context.Context, what *checkers.Probe) checkers.Result{
	checkers.Ping:  (*Prober).ping,
	checkers.TCP:   (*Prober).tcp,
	checkers.HTTP:  (*Prober).http,
	checkers.SSL:   (*Prober).http,
	checkers.SMTP:  (*Prober).smtp,
	checkers.DNS:   (*Prober).dns,
	checkers.UDP:   (*Prober).udp,
	checkers.Misc:  (*Prober).misc,
	checkers.File:  (*Prober).file,
	checkers.GRPC:  (*Prober).grpc,
	checkers.Agent: (*Prober).agent,
}

// sofar adds to a failed attempt how far it got: the time of each phase, and what there is to warn of. Defer it.
func sofar(out, got *checkers.Result) {
	if !out.OK {
		out.Latency, out.Warning = got.Latency, got.Warning
	}
}

package desk

import (
	"context"
	"strings"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
	"github.com/holdfast-ha/holdfast/internal/control"
)

// lookAgain is how often the end of attempts is looked for.
const lookAgain = 10 * time.Millisecond

// checkNow attempts the checks that the request names; with Wait it answers when every attempt has ended, or when ctx does.
func (d *Desk) checkNow(ctx context.Context, r control.Request) (control.Checked, error) {
	match := func(c *checkers.Spec) bool { return names(r.VirtualServer, r.RealServer, c.ID, c.Probe.Asks) }
	asked := time.Now()
	out := control.Checked{Count: d.Sched.CheckNow(match)}
	if !r.Wait {
		return out, nil
	}
	for {
		all := d.Sched.StatusOf(match)
		waits := false
		for _, c := range all {
			waits = waits || !c.Suspended && (c.Running || c.LastAt.Before(asked))
		}
		if waits {
			select {
			case <-time.After(lookAgain):
				continue
			case <-ctx.Done():
			}
		}
		for _, c := range all {
			c.Last.Weight = c.Weight
			out.Checks = append(out.Checks, control.Attempt{VirtualServer: c.ID.Virtual, RealServer: c.ID.Real, Kind: c.Kind, Target: c.Target, Limit: c.Limit,
				Ended: !c.LastAt.Before(asked), Suspended: c.Suspended, Result: c.Last, Up: c.Up, Streak: c.Streak, Shared: c.Shared, Next: c.Next})
		}
		return out, nil
	}
}

// names says whether a check is one of those that an operator named: by the virtual server and the real server, or by one word for
// any of virtual server, real server and target. An address does for address and port.
func names(virtual, real string, id checkers.ID, target func() string) bool {
	if real == "" {
		return virtual == "" || is(id.Virtual, virtual) || is(id.Real, virtual) || is(target(), virtual)
	}
	return is(id.Virtual, virtual) && (is(id.Real, real) || is(target(), real))
}

func is(have, word string) bool {
	if word == "" || strings.EqualFold(have, word) {
		return true
	}
	if _, rest, found := strings.Cut(have, " "); found && (strings.EqualFold(rest, word) || is(rest, word)) {
		return true
	}
	host, _, found := cutPort(have)
	return found && strings.EqualFold(strings.Trim(host, "[]"), strings.Trim(word, "[]"))
}

func cutPort(s string) (host, port string, found bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

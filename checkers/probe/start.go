package probe

import (
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
)

var _ checkers.Starter = (*Prober)(nil)

// Start makes an attempt without a goroutine where it is no more than a connection: by far the most frequent check.
func (p *Prober) Start(what *checkers.Probe, now time.Time, end checkers.Ender) bool {
	if what.Kind != checkers.TCP {
		return false
	}
	params, _ := what.Params.(*checkers.TCPParams)
	if params == nil {
		params = &noTCPParams
	}
	if !bare(what, params) || p.sources.sourced(what) != what {
		return false
	}
	p.connector.start(what.Target, now.Add(what.Limit()), params.CloseRST, &started{what: what, at: now, end: end})
	return true
}

// Started implements checkers.Starter.
func (p *Prober) Started() { p.connector.flush() }

// bare says that a check is a connection from wherever the kernel likes, and nothing else.
func bare(what *checkers.Probe, params *checkers.TCPParams) bool {
	return len(params.Send) == 0 && params.Expect == "" && params.TLS == nil && params.Proxy == 0 && !special(what) && !what.Via.Server.IsValid() &&
		what.Target.Addr().Zone() == ""
}

// started is an attempt that the connector makes.
type started struct {
	what *checkers.Probe
	at   time.Time
	end  checkers.Ender
}

func (s *started) ended(err error, at time.Time) {
	r := checkers.Pass()
	if err != nil {
		r = failed(s.what, "connect", err)
	} else {
		r.Latency.Connect = at.Sub(s.at)
	}
	r.Latency.Total = at.Sub(s.at)
	s.end.End(r, at)
}

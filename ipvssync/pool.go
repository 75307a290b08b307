package ipvssync

import (
	"slices"
	"time"
)

// Pool is the health of one virtual server. Every method that can change something takes the time and answers what changed; the
// caller then hands Want to the kernel and the changes to people. It is not safe for concurrent use.
type Pool struct {
	spec      VirtualServer
	servers   []*member
	quorum    bool
	sum       int
	sorry     bool
	panic     bool
	suspended bool
}

// member is a real server with what is known of it.
type member struct {
	spec    *RealServer // in the Pool's specification
	health  []Health    // in the order of spec.Checks
	up      bool
	known   bool // up was computed before
	full    int  // effective weight without slow start
	weight  int  // weight wanted now
	slow    time.Time
	drain   *Drain
	drained bool
	leaving bool
	ended   bool // a drain just ended
	asking  bool // a check asked for a drain when last evaluated
	conns   int
	manual  int
}

// slowSteps is into how many steps slow start divides the way up.
const slowSteps = 10

// NewPool is a pool at its start. Servers without Alpha are up until a check says otherwise, as in keepalived. The quorum has to be gained
// first, as in keepalived (ipwrapper.c, set_quorum_states): a sum between its two thresholds is not enough. The changes tell of a pool that
// starts without its quorum. The specification is kept, here and in Reconfigure: nobody changes it afterwards.
func NewPool(now time.Time, spec VirtualServer) (*Pool, []Change) {
	p := &Pool{spec: spec}
	p.servers = make([]*member, 0, len(spec.Servers))
	for i := range spec.Servers {
		p.servers = append(p.servers, newMember(&spec.Servers[i]))
	}
	changes := p.evaluate(now)
	if p.quorum {
		return p, slices.DeleteFunc(changes, func(c Change) bool { return c.Kind == QuorumGained })
	}
	gain, _ := p.thresholds()
	return p, slices.Insert(changes, 0, Change{Kind: QuorumLost, From: p.sum, To: gain})
}

// RestoreQuorum continues what a process before held of the quorum, which decides while the sum is between the two thresholds.
func (p *Pool) RestoreQuorum(now time.Time, held bool) []Change {
	if p.quorum == held {
		return nil
	}
	p.quorum = held
	return p.evaluate(now)
}

func newMember(rs *RealServer) *member {
	m := &member{spec: rs, conns: -1, manual: -1}
	if len(rs.Checks) > 0 {
		m.health = make([]Health, len(rs.Checks))
	}
	for i := range m.health {
		m.health[i].Up = !rs.Alpha
	}
	return m
}

// check is what the check of that name says, nil when the server has none.
func (m *member) check(name string) *Health {
	if i := slices.Index(m.spec.Checks, name); i >= 0 {
		return &m.health[i]
	}
	return nil
}

// Spec is the configuration the pool works by.
func (p *Pool) Spec() VirtualServer { return p.spec }

func (p *Pool) member(id string) *member {
	for _, m := range p.servers {
		if m.spec.ID == id {
			return m
		}
	}
	return nil
}

// SetHealth records what a check says of a server. A server or check the pool does not know is ignored: the verdict was about a
// configuration that is gone.
func (p *Pool) SetHealth(now time.Time, server, check string, h Health) []Change {
	m := p.member(server)
	if m == nil || m.leaving {
		return nil
	}
	have := m.check(check)
	if have == nil || *have == h {
		return nil
	}
	*have = h
	return p.evaluate(now)
}

// SetWeight lets an operator choose the static weight of a server, 0..MaxWeight; a negative number takes the choice back.
func (p *Pool) SetWeight(now time.Time, server string, weight int) []Change {
	m := p.member(server)
	if m == nil {
		return nil
	}
	m.manual = min(max(weight, -1), MaxWeight)
	return p.evaluate(now)
}

// Drain takes a server out of scheduling: weight 0, or out of the table under schedulers that fail clients on weight 0.
// Draining a server again replaces the wish and keeps its start.
func (p *Pool) Drain(now time.Time, server string, d Drain) []Change {
	m := p.member(server)
	if m == nil || m.leaving {
		return nil
	}
	var changes []Change
	if m.drain == nil {
		m.conns = -1 // what was counted in a drain before is no more true
		changes = append(changes, m.change(DrainStarted, m.weight, 0))
	} else {
		d.Since = m.drain.Since
	}
	if d.Since.IsZero() {
		d.Since = now
	}
	m.drain, m.drained = &d, m.drained || d.Done
	return append(changes, p.evaluate(now)...)
}

// Undrain lets the server serve again.
func (p *Pool) Undrain(now time.Time, server string) []Change {
	m := p.member(server)
	if m == nil || m.leaving || m.drain == nil {
		return nil
	}
	m.drain, m.drained, m.ended = nil, false, true
	p.slowStart(now, m)
	return p.evaluate(now)
}

// SetConnections tells how many connections the kernel holds for the server over all services of the pool. None left ends a drain.
func (p *Pool) SetConnections(now time.Time, server string, n int) []Change {
	m := p.member(server)
	if m == nil {
		return nil
	}
	m.conns = n
	return p.evaluate(now)
}

// Suspend empties Want without touching health: the director does not balance this virtual server for now.
func (p *Pool) Suspend(on bool) { p.suspended = on }

// HasQuorum says whether the quorum is held. Status tells the same and more, at a price.
func (p *Pool) HasQuorum() bool { return p.quorum }

// Suspended says whether Want is empty because of Suspend.
func (p *Pool) Suspended() bool { return p.suspended }

// Step lets time pass: slow start and the end of drains.
func (p *Pool) Step(now time.Time) []Change { return p.evaluate(now) }

// Next is when Step has something to do, false when only a verdict or a person can change anything.
func (p *Pool) Next() (time.Time, bool) {
	var next time.Time
	for _, m := range p.servers {
		if m.drain != nil && m.drain.Timeout > 0 && !m.drained {
			next = earlier(next, m.drain.Since.Add(m.drain.Timeout))
		}
		if !m.slow.IsZero() && !m.draining() {
			step := m.spec.SlowStart / slowSteps
			done := m.weightStep()
			next = earlier(next, m.slow.Add(time.Duration(done)*step))
		}
	}
	return next, !next.IsZero()
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// weightStep is the first step whose weight differs from the present one.
func (m *member) weightStep() int {
	for i := 1; i < slowSteps; i++ {
		if slowWeight(m.full, i) != m.weight && slowWeight(m.full, i) > m.weight {
			return i
		}
	}
	return slowSteps
}

// slowWeight is the weight after i of slowSteps steps: rounded up, never 0 for a server that has weight.
func slowWeight(full, i int) int {
	if i >= slowSteps-1 {
		return full
	}
	return (full*(i+1) + slowSteps - 1) / slowSteps
}

// Reconfigure gives the pool a new configuration. Servers of the same id keep health, drain and weight; a check that is new on
// such a server takes over whether the server was up, so that editing the check of a failed server does not put it back in
// service. Servers that are gone drain if their old configuration says so.
func (p *Pool) Reconfigure(now time.Time, spec VirtualServer) []Change {
	var changes []Change
	old := p.servers
	p.servers = nil
	for k := range spec.Servers {
		rs := &spec.Servers[k]
		i := slices.IndexFunc(old, func(m *member) bool { return m.spec.ID == rs.ID })
		if i < 0 {
			m := newMember(rs)
			p.servers = append(p.servers, m)
			changes = append(changes, m.change(ServerAdded, 0, rs.Weight))
			continue
		}
		m := old[i]
		old = slices.Delete(slices.Clone(old), i, i+1)
		health := make([]Health, len(rs.Checks))
		for i, c := range rs.Checks {
			if h := m.check(c); h != nil {
				health[i] = *h
			} else {
				health[i] = Health{Up: m.up}
			}
		}
		if m.leaving { // it came back before it was gone
			m.leaving, m.drain, m.drained, m.ended = false, nil, false, true
		}
		m.spec, m.health = rs, health
		p.servers = append(p.servers, m)
	}
	for _, m := range old {
		switch {
		case m.leaving:
			p.servers = append(p.servers, m)
		case m.spec.DrainTimeout > 0 && !m.drained && m.weight > 0 && !p.sorry && !hashBlind(spec.Template):
			m.leaving = true
			if m.drain == nil {
				m.conns = -1
			}
			m.drain = &Drain{Since: now, Timeout: m.spec.DrainTimeout, By: "configuration", Why: "removed from the configuration"}
			p.servers = append(p.servers, m)
			changes = append(changes, m.change(DrainStarted, m.weight, 0))
		default:
			changes = append(changes, m.change(ServerRemoved, m.weight, 0))
		}
	}
	p.spec = spec
	return append(changes, p.evaluate(now)...)
}

func (m *member) change(k ChangeKind, from, to int) Change {
	return Change{Kind: k, Server: m.spec.ID, Addr: m.spec.Addr, From: from, To: to}
}

// evaluate brings everything derived up to date and answers what changed.
func (p *Pool) evaluate(now time.Time) []Change {
	var changes []Change
	sum, up, count := 0, 0, 0
	var gone []*member
	for _, m := range p.servers {
		changes = append(changes, p.evaluateMember(now, m)...)
		if m.leaving {
			if m.drained {
				gone = append(gone, m)
			}
			continue
		}
		count++
		if m.up {
			up++
			if !m.draining() {
				sum += m.full
			}
		}
	}
	for _, m := range gone {
		p.servers = slices.DeleteFunc(p.servers, func(o *member) bool { return o == m })
		changes = append(changes, m.change(ServerRemoved, 0, 0))
	}
	p.sum = sum
	changes = append(changes, p.evaluateQuorum()...)
	return append(changes, p.evaluatePanic(up, count)...)
}

func (p *Pool) evaluateMember(now time.Time, m *member) []Change {
	var changes []Change
	up := true
	static := m.spec.Weight
	if m.manual >= 0 {
		static = m.manual
	}
	full := static
	for _, h := range m.health {
		up = up && h.Up
		full += h.Delta
		if h.HasWeight {
			full += h.Weight - static
		}
	}
	full = min(max(full, 0), MaxWeight)
	turned := m.known && up != m.up
	if turned && up {
		p.slowStart(now, m)
	} else if !up {
		m.slow = time.Time{}
	}
	before := m.weight
	m.up, m.full, m.weight = up, full, full
	if !m.slow.IsZero() {
		i := slowSteps
		if step := m.spec.SlowStart / slowSteps; step > 0 {
			i = int(now.Sub(m.slow) / step)
		}
		if m.weight = slowWeight(full, max(i, 0)); i >= slowSteps-1 {
			m.slow = time.Time{}
		}
	}
	asked := m.asked()
	if m.drain != nil || asked {
		m.weight = 0
	}
	if m.ended {
		changes = append(changes, m.change(DrainEnded, 0, m.weight))
		before = m.weight
	}
	switch {
	case !m.known:
	case turned && up:
		changes = append(changes, m.change(ServerUp, before, m.weight))
	case turned:
		changes = append(changes, m.change(ServerDown, before, 0))
	case asked && !m.asking && m.drain == nil:
		changes = append(changes, m.change(DrainStarted, before, 0))
	case !asked && m.asking && m.drain == nil:
		changes = append(changes, m.change(DrainEnded, 0, m.weight))
	case m.weight != before && m.drain == nil:
		changes = append(changes, m.change(WeightChanged, before, m.weight))
	}
	m.known, m.asking, m.ended = true, asked, false
	if d := m.drain; d != nil && !m.drained {
		if m.conns == 0 || d.Timeout > 0 && !now.Before(d.Since.Add(d.Timeout)) || hashBlind(p.spec.Template) {
			m.drained = true
			changes = append(changes, m.change(Drained, max(m.conns, 0), 0))
		}
	}
	return changes
}

func (p *Pool) slowStart(now time.Time, m *member) {
	if m.spec.SlowStart > 0 {
		m.slow = now
	}
}

// draining says that the server must get no new connections although it may be up.
func (m *member) draining() bool { return m.drain != nil || m.asked() }

// asked says that a check asks for a drain.
func (m *member) asked() bool {
	for _, h := range m.health {
		if h.Drain {
			return true
		}
	}
	return false
}

// thresholds are the sums at which the quorum is gained (at or above) and lost (below).
func (p *Pool) thresholds() (gain, lose int) {
	total := 0
	for i := range p.spec.Servers {
		total += p.spec.Servers[i].Weight
	}
	quorum := max(p.spec.Quorum, 1)
	if quorum > total {
		quorum = max(total, 1)
	}
	hysteresis := min(max(p.spec.Hysteresis, 0), quorum-1)
	return quorum + hysteresis, quorum - hysteresis
}

func (p *Pool) evaluateQuorum() []Change {
	var changes []Change
	gain, lose := p.thresholds()
	switch {
	case !p.quorum && p.sum >= gain:
		p.quorum = true
		changes = append(changes, Change{Kind: QuorumGained, From: p.sum, To: gain})
	case p.quorum && (p.sum == 0 || p.sum < lose):
		p.quorum = false
		changes = append(changes, Change{Kind: QuorumLost, From: p.sum, To: lose})
	}
	sorry := !p.quorum && p.spec.Sorry != nil
	if sorry != p.sorry {
		p.sorry = sorry
		kind := SorryOff
		if sorry {
			kind = SorryOn
		}
		c := Change{Kind: kind}
		if p.spec.Sorry != nil {
			c.Addr = p.spec.Sorry.Addr
		}
		changes = append(changes, c)
	}
	return changes
}

// evaluatePanic decides whether so many servers failed that the failure is not believed. A sorry server comes first.
func (p *Pool) evaluatePanic(up, count int) []Change {
	share := 100
	if count > 0 {
		share = up * 100 / count
	}
	on := p.spec.PanicThreshold > 0 && count > 0 && up*100 < p.spec.PanicThreshold*count && !p.sorry
	if on == p.panic {
		return nil
	}
	p.panic = on
	if on {
		return []Change{{Kind: PanicOn, From: share, To: p.spec.PanicThreshold}}
	}
	return []Change{{Kind: PanicOff, From: share, To: p.spec.PanicThreshold}}
}

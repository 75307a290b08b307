package vrrp

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

const (
	// deniedPause is how long an instance that could set none of its addresses leaves them to others before it tries again; it doubles up to
	// deniedPauseMost: each try takes the addresses from a peer that serves.
	deniedPause     = time.Minute
	deniedPauseMost = 10 * time.Minute
)

// Denied names every address of an instance that the kernel refuses to set: IPv6 is off on the interface, say. The instance goes on with the others, which
// is more than nothing for clients; only without any is it FAULT. Its advertisements list all addresses nevertheless: peers compare the lists. The router
// keeps trying and says Denied again whenever the list is another one.
type Denied struct {
	ID        ID
	Addresses []DeniedAddress
}

// DeniedAddress is an address that could not be set where it belongs, and what the kernel says about it. It crosses the seam.
type DeniedAddress struct {
	Prefix    netip.Prefix
	Interface string
	Reason    string
}

// String is what an operator reads.
func (d DeniedAddress) String() string {
	return fmt.Sprintf("%s on %s: %s", d.Prefix, d.Interface, d.Reason)
}

func (d DeniedAddress) same(o DeniedAddress) bool {
	return d.Prefix == o.Prefix && d.Interface == o.Interface
}

// at is the interface that carries an address of the instance.
func (i *Instance) at(a Address) string { return cmp.Or(a.On, a.Interface, i.Interface) }

// denies says whether the address is among the denied.
func denies(list []DeniedAddress, i *Instance, a Address) bool {
	return slices.ContainsFunc(list, func(d DeniedAddress) bool { return d.Prefix == a.Prefix && d.Interface == i.at(a) })
}

func (ms *Machines) denied(now time.Time, ev Denied) {
	m := ms.byID[ev.ID]
	if m == nil || m.unit.state != Master {
		return
	}
	was := m.denied
	m.denied = m.mine(ev.Addresses)
	for _, d := range m.denied {
		if !slices.Contains(was, d) {
			ms.notice(m, "address_denied", "%s", d)
		}
	}
	var back []Address
	for _, d := range was {
		if slices.ContainsFunc(m.denied, d.same) {
			continue
		}
		for _, a := range m.cfg.Addresses {
			if a.Prefix == d.Prefix && m.cfg.at(a) == d.Interface {
				ms.notice(m, "address_set", "%s on %s, which the kernel had refused: %s", d.Prefix, d.Interface, d.Reason)
				back = append(back, a)
			}
		}
	}
	switch {
	case m.barred():
		m.deniedFor = min(max(2*m.deniedFor, deniedPause), deniedPauseMost)
		m.set(timerDenied, now.Add(m.deniedFor))
	default:
		m.deniedFor = 0
		if len(back) > 0 && m.unit.giving == nil {
			ms.announce(now, m, back, m.cfg.Gratuitous.Repeat)
		}
	}
	ms.evaluate(now, m.unit)
}

// mine are those that are addresses of the instance.
func (m *machine) mine(list []DeniedAddress) []DeniedAddress {
	var out []DeniedAddress
	for _, d := range list {
		if slices.ContainsFunc(m.cfg.Addresses, func(a Address) bool { return a.Prefix == d.Prefix && m.cfg.at(a) == d.Interface }) {
			out = append(out, d)
		}
	}
	return out
}

// barred says that the kernel refuses every address.
func (m *machine) barred() bool {
	return len(m.denied) > 0 && !slices.ContainsFunc(m.cfg.Addresses, func(a Address) bool { return !denies(m.denied, &m.cfg, a) })
}

// barredBecause is the fault of an instance that could set no address.
func (m *machine) barredBecause() string {
	if !m.barred() {
		return ""
	}
	var list []string
	for _, d := range m.denied[:min(len(m.denied), 3)] {
		list = append(list, d.String())
	}
	if more := len(m.denied) - len(list); more > 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	what := "every address"
	if len(m.denied) == 1 {
		what = "the address"
	}
	return fmt.Sprintf("the kernel refuses %s: %s (tried again in %s)", what, strings.Join(list, ", "), m.deniedFor)
}

// reconsider forgets what the kernel refused of an instance that holds nothing now: something changed, it may do better the next time.
func (m *machine) reconsider() {
	if m.unit != nil && m.unit.state == Master {
		m.denied = m.mine(m.denied)
		return
	}
	m.denied, m.deniedFor = nil, 0
	m.clear(timerDenied)
}

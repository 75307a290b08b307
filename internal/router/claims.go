package router

import (
	"bytes"
	"maps"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/holdfast-ha/holdfast/internal/event"
	"github.com/holdfast-ha/holdfast/vrrp"
)

const (
	// claimsEvery is how often a MASTER asks whether somebody else claims one of its addresses, claimsFirst how soon after it became MASTER, and claimsWait
	// how long it listens.
	claimsEvery = 20 * time.Second
	claimsFirst = 2 * time.Second
	claimsWait  = time.Second
	// claimsAtOnce is how many addresses are asked for each time; of more, each has its turn.
	claimsAtOnce = 8
	// claimsAgain is how long a claim that was told is not told again.
	claimsAgain = 10 * time.Minute
)

// claimed is somebody else's claim to an address of ours.
type claimed struct {
	addr netip.Addr
	mac  string
}

// question is one address to ask for.
type question struct {
	id    vrrp.ID
	index int
	mac   net.HardwareAddr
	src   netip.Addr
	addr  netip.Addr
}

// askClaims asks, now and then, who else has the addresses held here. With direct routing real servers have them too and must keep quiet about it: one that
// answers ARP takes clients away from the director, which is hard to find otherwise. IPv6 needs no such question: there a host answers only for addresses of
// the interface that was asked, and a duplicate is found by the kernel.
func (r *loop) askClaims(now time.Time) {
	if len(r.held) == 0 {
		r.claimsDue = now.Add(claimsFirst)
		return
	}
	if now.Before(r.claimsDue) || r.seeking >= maxSeeking || !r.stopping.IsZero() {
		return
	}
	r.claimsDue = now.Add(claimsEvery)
	maps.DeleteFunc(r.claims, func(_ claimed, told time.Time) bool { return now.Sub(told) > claimsAgain })
	all := r.questions()
	if len(all) == 0 {
		return
	}
	r.claimsTurn %= len(all)
	ask := slices.Concat(all[r.claimsTurn:], all[:r.claimsTurn])
	ask = ask[:min(claimsAtOnce, len(ask))]
	r.claimsTurn += len(ask)
	r.seeking++
	go func() {
		found := make([][]net.HardwareAddr, len(ask))
		for i, q := range ask {
			found[i], _ = r.Kernel.Answers(q.index, q.mac, q.src, q.addr, claimsWait) // evidence only: without it nothing is told
		}
		r.evidence <- func() {
			r.seeking--
			for i, q := range ask {
				for _, mac := range found[i] {
					r.onClaim(q, mac)
				}
			}
		}
	}()
}

// questions are all IPv4 addresses held here that can be asked for, in a fixed order.
func (r *loop) questions() (all []question) {
	for id, held := range r.held {
		for _, a := range held {
			at := r.interfaces[a.Interface]
			addr := a.Prefix.Addr()
			if !addr.Is4() || !at.Up || len(at.MAC) != 6 {
				continue
			}
			for _, p := range at.Addrs { // an address of this machine's own, to ask from
				if src := p.Addr(); src.Is4() && !r.virtual[src] && !r.holdsAddr(src) {
					all = append(all, question{id, at.Index, at.MAC, src, addr})
					break
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b question) int { return a.addr.Compare(b.addr) })
	return all
}

// holdsAddr says that an instance holds the address now.
func (r *loop) holdsAddr(a netip.Addr) bool {
	for _, held := range r.held {
		for _, h := range held {
			if h.Prefix.Addr() == a {
				return true
			}
		}
	}
	return false
}

// onClaim tells of somebody who claims an address that is still held here, unless it was this machine, or was told of lately.
func (r *loop) onClaim(q question, mac net.HardwareAddr) {
	held := slices.ContainsFunc(r.held[q.id], func(a vrrp.Address) bool { return a.Prefix.Addr() == q.addr })
	if !held || bytes.HasPrefix(mac, []byte{0x00, 0x00, 0x5e, 0x00, 0x01}) {
		return
	}
	for _, i := range r.interfaces {
		if bytes.Equal(i.MAC, mac) {
			return
		}
	}
	c := claimed{q.addr, mac.String()}
	if _, told := r.claims[c]; told {
		return
	}
	r.claims[c] = time.Now()
	r.tell(event.AddressClaimed.With(r.name(q.id), q.addr, mac,
		"another director (vrrp.split_brain tells of it, or it died without letting go); a real server that has the address on its outward interface, or on lo without arp_ignore=1 and arp_announce=2; or a stranger"))
}

package router

import (
	"net/netip"
	"time"

	"github.com/holdfast-ha/holdfast/vrrp"
)

const (
	// maxSeeking bounds how many senders are looked for at once: more refusals than that are told without the hardware address.
	maxSeeking = 4
	// seekFor is how long the next advert of a sender is waited for.
	seekFor = 3 * time.Second
	// knownFor is how long a hardware address that was found is believed.
	knownFor = time.Minute
	// maxKnown bounds how many are remembered, and how many lines may wait for one.
	maxKnown = 64
)

// senderKey is one sender on one interface.
type senderKey struct {
	iface string
	from  netip.Addr
}

// sender is what is known of one: its hardware address and until when it is believed, or the lines that wait for it.
type sender struct {
	mac     string
	until   time.Time
	waiting []func(mac string)
}

// withSender calls then with the hardware address that the adverts from this address come from, as " (hardware address 02:...)": the one thing that
// leads to the port of a switch. It is "" when it cannot be found. Then runs in the loop, at once if the address is known, else as soon as the sender is
// heard again.
func (r *loop) withSender(id vrrp.ID, from netip.Addr, then func(mac string)) {
	key := senderKey{id.Interface, from}
	at, ok := r.interfaces[id.Interface]
	s := r.senders[key]
	switch {
	case !ok || !from.IsValid() || !r.stopping.IsZero():
		then("")
		return
	case s != nil && s.waiting != nil && len(s.waiting) < maxKnown:
		s.waiting = append(s.waiting, then)
		return
	case s != nil && s.waiting == nil && time.Now().Before(s.until):
		then(s.mac)
		return
	case s != nil && s.waiting != nil, r.seeking >= maxSeeking:
		then("")
		return
	}
	if len(r.senders) >= maxKnown {
		for k, old := range r.senders {
			if old.waiting == nil {
				delete(r.senders, k)
			}
		}
	}
	s = &sender{waiting: []func(string){then}}
	r.senders[key] = s
	r.seeking++
	go func() {
		mac, err := r.Kernel.Sender(at.Index, from, seekFor)
		r.evidence <- func() { // never waits: as many fit in as may be under way
			r.seeking--
			if err == nil && len(mac) > 0 {
				s.mac, s.until = " (hardware address "+mac.String()+")", time.Now().Add(knownFor)
			}
			all := s.waiting
			s.waiting = nil
			for _, f := range all {
				f(s.mac)
			}
		}
	}()
}

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
)

// withSender calls then with the hardware address that the adverts from this address come from, as " (hardware address 02:...)": the one thing that
// leads to the port of a switch. It is "" when it cannot be found. Then runs in the loop, as soon as the sender is heard again.
func (r *loop) withSender(id vrrp.ID, from netip.Addr, then func(mac string)) {
	at, ok := r.interfaces[id.Interface]
	if !ok || !from.IsValid() || r.seeking >= maxSeeking || !r.stopping.IsZero() {
		then("")
		return
	}
	r.seeking++
	go func() {
		mac, err := r.Kernel.Sender(at.Index, from, seekFor)
		r.evidence <- func() { // never waits: as many fit in as may be under way
			r.seeking--
			if err != nil || len(mac) == 0 {
				then("")
				return
			}
			then(" (hardware address " + mac.String() + ")")
		}
	}()
}

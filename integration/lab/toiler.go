//go:build linux

package lab

import (
	"net"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Toiler does by itself, all the time, what a router does when it takes addresses over: it is woken and has the kernel add addresses. How long that takes at
// worst is what this machine, with all that else runs on it, adds to every takeover; a ping answered by the kernel alone does not show it.
type Toiler struct {
	*Chatter
	mu    sync.Mutex
	turns []turn
}

type turn struct {
	began time.Time
	took  time.Duration
}

const toilEvery = 5 * time.Millisecond

// Toil starts it in a namespace of its own.
func (l *Lab) Toil() *Toiler {
	n := l.Node("toiler")
	n.IP("link add v0 type veth peer name v1", "link set v0 up", "link set v1 up")
	t := &Toiler{}
	var addrs []*netlink.Addr
	for _, cidr := range []string{"10.99.0.1/24", "fd99::1/64"} {
		ip, network, _ := net.ParseCIDR(cidr)
		addrs = append(addrs, &netlink.Addr{IPNet: &net.IPNet{IP: ip, Mask: network.Mask}, Flags: unix.IFA_F_NODAD})
	}
	addrs[0].Flags = 0
	last := time.Now()
	t.Chatter = n.background(toilEvery, func(h *netlink.Handle) {
		if link, err := h.LinkByName("v0"); err == nil {
			for _, a := range addrs {
				_ = h.AddrAdd(link, a)
			}
		}
		now := time.Now()
		t.mu.Lock()
		t.turns = append(t.turns, turn{last, max(now.Sub(last)-toilEvery, 0)})
		t.mu.Unlock()
		if link, err := h.LinkByName("v0"); err == nil {
			for _, a := range addrs {
				_ = h.AddrDel(link, a)
			}
		}
		last = time.Now()
	})
	return t
}

// Since is the longest that it took from that moment on, what is under way now included.
func (t *Toiler) Since(from time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	var longest time.Duration
	for _, x := range t.turns {
		if x.began.Add(x.took).After(from) {
			longest = max(longest, x.took)
		}
	}
	return longest
}

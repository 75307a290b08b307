package probe

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/holdfast-ha/holdfast/checkers"
)

// sources keeps checks from leaving this machine under a virtual address. Of several IPv6 addresses in one network the kernel takes the one that came
// last (RFC 6724 leaves the choice between equals open), on the owner of a virtual address therefore that: a real server that has it too, as DR and
// tunnels want, takes such a packet for its own, and no answer ever comes. IPv4 takes the first one, which is the director's own.
type sources struct {
	mu sync.Mutex
	// virtual is replaced, never changed.
	virtual map[netip.Addr]bool
	instead map[netip.Addr]instead
}

// instead is what to use for a virtual address, until then; invalid for nothing better.
type instead struct {
	own   netip.Addr
	until time.Time
}

// insteadFor is how long a choice is used: listing addresses costs more than a check where there are many.
const insteadFor = 2 * time.Second

// NeverFrom replaces the addresses that are never the source of a check over IPv6 as long as the interface has another of the same scope, and no
// bindto names one. It may be called at any time.
func (p *Prober) NeverFrom(virtual []netip.Addr) {
	set := map[netip.Addr]bool{}
	for _, a := range virtual {
		if a.Is6() && !a.Is4In6() {
			set[a.WithZone("")] = true
		}
	}
	p.sources.mu.Lock()
	defer p.sources.mu.Unlock()
	p.sources.virtual, p.sources.instead = set, nil
}

// sourced is the probe with a source of its own where the kernel would take a virtual address, and else the probe as it is.
func (s *sources) sourced(what *checkers.Probe) *checkers.Probe {
	target := what.Target.Addr()
	if what.Via.Server.IsValid() {
		target = what.Via.Server.Addr()
	}
	if what.Bind.Addr().IsValid() || !target.Is6() || target.Is4In6() || target.IsLinkLocalUnicast() || target.IsLoopback() {
		return what
	}
	s.mu.Lock()
	virtual := s.virtual
	s.mu.Unlock()
	if len(virtual) == 0 {
		return what
	}
	from, err := kernelSource(what, target)
	if err != nil || !virtual[from] {
		return what
	}
	own := s.other(from)
	if !own.IsValid() {
		return what
	}
	changed := *what
	changed.Bind = netip.AddrPortFrom(own, what.Bind.Port())
	return &changed
}

// other is what to use instead of that virtual address, invalid for nothing.
func (s *sources) other(virtual netip.Addr) netip.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	choice, ok := s.instead[virtual]
	if !ok || now.After(choice.until) {
		choice = instead{own: s.own(virtual), until: now.Add(insteadFor)}
		if s.instead == nil {
			s.instead = map[netip.Addr]instead{}
		}
		s.instead[virtual] = choice
	}
	return choice.own
}

// own is the address of the same interface that is most like the virtual one, and none itself.
func (s *sources) own(virtual netip.Addr) (best netip.Addr) {
	for _, i := range interfaces(virtual) {
		for _, a := range addresses(i) {
			if a.Is6() && !a.IsLinkLocalUnicast() && !s.virtual[a] && (!best.IsValid() || alike(a, virtual) > alike(best, virtual)) {
				best = a
			}
		}
	}
	return best
}

// alike is how many leading bits two addresses of IPv6 have in common.
func alike(a, b netip.Addr) int {
	x, y := a.As16(), b.As16()
	n := 0
	for i := range x {
		for bit := 7; bit >= 0; bit-- {
			if (x[i]^y[i])>>bit&1 != 0 {
				return n
			}
			n++
		}
	}
	return n
}

// kernelSource is the address that the kernel would choose. Nothing is sent.
func kernelSource(what *checkers.Probe, target netip.Addr) (netip.Addr, error) {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return netip.Addr{}, err
	}
	defer unix.Close(fd)
	if !what.Via.Server.IsValid() {
		if what.Mark != 0 {
			if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, int(what.Mark)); err != nil {
				return netip.Addr{}, err
			}
		}
		if what.Interface != "" {
			if err := unix.BindToDevice(fd, what.Interface); err != nil {
				return netip.Addr{}, err
			}
		}
	}
	const discard = 9 // any port does
	if err := unix.Connect(fd, &unix.SockaddrInet6{Port: discard, Addr: target.As16()}); err != nil {
		return netip.Addr{}, err
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return netip.Addr{}, err
	}
	if in, ok := name.(*unix.SockaddrInet6); ok {
		return netip.AddrFrom16(in.Addr), nil
	}
	return netip.Addr{}, nil
}
